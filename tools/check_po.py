#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_po.py [--missing ROOM] — every user-facing text of the C sources has a Chinese translation.

User-facing are the formats of err_fail, err_errno and err_wrap, and literals in N_(). Texts a client never sees
(E_IO, E_CORRUPT, E_NOMEM, E_CANCELLED, E_EOF, E_INTERNAL: they reach logs, a client gets the kind) are not asked for.
"""
import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
QUIET = {"E_IO", "E_CORRUPT", "E_NOMEM", "E_CANCELLED", "E_EOF", "E_INTERNAL"}
MACROS = {"PRId64": "ld", "PRIu64": "lu", "PRIx64": "lx", "PRIu32": "u", "PRId32": "d", "PRIx32": "x", "STR_FMT": "%.*s"}
LITERALS = r'((?:"(?:[^"\\]|\\.)*"|PRI\w+|STR_FMT|\s)+)'
CALLS = [re.compile(r"\bN_\(\s*" + LITERALS), re.compile(r"\berr_(?:fail|wrap)\(\s*([^,]+?),\s*" + LITERALS),
         re.compile(r"\berr_errno\(\s*([^,]+?),\s*[^,]+,\s*" + LITERALS)]


def texts(path):
    source = path.read_text(encoding="utf-8")
    for call in CALLS:
        for m in call.finditer(source):
            if call.groups == 2 and m.group(1).strip() in QUIET:
                continue
            out = ""
            for tok in re.findall(r'"(?:[^"\\]|\\.)*"|PRI\w+|STR_FMT', m.group(call.groups)):
                out += ast.literal_eval(tok.replace("\\/", "/")) if tok[0] == '"' else MACROS.get(tok, "?")
            if re.search(r"[A-Za-z]{2}", re.sub(r"%[^a-zA-Z]*(?:hh|h|ll|l|z|j|t)?[a-zA-Z]", "", out)):
                yield source.count("\n", 0, m.start()) + 1, out


def catalogue():
    have = set()
    for po in (ROOT / "po").glob("*.po"):
        cur = None
        for line in po.read_text(encoding="utf-8").splitlines():
            if line.startswith("msgid "):
                cur = ast.literal_eval(line[6:])
            elif line.startswith('"') and cur is not None:
                cur += ast.literal_eval(line)
            elif line.startswith("msgstr "):
                if cur is not None:
                    have.add(cur)
                cur = None
    return have


def main():
    room = sys.argv[2] if len(sys.argv) > 2 else None
    have, bad, n = catalogue(), [], 0
    seen = set()
    for path in sorted((ROOT / "src").rglob("*.c")):
        if room and path.parent.name != room:
            continue
        for line, text in texts(path):
            n += 1
            if text not in have and text not in seen:
                seen.add(text)
                bad.append("%s:%d: no Chinese for %r" % (path.relative_to(ROOT), line, text))
                if room:
                    print("msgid " + '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"\nmsgstr ""\n')
    if not room:
        print("\n".join(bad) or "translations: fine (%d texts)" % n)
    return 1 if bad else 0


sys.exit(main())
