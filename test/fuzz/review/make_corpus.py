#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_corpus.py — writes the small seed inputs of the review's fuzz targets (run by hand; the results are committed)."""
import bz2
import collections
import gzip
import io
import json
import lzma
import pathlib
import pickle
import struct
import tarfile
import zipfile
import zlib

OUT = pathlib.Path(__file__).resolve().parent.parent / "corpus"


class Evil:
    def __reduce__(self):
        import os
        return os.system, ("id",)


def put(target, name, data):
    d = OUT / target
    d.mkdir(parents=True, exist_ok=True)
    (d / name).write_bytes(data)
    if target != "review":
        put("review", target.split("_")[1] + "-" + name, data)


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", method) as z:
        for n, d in members:
            z.writestr(zipfile.ZipInfo(n), d, method)
    return b.getvalue()


def main():
    obj = {"a": [1, 2.5, None, True, -7, 2**70], "b": ("x", b"y", {"z"}), "c": collections.OrderedDict(k=1), "d": frozenset([3]), "e": bytearray(b"q")}
    for p in range(6):
        put("review_pickle", "data%d" % p, pickle.dumps(obj, p))
        put("review_pickle", "evil%d" % p, pickle.dumps(Evil(), p))
    put("review_pickle", "inst", b"(S'id'\nios\nsystem\n.")
    put("review_pickle", "obj", b"\x80\x02(cos\nsystem\nX\2\0\0\0ido.")
    put("review_pickle", "ext", b"\x80\x02\x82\x05)R.")
    put("review_pickle", "frame", b"\x80\x04\x95\2\0\0\0\0\0\0\0\x8c\4abcd.")
    put("review_pickle", "persid", b"\x80\x02(U\7storagectorch\nFloatStorage\nU\0010U\3cpuK\4tQ.")
    put("review_pickle", "joblib", b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(X\5\0\0\0shapeK\2\x85X\5\0\0\0dtypecnumpy\ndtype\nX\2\0\0\0f8K\0K\1\x87RubAAAAAAAABBBBBBBB.")
    evil = pickle.dumps(Evil(), 2)
    call = b"cos\nsystem\n(S'id'\ntR."
    put("review", "poly-gif", b"GIF89a\1\0\1" + call)
    put("review", "poly-opaque", b"CBM1" + bytes(64) + call)
    put("review_pickle", "bytes-within", b"\x80\x02ctorch.storage\n_load_from_bytes\nC" + bytes([len(call)]) + call + b"\x85R.")
    put("review_pickle", "reconstructor", b"\x80\x02ccopyreg\n_reconstructor\ncsklearn.svm\nSVC\ncbuiltins\nobject\nN\x87R}X\1\0\0\0aK\1sb.")
    put("review_pickle", "newindex", b"\x80\x02cpandas.core.indexes.base\n_new_Index\ncpandas\nIndex\n}\x86R.")
    put("review_zip", "plain", zipped(("a.txt", b"hello"), ("data.pkl", evil)))
    put("review_zip", "stored", zipped(("m/data.pkl", evil), ("m/data/0", b"1234"), method=zipfile.ZIP_STORED))
    put("review_zip", "nested", zipped(("z.zip", zipped(("x", evil)))))
    put("review_zip", "prefix", evil + zipped(("x", b"y")))
    for name, data in (("gz", gzip.compress(evil, mtime=0)), ("bz2", bz2.compress(evil)), ("xz", lzma.compress(evil)), ("zlib", zlib.compress(evil)),
                       ("lzma", lzma.compress(evil, lzma.FORMAT_ALONE))):
        put("review", "wrap-" + name, data)
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w", format=tarfile.PAX_FORMAT) as t:
        for n, d in (("pickle", evil), ("x" * 120, b"long")):
            i = tarfile.TarInfo(n)
            i.size = len(d)
            t.addfile(i, io.BytesIO(d))
        i = tarfile.TarInfo("link")
        i.type, i.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        t.addfile(i)
    put("review_tar", "plain", b.getvalue()[:4096 + 1536])
    s = lambda z: struct.pack("<Q", len(z)) + z.encode()
    kv = s("general.architecture") + struct.pack("<I", 8) + s("llama") + s("tokenizer.chat_template") + struct.pack("<I", 8) + s("{{ x.__class__ }}")
    kv += s("l") + struct.pack("<IIQ", 9, 8, 2) + s("a") + s("b") + s("general.alignment") + struct.pack("<II", 4, 32)
    t = s("t") + struct.pack("<IQQIQ", 2, 8, 2, 0, 0)
    g = b"GGUF" + struct.pack("<IQQ", 3, 1, 4) + kv + t
    put("review_gguf", "small", g + bytes(-len(g) % 32) + bytes(64))
    put("review_gguf", "counts", b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))
    for name, h, n in (("good", {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"format": "pt"}}, 8),
                       ("overlap", {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}}, 6)):
        j = json.dumps(h).encode()
        put("review_safetensors", name, struct.pack("<Q", len(j)) + j + bytes(n))
    for name, descr, data in (("float", "'<f4'", bytes(8)), ("object", "'|O'", evil), ("fields", "[('a', '<f4'), ('b', '|O')]", bytes(8))):
        h = ("{'descr': %s, 'fortran_order': False, 'shape': (2,), }\n" % descr).encode()
        put("review_npy", name, b"\x93NUMPY\1\0" + struct.pack("<H", len(h)) + h + data)
    for name, text in (("usual", "{% for m in messages %}{% if m['role'] == 'user' %}{{ m.content | trim }}{% endif %}{% endfor %}"),
                       ("escape", r"{{ x['\x5f\x5fclass\x5f\x5f'] ~ '}}' }}"), ("comment", "{# {{ #}{%- set a = b -%}"), ("open", "{{ 'abc")):
        put("review_jinja", name, text.encode())
    node = b"\x0a\x05input\x22\x06PyFunc"
    put("review_proto", "onnx", b"\x08\x07\x12\x04test\x3a" + bytes([len(node) + 2]) + b"\x0a" + bytes([len(node)]) + node)
    put("review_proto", "external", b"\x08\x07\x12\x04test\x3a\x1c\x0a\x1a\x0a\x08location\x12\x0e../../etc/pass")
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 0) + b"IEND" + bytes(4) + b"trailing"
    put("review_proto", "png", png)
    put("review_proto", "hdf5", b"\x89HDF\r\n\x1a\n" + bytes(64) + b'{"class_name": "Lambda", "config": {}}')
    for name, text in (("json", '{"auto_map":{"a":"b--c"},"chat_template":"{{ x }}"}'), ("yaml", "_target_: os.system\n!!python/object\n"),
                       ("py", "import os\nimport sys\nos.system('x')\n"), ("xml", "<?xml?><!DOCTYPE a [<!ENTITY b SYSTEM 'c'>]>"), ("lfs", "version https://git-lfs.github.com/spec/v1\n"),
                       ("elf", "\x7fELF\2\1\1" + "\0" * 20)):
        put("review", "text-" + name, text.encode("latin-1"))


main()
