#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""backup.py [--link] DATA TARGET — a whole copy of a data directory, also while the server runs.

Order (docs/operations/backup.md says why): the database by SQLite's own backup, git references, git objects, xorbs, the rest.
"""
import fcntl
import os
import pathlib
import shutil
import sqlite3
import sys

SKIP = {"tmp", "ballast.lock", "server.json", "ballast.db", "ballast.db-wal", "ballast.db-shm", "git", "xorb"}


def copy_file(src, dst, link=False):
    dst.parent.mkdir(parents=True, exist_ok=True)
    try:
        if link:
            os.link(src, dst)
        else:
            shutil.copy2(src, dst)
    except FileNotFoundError:
        pass  # a lock or a temporary file that has gone meanwhile


def is_ref(rel):
    """HEAD, packed-refs, refs/**, config of a bare repository: all but its objects."""
    return "objects" not in rel.parts


def copy_objects(repo, dst):
    """Objects of one repository, while its packing is held: packs listed before and loose objects after it would miss some."""
    with open(repo / "tidy.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        copy_tree(repo / "objects", dst / "objects", lambda rel: True)


def copy_tree(src, dst, want, link=False):
    for folder, _, names in os.walk(src):
        for name in names:
            path = pathlib.Path(folder) / name
            rel = path.relative_to(src)
            if name.endswith(".lock") or not want(rel):
                continue
            copy_file(path, dst / rel, link)


def main():
    link = "--link" in sys.argv[1:]
    args = [a for a in sys.argv[1:] if a != "--link"]
    if len(args) != 2:
        sys.exit("usage: backup.py [--link] DATA TARGET")
    data, target = map(pathlib.Path, args)
    if not (data / "ballast.db").is_file():
        sys.exit("backup.py: %s is not a data directory (it has no ballast.db); nothing was copied" % data)
    os.umask(0o077)
    try:
        target.mkdir(mode=0o700)
    except FileExistsError:
        sys.exit("backup.py: %s exists already; nothing was copied" % target)
    src = sqlite3.connect("file:%s?mode=ro" % (data / "ballast.db").resolve(), uri=True)
    dst = sqlite3.connect(target / "ballast.db")
    src.backup(dst)
    dst.close()
    src.close()
    copy_tree(data / "git", target / "git", is_ref)
    for repo in sorted((data / "git").glob("??/*.git")):
        try:
            copy_objects(repo, target / "git" / repo.relative_to(data / "git"))
        except FileNotFoundError:
            pass  # deleted meanwhile
    for folder, _, _ in os.walk(data / "git"):  # git wants its empty folders
        (target / "git" / pathlib.Path(folder).relative_to(data / "git")).mkdir(parents=True, exist_ok=True)
    copy_tree(data / "xorb", target / "xorb", lambda rel: True, link)
    for entry in data.iterdir():
        if entry.name in SKIP:
            continue
        if entry.is_dir():
            copy_tree(entry, target / entry.name, lambda rel: True)
        elif entry.is_file():
            copy_file(entry, target / entry.name)


main()
