#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_texts.py [--missing] — every text of the console (templates and C) has a Chinese entry in po/, placeholders
agree, and msgfmt accepts every catalogue. --missing prints the entries to write."""
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from po2c import entries  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


def template_ids():
    pages = sorted(map(str, (ROOT / "src/web/pages").glob("*.html")))
    out = subprocess.run([sys.executable, str(ROOT / "tools/tmpl.py"), "--msgids", *pages], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        row = json.loads(line)
        yield row["msgid"], row["page"]
        # the singular is English only: Chinese always takes the many-form, which must say the number
        if row["one"] is not None and "{n}" not in row["msgid"]:
            sys.exit("%s: %r has no {n}" % (row["page"], row["msgid"]))


def c_ids():
    lit = r'"((?:[^"\\]|\\.)*)"'
    for path in sorted((ROOT / "src/web").glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for m in re.finditer(r"\bN_\(%s\)" % lit, text):
            yield m.group(1).encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in m.group(1) else m.group(1), str(path)


def main():
    have = {}
    for po in sorted((ROOT / "po").glob("*.po")):
        have.update(entries(str(po)))
        if shutil.which("msgfmt"):
            subprocess.run(["msgfmt", "-c", "-o", "/dev/null", str(po)], check=True)
    bad, ids = [], {}
    for msgid, where in list(template_ids()) + list(c_ids()):
        ids.setdefault(msgid, where)
    for msgid, where in ids.items():
        zh = have.get(msgid)
        if zh is None:
            bad.append((where, msgid, "no Chinese"))
        elif sorted(set(re.findall(r"\{\w+\}", zh))) != sorted(set(re.findall(r"\{\w+\}", msgid))):
            bad.append((where, msgid, "other placeholders: %r" % zh))
    if "--missing" in sys.argv:
        for where, msgid, why in bad:
            print("# %s\nmsgid %s\nmsgstr \"\"\n" % (pathlib.Path(where).name, json.dumps(msgid, ensure_ascii=False)))
        return 0
    for row in bad:
        print("%s: %r: %s" % row)
    print("%d texts, %d without a proper translation" % (len(ids), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
