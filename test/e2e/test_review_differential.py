# SPDX-License-Identifier: Apache-2.0
"""The pickle machine against CPython's own: every object that the C unpickler asks for, ours reports.

Streams are real pickles of random objects whose classes live in made-up modules, in all protocols, whole and mutated.
The oracle is pickle.Unpickler with find_class replaced by one that records the name and gives a harmless stand-in; it
stops where CPython stops. Ours may report more (it goes on behind errors), never less.
"""
import json
import os
import pickle
import random
import re
import subprocess
import sys

from conftest import BIN

STREAMS = int(os.environ.get("BALLAST_DIFF_STREAMS", "1500"))
ORACLE = r"""
import io, json, pickle, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
class Stand:
    def __new__(cls, *a, **k): return object.__new__(cls)
    def __init__(self, *a, **k): pass
    def __call__(self, *a, **k): return Stand()
    def __setstate__(self, s): pass
    def append(self, x): pass
    def extend(self, x): pass
    def add(self, x): pass
    def __setitem__(self, k, v): pass
class U(pickle.Unpickler):
    def find_class(self, m, n):
        self.seen.append(m + "." + n)
        return Stand
    def persistent_load(self, pid): return Stand()
out = {}
for path in sys.argv[1:]:
    u = U(open(path, "rb"), fix_imports=False)
    u.seen = []
    try: u.load(); ok = True
    except BaseException: ok = False
    out[path] = [ok, u.seen]
print(json.dumps(out))
"""


class Thing:
    def __init__(self, name, args, state):
        self.name, self.args, self.state = name, args, state


class Name:
    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Python's pickler, with our stand-ins saved as calls of imported names."""

    def save(self, obj, save_persistent_id=True):
        known = self.memo.get(id(obj)) if isinstance(obj, (Name, Thing)) else None
        if known is not None:
            self.write(self.get(known[0]))
            return None
        if isinstance(obj, Name):
            if self.proto >= 4:
                self.save(obj.module)
                self.save(obj.name)
                self.write(pickle.STACK_GLOBAL)
            else:
                self.write(pickle.GLOBAL + ("%s\n%s\n" % (obj.module, obj.name)).encode())
            self.memoize(obj)
            return None
        if isinstance(obj, Thing):
            return self.save_reduce(obj.name, obj.args, obj.state, obj=obj)
        return super().save(obj, save_persistent_id)

    def save_reduce(self, func, args, state=None, listitems=None, dictitems=None, state_setter=None, *, obj=None):
        if isinstance(func, Name):
            self.save(func)
            self.save(args)
            self.write(pickle.REDUCE)
            if obj is not None and id(obj) not in self.memo:
                self.memoize(obj)
            if state is not None:
                self.save(state)
                self.write(pickle.BUILD)
            return None
        return super().save_reduce(func, args, state, listitems, dictitems, state_setter, obj=obj)


def make(r, depth, pool):
    kind = r.randrange(12 if depth else 6)
    if kind == 0:
        return r.choice([None, True, False, r.randrange(-2**40, 2**40), r.random()])
    if kind in (1, 2):
        return "s%d" % r.randrange(30)
    if kind == 3:
        return bytes(r.randrange(256) for _ in range(r.randrange(6)))
    if kind in (4, 5):
        return r.choice(pool)
    if kind in (6, 7):
        return [make(r, depth - 1, pool) for _ in range(r.randrange(4))]
    if kind == 8:
        return tuple(make(r, depth - 1, pool) for _ in range(r.randrange(5)))
    if kind == 9:
        return {"k%d" % i: make(r, depth - 1, pool) for i in range(r.randrange(4))}
    return Thing(r.choice(pool), tuple(make(r, depth - 1, pool) for _ in range(r.randrange(3))), make(r, 1, pool) if r.random() < 0.5 else None)


def stream(r):
    import io
    pool = [Name("zmod%d" % r.randrange(50), "Name%d" % r.randrange(50)) for _ in range(6)]
    out = io.BytesIO()
    p = Pickler(out, r.randrange(6))
    p.dump([make(r, 4, pool) for _ in range(6)])
    data = bytearray(out.getvalue())
    if r.random() < 0.5:
        for _ in range(r.randrange(1, 4)):
            at = r.randrange(len(data))
            data[at:at + r.choice([0, 1, 1])] = bytes([r.choice([r.randrange(256), ord("0"), ord("2"), 0x94, 0x85, ord("R"), ord("h"), 0x81])])
    return bytes(data)


def test_no_import_that_cpython_makes_goes_unseen(tmp_path):
    r = random.Random(20261122)
    names = []
    for i in range(STREAMS):
        path = tmp_path / ("%05d.pkl" % i)
        path.write_bytes(stream(r))
        names.append(str(path))
    oracle = {}
    for i in range(0, len(names), 500):
        p = subprocess.run([sys.executable, "-c", ORACLE, *names[i:i + 500]], capture_output=True, text=True, check=True)
        oracle.update(json.loads(p.stdout))
    p = subprocess.run([BIN, "review", "--json", str(tmp_path)], capture_output=True, text=True, timeout=600)
    ours = {j["path"]: j for j in map(json.loads, p.stdout.splitlines())}
    missed, compared, whole = [], 0, 0
    for path, (ok, seen) in oracle.items():
        if not ok and ours[path]["format"] in ("unknown", "text"):
            continue  # without a protocol mark, broken before its first call: nothing ran but imports of harmless names
        text = " ".join(f["message"] for f in ours[path]["findings"])
        for name in seen:
            if re.fullmatch(r"zmod[A-Za-z0-9_.]+", name) and len(name) < 100:  # known objects make no finding
                compared += 1
                if not re.search(r"(?<![\w.])" + re.escape(name) + r"(?!\w)", text):
                    missed.append((path, name, ours[path]["verdict"], text[:200]))
        whole += ok
        if ok and not any(seen):
            assert ours[path]["verdict"] != "block", (path, text)
    print("%d streams, %d loaded whole by CPython, %d imports compared" % (len(names), whole, compared))
    assert compared > STREAMS and whole > STREAMS / 3
    assert missed == [], json.dumps(missed[:12], indent=1)
