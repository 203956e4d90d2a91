#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_style.py — SPDX line in each file, file and function lengths, a README in each folder of src.

Caps: 25 KB a file, 70 lines a function. An exception needs a line "path[:function] reason" in tools/length_allow.txt.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODE = {".c", ".h", ".py", ".sh", ".sql", ".js", ".mjs", ".css", ".build"}
MAX_BYTES, MAX_LINES = 25 * 1024, 70


def functions(lines):
    """(name, first line, length) of each function body of a clang-format'ed C file."""
    start = name = None
    for i, line in enumerate(lines, 1):
        if start is None and line and not line[0].isspace() and line.rstrip().endswith("{") and "(" in line:
            m = re.search(r"(\w+)\s*\(", line)
            start, name = i, m.group(1) if m else "?"
        elif start is None and line.rstrip().endswith("{") and line[:1].isspace() and i > 1 and re.match(r"^\w.*\(", lines[i - 2] or ""):
            m = re.search(r"(\w+)\s*\(", lines[i - 2])
            start, name = i - 1, m.group(1) if m else "?"
        elif start is not None and line.startswith("}"):
            yield name, start, i - start + 1
            start = None


def main():
    allow = {}
    allow_file = ROOT / "tools/length_allow.txt"
    for line in allow_file.read_text(encoding="utf-8").splitlines() if allow_file.exists() else []:
        if line.strip() and not line.startswith("#"):
            key, _, reason = line.partition(" ")
            allow[key] = reason
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    bad, n_functions, longest = [], 0, []
    for rel in filter(None, files):
        path = ROOT / rel
        if path.suffix not in CODE or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        if "SPDX-License-Identifier: Apache-2.0" not in text[:300]:
            bad.append("%s: SPDX line is missing" % rel)
        if path.suffix not in (".c", ".h") or not rel.startswith("src/"):
            continue
        if len(text.encode()) > MAX_BYTES and rel not in allow:
            bad.append("%s: %d bytes, cap %d" % (rel, len(text.encode()), MAX_BYTES))
        for name, line, length in functions(text.splitlines()):
            n_functions += 1
            longest.append((length, rel, name))
            if length > MAX_LINES and "%s:%s" % (rel, name) not in allow:
                bad.append("%s:%d: %s has %d lines, cap %d" % (rel, line, name, length, MAX_LINES))
    for folder in sorted((ROOT / "src").iterdir()):
        if folder.is_dir() and not (folder / "README.md").exists():
            bad.append("src/%s: README.md is missing" % folder.name)
    for length, rel, name in sorted(longest, reverse=True)[:3]:
        print("longest: %3d lines %s:%s" % (length, rel, name))
    print("\n".join(bad) or "style: fine (%d functions)" % n_functions)
    return 1 if bad else 0


sys.exit(main())
