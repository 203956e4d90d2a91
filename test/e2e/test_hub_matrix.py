# SPDX-License-Identifier: Apache-2.0
"""Every way in against every way out: the same bytes, whoever brought them and whoever fetches them."""
import base64
import hashlib
import subprocess

import pytest

from hub_helpers import commit, random_bytes, settled

SMALL = "small.txt", b"plain text\n" * 50
LARGE = "weights.bin"


def git(server, cwd, *args, user="alice", check=True):
    env = dict(server.env, GIT_TERMINAL_PROMPT="0", GIT_CONFIG_NOSYSTEM="1", HOME=str(server.base), GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@x",
               GIT_COMMITTER_NAME="A", GIT_COMMITTER_EMAIL="a@x")
    p = subprocess.run(["git", *args], cwd=cwd, env=env, capture_output=True, text=True, timeout=120)
    if check and p.returncode != 0:
        raise AssertionError("git %s: %s%s\n--- server:\n%s" % (args, p.stdout, p.stderr, server.tail(2500)))
    return p


def remote(server, repo, user="alice"):
    return server.url.replace("http://", "http://%s:%s@" % (user, server.tokens[user])) + "/" + repo


def up_xet(server, repo, src):
    server.hf("alice", "upload", repo, str(src), ".")


def up_noxet(server, repo, src):
    server.hf("alice", "upload", repo, str(src), ".", xet=False)


def up_gitlfs(server, repo, src):
    server.hf("alice", "repos", "create", repo)
    work = src.parent / "lfs-clone"
    git(server, src.parent, "clone", remote(server, repo), str(work))
    git(server, work, "lfs", "install", "--local")
    for f in src.iterdir():
        (work / f.name).write_bytes(f.read_bytes())
    git(server, work, "lfs", "track", LARGE)
    git(server, work, "add", "-A")
    git(server, work, "commit", "-qm", "by git-lfs")
    git(server, work, "push", "origin", "HEAD:main")


def up_git(server, repo, src):
    """Small enough to stay a git blob: no LFS filter in the clone."""
    server.hf("alice", "repos", "create", repo)
    work = src.parent / "git-clone"
    git(server, src.parent, "-c", "filter.lfs.smudge=", "-c", "filter.lfs.required=false", "clone", remote(server, repo), str(work))
    for f in src.iterdir():
        (work / f.name).write_bytes(f.read_bytes())
    (work / ".gitattributes").write_text("")
    git(server, work, "add", "-A")
    git(server, work, "commit", "-qm", "by git")
    git(server, work, "push", "origin", "HEAD:main")


def up_inline(server, repo, src):
    server.hf("alice", "repos", "create", repo)
    lines = [("file", {"path": f.name, "content": base64.b64encode(f.read_bytes()).decode(), "encoding": "base64"}) for f in src.iterdir()]
    assert commit(server, "alice", repo, ("header", {"summary": "inline"}), *lines)[0] == 200


UP = {"hf-xet": up_xet, "hf-noxet": up_noxet, "git-lfs": up_gitlfs, "git": up_git, "inline": up_inline}


def down_xet(server, repo, out):
    server.hf("alice", "download", repo, "--local-dir", str(out))
    return out


def down_resolve(server, repo, out):
    """Plain GET in three pieces, as a client that resumes."""
    out.mkdir()
    for name in (SMALL[0], LARGE):
        got = b""
        s, h, _ = server.http("HEAD", "/%s/resolve/main/%s" % (repo, name), "alice")
        size = int(h["Content-Length"])
        for stop in (size // 3, size // 2, None):
            rng = "bytes=%d-%s" % (len(got), "" if stop is None else stop)
            s, h, b = server.http("GET", "/%s/resolve/main/%s" % (repo, name), "alice", headers={"Range": rng})
            assert s == 206 and h["Content-Range"].startswith("bytes %d-" % len(got))
            got += b
        (out / name).write_bytes(got)
    return out


def down_gitlfs(server, repo, out):
    git(server, out.parent, "-c", "filter.lfs.smudge=git-lfs smudge -- %f", "-c", "filter.lfs.process=git-lfs filter-process", "-c", "filter.lfs.required=true",
        "clone", remote(server, repo), str(out))
    git(server, out, "lfs", "pull")
    return out


def down_clone(server, repo, out):
    """git without LFS: large files are pointers, everything else is whole; then the pointer must name the right bytes."""
    git(server, out.parent, "-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false", "clone", remote(server, repo), str(out))
    return out


DOWN = {"hf-xet": down_xet, "resolve": down_resolve, "git-lfs": down_gitlfs, "git-clone": down_clone}


@pytest.fixture(scope="module", params=list(UP))
def stored(request, server, tmp_path_factory):
    base = tmp_path_factory.mktemp("matrix-" + request.param)
    src = base / "src"
    src.mkdir()
    (src / SMALL[0]).write_bytes(SMALL[1])
    (src / LARGE).write_bytes(random_bytes(3_000_000, 5))
    repo = "alice/mx-" + request.param
    UP[request.param](server, repo, src)
    settled(server, repo)
    return request.param, repo, src


@pytest.mark.parametrize("way", list(DOWN))
def test_matrix(server, stored, way, tmp_path):
    up, repo, src = stored
    out = DOWN[way](server, repo, tmp_path / "out")
    assert (out / SMALL[0]).read_bytes() == SMALL[1]
    want, got = (src / LARGE).read_bytes(), (out / LARGE).read_bytes()
    if way == "git-clone" and up in ("hf-xet", "hf-noxet", "git-lfs"):
        want = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n" % (hashlib.sha256(want).hexdigest().encode(), len(want))
    assert got == want, (up, way, len(got))
    if way.startswith("git"):
        head = git(server, out, "rev-parse", "HEAD").stdout.strip()
        assert head == server.http("HEAD", "/%s/resolve/main/%s" % (repo, SMALL[0]), "alice")[1]["X-Repo-Commit"]
