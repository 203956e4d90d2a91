/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_danger.c — names no model file has a reason to call: execution, indirection, nested loading,
 * files, network, native code, and the tools that review pickles. Each entry covers everything below
 * it. Being absent from here clears nothing: unknown names are `review`.
 */
#include "policy_tables.h"

const char *const policy_danger[] = {
    /* execution */
    "os", "nt", "posix", "posixpath.os", "ntpath.os", "subprocess", "pty", "runpy", "bdb", "pdb", "cProfile",
    "profile", "_lsprof", "timeit", "trace", "doctest", "idlelib", "ensurepip", "pip", "venv", "lib2to3", "setuptools", "distutils",
    "pkg_resources", "multiprocessing", "concurrent.futures", "asyncio", "_osx_support", "_aix_support", "_pyrepl", "webbrowser",
    "antigravity", "imaplib", "code.InteractiveInterpreter", "code.InteractiveConsole", "code.interact", "code.compile_command",
    "test.support", "site.execsitecustomize", "site.main", "site.addpackage", "site.addsitedir", "jinja2.sandbox", "mako.template", "sched", "signal", "_thread", "_posixsubprocess", "_winapi", "winreg",
    "msilib", "rlcompleter", "sys", "faulthandler", "gc", "atexit", "weakref.finalize", "uuid._get_command_stdout", "uuid._popen",
    "pydoc", "cgitb", "compileall", "py_compile", "zipapp", "turtledemo", "unittest", "pytest", "tkinter", "turtle",
    "builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__", "builtins.__build_class__", "builtins.apply",
    "builtins.getattr", "builtins.setattr", "builtins.delattr", "builtins.globals", "builtins.locals", "builtins.vars",
    "builtins.open", "builtins.input", "builtins.breakpoint", "builtins.help", "builtins.map", "builtins.filter",
    "builtins.memoryview", "builtins.super", "builtins.exit", "builtins.quit", "builtins.__dict__", "builtins.print",
    "builtins.file", "builtins.coerce", "builtins.raw_input",
    /* indirection */
    "operator.attrgetter", "operator.itemgetter", "operator.methodcaller", "operator.call", "_operator.attrgetter",
    "_operator.itemgetter", "_operator.methodcaller", "_operator.call", "functools.partial", "functools.reduce",
    "functools.partialmethod", "functools.singledispatch", "functools.update_wrapper", "functools.cached_property", "_functools",
    "pkgutil", "importlib", "imp", "zipimport", "modulefinder", "types.CodeType", "types.FunctionType", "types.LambdaType",
    "types.MethodType", "types.ModuleType", "types.DynamicClassAttribute", "types.coroutine", "types.new_class", "inspect", "ast",
    "dis", "opcode", "cloudpickle", "dill", "_dill", "marshal", "_interpreters", "_xxsubinterpreters", "interpreters",
    "_testcapi", "_testinternalcapi", "_ctypes", "itertools.starmap", "_codecs.decode", "codecs",
    "copyreg.pickle", "copyreg.add_extension", "copyreg.constructor", "numexpr", "ansible",
    /* nested loading */
    "pickle", "_pickle", "pickletools", "shelve", "dbm", "joblib.load", "joblib.numpy_pickle.load", "joblib.externals",
    "joblib._store_backends", "joblib.memory", "joblib.parallel", "numpy.load", "numpy.lib.npyio", "numpy.lib._npyio_impl",
    "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile", "numpy.memmap.tofile", "numpy.ctypeslib", "numpy.f2py", "numpy.distutils",
    "numpy.testing", "numpy._pytesttester", "numpy.core._multiarray_tests", "numpy.save", "numpy.savez", "numpy.savetxt",
    "numpy.DataSource", "numpy.lib._datasource", "numpy.lib.utils", "numpy.vectorize", "numpy.frompyfunc", "numpy.apply_along_axis",
    "pandas.read_pickle", "pandas.io.pickle", "pandas.eval", "pandas.core.computation", "pandas.io", "pandas.read_csv",
    "pandas.compat.pickle_compat", "scipy.io", "sklearn.datasets", "sklearn.externals", "sklearn._build_utils", "sklearn.utils._testing",
    "sklearn.utils.fixes", "torch.load", "torch.save", "torch.hub", "torch.package", "torch.compile", "torch.ops", "torch.classes",
    "torch.serialization.load", "torch.serialization.os", "torch.serialization._load", "torch.jit.load",
    "torch.jit.unsupported_tensor_ops", "torch.jit.frontend", "torch.jit._script", "torch.jit.script", "torch.jit.CompilationUnit",
    "torch.utils.bottleneck", "torch.utils.collect_env", "torch.utils._config_module", "torch.utils.cpp_extension",
    "torch.utils.data.datapipes", "torch.utils.model_zoo", "torch.utils.show_pickle", "torch.utils.benchmark", "torch.utils.checkpoint",
    "torch._dynamo", "torch._inductor", "torch.fx.experimental", "torch.fx.graph_module", "torch.distributed.rpc",
    "torch.distributed.run", "torch.distributed.launch", "torch.distributed.elastic", "torch.distributed.nn.api", "torch.multiprocessing", "torch.testing", "torch.onnx",
    "torch.profiler", "torch.autograd.profiler", "torch._C._jit", "torch.functional.os",
    "torch.export", "torch._export", "torch.library", "torch._library", "torch.overrides", "torchvision.datasets", "torchvision.io",
    "transformers.pipeline", "transformers.pipelines", "transformers.dynamic_module_utils", "transformers.utils.hub",
    "transformers.utils.import_utils", "transformers.utils.chat_template_utils", "transformers.agents", "transformers.commands",
    "transformers.tools",
    "fsspec", "gcsfs", "s3fs", "smart_open", "langchain", "llama_index", "vllm",
    "jsonpickle", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "keras.utils.get_file", "tensorflow.io",
    /* files */
    "io.open", "_io.open", "io.FileIO", "_io.FileIO", "io.open_code", "_io.open_code", "_pyio", "shutil", "tempfile", "glob",
    "fileinput", "logging", "linecache", "zipfile", "tarfile", "gzip", "bz2.open", "lzma.open", "sqlite3", "mmap", "filecmp",
    "distutils.file_util", "pathlib.Path.write_text", "pathlib.Path.write_bytes", "pathlib.Path.open", "pathlib.Path.unlink",
    "pathlib.Path.read_text", "pathlib.Path.read_bytes", "pathlib.Path.touch", "pathlib.Path.rmdir", "pathlib.Path.rename",
    "pathlib.os", "configparser",
    /* network */
    "socket", "_socket", "ssl", "_ssl", "urllib.request", "urllib.urlopen", "urllib.urlretrieve", "http", "ftplib", "smtplib",
    "smtpd", "nntplib", "poplib", "telnetlib", "xmlrpc", "socketserver", "selectors", "requests", "aiohttp", "httpx", "urllib3",
    "paramiko", "fabric", "websocket", "websockets", "pycurl", "boto3", "botocore", "google.cloud", "azure", "twisted", "tornado",
    "flask", "django", "fastapi", "uvicorn", "werkzeug", "mechanize", "scapy", "psutil", "pexpect", "plumbum",
    /* native code */
    "ctypes", "cffi", "_cffi_backend", "cython", "pyximport", "win32api", "win32com", "pythoncom", "comtypes", "pyautogui", "pynput",
    /* the reviewers themselves */
    "fickling", "picklescan", "modelscan", "modelaudit",
};
const size_t policy_n_danger = ARRAY_LEN(policy_danger);

const char *const policy_walk[] = {
    "os", "nt", "posix", "sys", "subprocess", "builtins", "__builtin__", "__builtins__", "importlib", "ctypes", "runpy", "pty",
    "socket", "shutil", "marshal", "popen", "system", "pickle", "_pickle", "cPickle", "tempfile", "io.open", "exec", "eval",
    "compile", "urllib", "requests", "runstring", "runctx", "types.FunctionType", "types.CodeType",
};
const size_t policy_n_walk = ARRAY_LEN(policy_walk);
