#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_layers.py — a room may include only itself and rooms below it; SQL stays in store and *_db*.c files."""
import pathlib
import re
import sys

ROOMS = ["base", "rt", "http", "store", "git", "xet", "id", "hub", "review", "gate", "pool", "web", "app"]
SQL = re.compile(r'"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\s+[A-Za-z*]')


def main():
    root = pathlib.Path(__file__).resolve().parent.parent / "src"
    bad = []
    for path in sorted(root.rglob("*.[ch]")):
        room = path.relative_to(root).parts[0]
        if room not in ROOMS:
            continue
        rank = ROOMS.index(room)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([a-z0-9]+)/', line)
            if m and m.group(1) in ROOMS and ROOMS.index(m.group(1)) > rank:
                bad.append("%s:%d: %s includes %s, which stands above it" % (path, number, room, m.group(1)))
            if SQL.search(line) and room != "store" and "_db" not in path.stem:
                bad.append("%s:%d: SQL outside store and *_db*.c" % (path, number))
    print("\n".join(bad) or "layers: fine")
    return 1 if bad else 0


sys.exit(main())
