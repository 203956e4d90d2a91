# SPDX-License-Identifier: Apache-2.0
"""Stock git and git-lfs against the server, and small hands on the records."""
import os
import sqlite3
import subprocess
import time

ENV = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "amy", "GIT_AUTHOR_EMAIL": "amy@example.org",
       "GIT_COMMITTER_NAME": "amy", "GIT_COMMITTER_EMAIL": "amy@example.org", "LANG": "C.UTF-8"}


class Git:
    """git in one folder, as one user (None = anonymous)."""

    def __init__(self, server, home, user="alice"):
        self.server, self.user, self.home = server, user, home
        home.mkdir(parents=True, exist_ok=True)
        self.env = dict(os.environ, HOME=str(home), GIT_CONFIG_GLOBAL=str(home / "gitconfig"), **ENV)
        self.run("config", "--global", "init.defaultBranch", "main", cwd=home)
        self.run("lfs", "install", "--skip-repo", cwd=home)

    def url(self, repo):
        if not self.user:
            return self.server.url + "/" + repo
        return self.server.url.replace("://", "://%s:%s@" % (self.user, self.server.tokens.get(self.user, self.user))) + "/" + repo

    def run(self, *args, cwd=None, check=True, env=None, timeout=120):
        p = subprocess.run(["git", *map(str, args)], cwd=cwd or self.home, env=dict(self.env, **(env or {})), capture_output=True, text=True, timeout=timeout)
        if check and p.returncode != 0:
            raise AssertionError("git %s: exit %d\n%s%s\n--- server:\n%s" % (args, p.returncode, p.stdout, p.stderr, self.server.tail(2500)))
        return p

    def clone(self, repo, name=None, *args, check=True, env=None):
        at = self.home / (name or repo.replace("/", "-"))
        p = self.run("clone", *args, self.url(repo), at, check=check, env=env)
        return at if check else p

    def commit(self, at, message="change", **files):
        self.run("add", "-A", cwd=at)
        self.run("commit", "-qm", message, cwd=at)
        return self.head(at)

    def head(self, at, rev="HEAD"):
        return self.run("rev-parse", rev, cwd=at).stdout.strip()


def sql(server, text, *args):
    d = sqlite3.connect(server.data / "ballast.db", timeout=20)
    try:
        rows = d.execute(text, args).fetchall()
        d.commit()
        return rows
    finally:
        d.close()


PENDING = ("SELECT (SELECT count(*) FROM repo_blob b JOIN repo r ON r.id = b.repo_id LEFT JOIN blob_verdict v ON v.oid = b.oid"
           " WHERE r.deleted_ms = 0 AND COALESCE(v.verdict, 0) = 0)"
           " + (SELECT count(*) FROM revision v JOIN repo r ON r.id = v.repo_id WHERE r.deleted_ms = 0 AND v.verdict = 0)")


def settle(server, timeout=180):
    """Wait until everything pushed so far is examined and its revisions have a verdict."""
    end = time.time() + timeout
    while sql(server, PENDING)[0][0]:
        assert time.time() < end, "the review is not finished: " + server.tail(1500)
        time.sleep(0.1)


def judge(server, oid, verdict):
    """Set a settled blob's verdict (4 = block, 1 = pass) behind the server's back, in one transaction: a blob without a
    verdict would be examined again."""
    sql(server, "INSERT OR REPLACE INTO blob_verdict VALUES (?, ?, 2, 'pickle', ?, 'test', ?)", oid, verdict,
        '[{"rule":"test.rule","severity":"block","message":"calls os.system","where":"0"}]' if verdict == 4 else "[]", int(time.time() * 1000))
    time.sleep(0.4)  # another process's commit is noticed within 250 ms
