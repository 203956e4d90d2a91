# SPDX-License-Identifier: Apache-2.0
"""Stock git over smart HTTP: clone, fetch, push, branches, tags, protocols, what is refused, and the gate on fetch."""
import base64
import json
import os
import subprocess
import threading
import time

import pytest

from git_helpers import Git, judge, settle, sql
from hub_helpers import commit, get_json


@pytest.fixture(scope="module")
def git(server, tmp_path_factory):
    return Git(server, tmp_path_factory.mktemp("git-alice"))


@pytest.fixture
def repo(server, request):
    name = "alice/" + request.node.name.replace("[", "-").replace("]", "").replace("_", "-")[:80]
    server.cli("repo", "create", name)
    settle(server)
    return name


def test_clone_push_and_api_are_one_history(server, git, repo):
    at = git.clone(repo)
    assert (at / ".gitattributes").read_text().count("filter=lfs") > 20
    (at / "README.md").write_text("---\nlicense: mit\ntags: [from-git]\n---\n# From git\n")
    (at / "sub").mkdir()
    (at / "sub" / "a.txt").write_text("hello\n")
    one = git.commit(at, "by git\n\nlonger")
    git.run("push", cwd=at)
    info = get_json(server, "/api/models/" + repo, "alice")
    assert info["sha"] == one and "from-git" in info["tags"]
    assert {e["path"] for e in get_json(server, "/api/models/%s/tree/main?recursive=true" % repo, "alice")} >= {"README.md", "sub", "sub/a.txt"}
    assert get_json(server, "/api/models/%s/commits/main" % repo, "alice")[0]["title"] == "by git"
    s, _, body = commit(server, "alice", repo, ("header", {"summary": "by api"}),
                        ("file", {"path": "b.txt", "content": base64.b64encode(b"from the api").decode(), "encoding": "base64"}))
    assert s == 200, body
    settle(server)
    git.run("pull", "--ff-only", cwd=at)
    assert git.head(at) == body["commitOid"] and (at / "b.txt").read_text() == "from the api"
    git.run("fsck", "--strict", cwd=at)
    pushed = [json.loads(p) for (p,) in sql(server, "SELECT payload FROM event WHERE kind = 'revision.pushed' AND repo_id ="
                                                    " (SELECT id FROM repo WHERE name = ?)", repo.split("/")[1])]
    assert [p["via"] for p in pushed] == ["api", "git", "api"] and pushed[1]["files"] == 2 and pushed[1]["message"] == "by git"


def test_branches_and_tags_both_ways(server, git, repo):
    at = git.clone(repo)
    git.run("checkout", "-qb", "feature/x", cwd=at)
    (at / "f").write_text("1")
    head = git.commit(at)
    git.run("tag", "-am", "one", "v1", cwd=at)
    git.run("push", "origin", "feature/x", "v1", cwd=at)
    refs = get_json(server, "/api/models/%s/refs" % repo, "alice")
    assert {b["name"]: b["targetCommit"] for b in refs["branches"]}["feature/x"] == head
    assert refs["tags"] == [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": head}]
    server.http("POST", "/api/models/%s/branch/by-api" % repo, "alice", {"startingPoint": head})
    settle(server)
    git.run("fetch", "origin", cwd=at)
    assert git.head(at, "origin/by-api") == head
    git.run("push", "origin", ":feature/x", ":v1", cwd=at)
    refs = get_json(server, "/api/models/%s/refs" % repo, "alice")
    assert {b["name"] for b in refs["branches"]} == {"main", "by-api"} and refs["tags"] == []
    p = git.run("push", "origin", ":main", cwd=at, check=False)
    assert p.returncode != 0 and "Cannot delete refs/heads/main" in p.stderr
    git.run("push", "--force", "origin", "feature/x:main", cwd=at)
    assert get_json(server, "/api/models/" + repo, "alice")["sha"] == head


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_protocol_versions_shallow_and_partial(server, git, repo, version, tmp_path):
    at = git.clone(repo)
    for i in range(6):
        (at / "n.txt").write_text("%d\n" % i)
        git.commit(at, "c%d" % i)
    git.run("push", cwd=at)
    settle(server)
    v = ("-c", "protocol.version=" + version)
    full = tmp_path / "full"
    p = git.run(*v, "clone", git.url(repo), full, env={"GIT_TRACE_PACKET": "1"})
    assert ("git< version 2" in p.stderr) == (version == "2") and ("git< version 1" in p.stderr) == (version == "1")
    assert git.run("rev-list", "--count", "HEAD", cwd=full).stdout.strip() == "7"
    git.run(*v, "clone", "--depth", "2", git.url(repo), tmp_path / "shallow")
    assert git.run("rev-list", "--count", "HEAD", cwd=tmp_path / "shallow").stdout.strip() == "2"
    git.run(*v, "fetch", "--deepen", "2", cwd=tmp_path / "shallow")
    git.run(*v, "clone", "--filter=blob:none", "--no-checkout", git.url(repo), tmp_path / "partial")
    assert git.run("-c", "protocol.version=" + version, "show", "HEAD~3:n.txt", cwd=tmp_path / "partial").stdout == "2\n"


def test_push_many_files_chunked_and_gzip(server, git, repo, tmp_path):
    at = git.clone(repo)
    for i in range(400):
        (at / ("d%d" % (i % 7))).mkdir(exist_ok=True)
        (at / ("d%d" % (i % 7)) / ("f%d.txt" % i)).write_text("%d\n" % i * (i + 1))
    git.commit(at, "many")
    git.run("-c", "http.postBuffer=4096", "push", cwd=at)  # larger than the buffer: probe request, then chunked
    settle(server)
    for i in range(60):  # long negotiation: git gzips requests above 1 KiB
        git.run("commit", "-q", "--allow-empty", "-m", "local %d" % i, cwd=at)
    other = git.clone(repo, "other")
    (other / "x").write_text("x")
    git.commit(other)
    git.run("push", cwd=other)
    settle(server)
    git.run("fetch", cwd=at)
    assert git.head(at, "origin/main") == git.head(other)
    assert len(list(other.rglob("f*.txt"))) == 400


def test_refused_pushes_change_nothing(server, git, repo):
    before = get_json(server, "/api/models/" + repo, "alice")["sha"]
    at = git.clone(repo)
    (at / "huge.dat").write_bytes(b"\1" * (11 << 20))
    git.commit(at)
    p = git.run("push", cwd=at, check=False)
    assert p.returncode != 0
    assert "huge.dat has 11534336 bytes" in p.stderr and 'git lfs migrate import --everything --include="huge.dat"' in p.stderr
    git.run("lfs", "migrate", "import", "--everything", "--include=huge.dat", "--yes", cwd=at)  # what the message says, works
    git.run("push", "--force", cwd=at)
    settle(server)
    at2 = git.clone(repo, "refused2")
    (at2 / "p.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 5\n" % ("ab" * 32))
    git.commit(at2)
    p = git.run("push", "--no-verify", cwd=at2, check=False)
    assert p.returncode != 0 and "p.bin points to the large file sha256:" + "ab" * 32 in p.stderr and "git lfs push --all" in p.stderr
    p = git.run("push", "--no-verify", "origin", "HEAD~1:refs/pr/3", cwd=at2, check=False)
    assert p.returncode != 0 and "only branches" in p.stderr
    assert get_json(server, "/api/models/" + repo, "alice")["sha"] != before
    assert not [e for e in get_json(server, "/api/models/%s/tree/main" % repo, "alice") if e["path"] == "p.bin"]


def test_rights(server, tmp_path):
    server.user("carol")
    server.cli("repo", "create", "alice/open")
    server.cli("repo", "create", "alice/secret", "--private")
    settle(server)
    nobody, carol = Git(server, tmp_path / "n", None), Git(server, tmp_path / "c", "carol")
    reader = Git(server, tmp_path / "r", server.token("alice", "read"))
    at = nobody.clone("alice/open")
    (at / "x").write_text("x")
    nobody.commit(at)
    p = nobody.run("push", cwd=at, check=False)
    assert p.returncode != 0 and "could not read Username" in p.stderr  # 401 asked for credentials
    assert "could not read Username" in nobody.clone("alice/secret", check=False).stderr
    assert "not found" in carol.clone("alice/secret", check=False).stderr
    assert carol.run("push", carol.url("alice/open"), "HEAD:main", cwd=at, check=False).returncode != 0
    reader.clone("alice/secret")
    p = reader.run("push", reader.url("alice/open"), "HEAD:main", cwd=at, check=False)
    assert p.returncode != 0 and "403" in p.stderr
    s, h, body = server.http("GET", "/alice/open/info/refs?service=git-receive-pack")
    assert s == 401 and h["WWW-Authenticate"].startswith("Basic ") and h["Content-Type"].startswith("text/plain")


def test_addresses_with_and_without_suffix_and_kinds(server, git, tmp_path):
    for kind, prefix in (("model", ""), ("dataset", "datasets/")):
        server.cli("repo", "create", "alice/kind", "--type", kind)
        settle(server)
        for i, tail in enumerate(("", ".git", "/")):
            at = tmp_path / ("%s%d" % (kind, i))
            git.run("clone", git.url(prefix + "alice/kind") + tail, at)
            (at / ("big%d.bin" % i)).write_bytes(b"%d" % i * 1000)
            git.commit(at, kind)
            git.run("push", cwd=at)
            settle(server)
        assert len([e for e in get_json(server, "/api/%ss/alice/kind/tree/main" % kind, "alice") if "lfs" in e]) == 3


def test_concurrent_pushes_and_api_commits(server, git, repo, tmp_path):
    """Nobody loses a commit: each side retries what was refused, and the result holds everything."""
    N, done, errors = 6, [], []

    def pusher(k):
        try:
            g = Git(server, tmp_path / ("g%d" % k))
            at = g.clone(repo)
            for i in range(N):
                (at / ("git-%d-%d" % (k, i))).write_text("x")
                g.commit(at)
                for _ in range(60):
                    if g.run("push", cwd=at, check=False).returncode == 0:
                        done.append("git-%d-%d" % (k, i))
                        break
                    settle(server)
                    g.run("pull", "--rebase", cwd=at)
        except Exception as e:  # a thread's failure must fail the test
            errors.append(e)

    def committer(k):
        for i in range(N * 2):
            s, _, body = commit(server, "alice", repo, ("header", {"summary": "api"}), ("file", {"path": "api-%d-%d" % (k, i), "content": "eA==", "encoding": "base64"}))
            if s == 200:
                done.append("api-%d-%d" % (k, i))
            else:
                errors.append((s, body))

    threads = [threading.Thread(target=f, args=(k,)) for k in range(2) for f in (pusher, committer)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors, errors
    assert len(done) == 2 * N + 4 * N
    names = {e["path"] for e in get_json(server, "/api/models/%s/tree/main" % repo, "alice")}
    assert names >= set(done)
    settle(server)
    git.run("fsck", "--strict", cwd=git.clone(repo))
    rid = sql(server, "SELECT id FROM repo WHERE name = ?", repo.split("/")[1])[0][0]
    head = subprocess.run(["git", "--git-dir", str(server.data / "git" / ("%02x" % (rid & 255)) / ("%d.git" % rid)), "rev-parse", "main"], capture_output=True, text=True).stdout.strip()
    assert sql(server, "SELECT oid FROM repo_ref WHERE repo_id = ? AND ref = 'refs/heads/main'", rid) == [(head,)]


def test_blocked_blob_closes_fetch_until_history_is_clean(server, git, repo, tmp_path):
    at = git.clone(repo)
    (at / "good.txt").write_text("good")
    git.commit(at)
    (at / "evil.txt").write_text("bad bytes of " + repo)
    with_evil = git.commit(at, "evil")
    evil = git.run("rev-parse", "HEAD:evil.txt", cwd=at).stdout.strip()
    git.run("rm", "-q", "evil.txt", cwd=at)
    git.run("commit", "-qm", "removed, but still in history", cwd=at)
    git.run("push", cwd=at)
    settle(server)
    git.clone(repo, "before")
    judge(server, evil, 4)
    for extra in ((), ("-c", "protocol.version=0")):
        p = git.run(*extra, "clone", git.url(repo), tmp_path / "no", check=False)
        assert p.returncode != 0 and "403" in p.stderr
        assert "remote: evil.txt: review blocks this file: test.rule: calls os.system" in p.stderr, p.stderr
    s, h, _ = server.http("GET", "/%s/info/refs?service=git-upload-pack" % repo)
    assert s == 403 and h["Content-Type"].startswith("text/plain")
    pkt = lambda t: b"%04x" % (len(t) + 4) + t
    body = pkt(b"command=fetch") + b"0001" + pkt(b"want " + evil.encode()) + pkt(b"done") + b"0000"
    head = {"Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2"}
    assert server.http("POST", "/%s/git-upload-pack" % repo, body=body, headers=head)[0] == 403
    git.run("checkout", "-q", "--orphan", "clean", cwd=at)  # pushing stays possible: the way out
    git.run("commit", "-qm", "clean history", cwd=at)
    git.run("push", "--force", "origin", "clean:main", cwd=at)
    settle(server)
    judge(server, evil, 4)
    git.clone(repo, "after")
    assert server.http("POST", "/%s/git-upload-pack" % repo, body=body, headers=head)[0] == 403, "asked for by its id"
    old = body.replace(evil.encode(), with_evil.encode())
    assert server.http("POST", "/%s/git-upload-pack" % repo, body=old, headers=head)[0] == 403, "asked for by an old commit"


def test_pending_blob_holds_fetch_until_the_verdict(make_server, tmp_path):
    """With a slow review of its own: nobody forges a pending state that the pipeline would mend meanwhile."""
    slow = make_server(config="review: {slow_ms: 1500}\n")
    slow.user("alice")
    slow.cli("repo", "create", "alice/slow")
    settle(slow)
    git = Git(slow, tmp_path / "alice")
    at = git.clone("alice/slow")
    (at / "slow.txt").write_text("slow")
    git.commit(at)
    git.run("push", cwd=at)
    start = time.time()
    again = git.clone("alice/slow", "waited")
    assert time.time() - start > 1.0 and (again / "slow.txt").read_text() == "slow"


def test_more_clients_than_children(server, repo, tmp_path):
    """80 requests at once: children are bounded, everyone is served in turn."""
    codes = []
    one = lambda: codes.append(server.http("GET", "/%s/info/refs?service=git-upload-pack" % repo, timeout=90)[0])
    threads = [threading.Thread(target=one) for _ in range(80)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert codes == [200] * 80


def test_fetch_never_sees_an_unrecorded_commit(server, git, repo):
    """Git moved, the rows did not (a killed command line): blobs nobody recorded must not slip past the gate."""
    at = git.clone(repo)
    (at / "fresh.txt").write_text("unrecorded " + repo)
    git.commit(at)
    blob = git.run("rev-parse", "HEAD:fresh.txt", cwd=at).stdout.strip()
    rid = sql(server, "SELECT id FROM repo WHERE name = ?", repo.split("/")[1])[0][0]
    bare = server.data / "git" / ("%02x" % (rid & 255)) / ("%d.git" % rid)
    git.run("push", "--no-verify", str(bare), "HEAD:main", cwd=at)  # behind the server's back, no hook
    assert sql(server, "SELECT count(*) FROM repo_blob WHERE oid = ?", blob) == [(0,)]
    other = git.clone(repo, "caught-up")
    assert (other / "fresh.txt").exists()
    assert sql(server, "SELECT count(*) FROM repo_blob WHERE oid = ?", blob) == [(1,)]
    assert sql(server, "SELECT verdict FROM blob_verdict WHERE oid = ?", blob) in ([(1,)], [(2,)]), "reviewed before it went out"


def test_unknown_and_malformed_requests(server, repo):
    assert server.http("GET", "/%s/info/refs" % repo)[0] == 403
    assert server.http("GET", "/%s/info/refs?service=git-evil" % repo)[0] == 403
    assert server.http("POST", "/%s/git-upload-pack" % repo, body=b"0000")[0] == 400
    head = {"Content-Type": "application/x-git-upload-pack-request"}
    assert server.http("POST", "/%s/git-upload-pack" % repo, body=b"zzzz", headers=head)[0] == 400
    assert server.http("POST", "/%s/git-upload-pack" % repo, body=b"0032want " + b"1" * 40 + b"\n00000009done\n", headers=head)[0] in (200, 500)
    assert server.http("GET", "/alice/none/info/refs?service=git-upload-pack", "alice")[0] == 404
    head["Content-Encoding"] = "gzip"
    assert server.http("POST", "/%s/git-upload-pack" % repo, body=b"not gzip", headers=head)[0] == 400


def loose(server, repo):
    row = sql(server, "SELECT r.id FROM repo r JOIN owner o ON o.id = r.owner_id WHERE o.name || '/' || r.name = ?", repo)[0][0]
    objects = str(server.data / "git" / ("%02x" % (row & 255)) / ("%d.git" % row) / "objects")
    n, packs = 0, []
    for folder, _, files in os.walk(objects):  # forgives what vanishes meanwhile
        n += len(files) if len(os.path.basename(folder)) == 2 else 0
        packs += files if folder.endswith("/pack") else []
    return n, packs


def many_files(server, repo, tag, n, step=90):
    """In commits small enough for their blobs to become loose objects (step > 100: one pack a commit)."""
    lines = [("file", {"path": "%s/%d/%04d" % (tag, i % 9, i), "content": "%s %d" % (tag, i), "encoding": "utf-8"}) for i in range(n)]
    for i in range(0, n, step):
        s, _, r = commit(server, "alice", repo, ("header", {"summary": "%s %d" % (tag, i)}), *lines[i:i + step])
        assert s == 200, r
    return r["commitOid"]


def test_a_large_commit_is_one_pack(server, repo, git):
    n, packs = loose(server, repo)
    head = many_files(server, repo, "whole", 400, step=400)
    after, packs = loose(server, repo)
    assert after - n < 150 and len([p for p in packs if p.endswith(".pack")]) == 1, (n, after, packs)
    at = git.clone(repo)
    git.run("fsck", "--strict", cwd=at)
    assert git.head(at) == head and (at / "whole" / "3" / "0399").read_text() == "whole 399"


@pytest.mark.release_only
def test_loose_objects_are_packed_under_readers_and_writers(make_server, tmp_path):
    s = make_server("review: {hold_ms: 0}\n")
    s.user("alice")
    repo = "alice/loose"
    s.cli("repo", "create", repo)
    wrong, stop = [], threading.Event()
    head = many_files(s, repo, "first", 200)

    def read(k):
        i = k
        while not stop.is_set():
            i = (i + 7) % 200
            st, _, b = s.http("GET", "/api/models/%s/tree/%s/first%%2F%d" % (repo, head, i % 9))
            raw, _, body = s.http("GET", "/%s/raw/%s/first/%d/%04d" % (repo, head, i % 9, i))
            if st != 200 or raw not in (200, 503) or (raw == 200 and body != b"first %d" % i):
                wrong.append((st, raw, body[:80]))

    def write():
        i = 0
        while not stop.is_set():
            st, _, r = commit(s, "alice", repo, ("header", {"summary": "w%d" % i}), ("file", {"path": "w/%d" % i, "content": "w%d" % i}))
            i += 1
            if st != 200:
                wrong.append((st, r))
        wrote.append(i)

    wrote = []
    threads = [threading.Thread(target=read, args=(k,)) for k in range(3)] + [threading.Thread(target=write)]
    [t.start() for t in threads]
    try:
        for k in range(2):
            many_files(s, repo, "burst%d" % k, 1500)
        end = time.time() + 60
        while loose(s, repo)[0] > 2200 and time.time() < end:
            time.sleep(0.2)
    finally:
        stop.set()
        [t.join() for t in threads]
    n, packs = loose(s, repo)
    assert not wrong, wrong[:3]
    assert n < 3500 and [p for p in packs if p.endswith(".pack")], (n, packs)
    assert "git.tidied" in s.tail(3000000)
    for k in range(2):
        assert len(get_json(s, "/api/models/%s/tree/main/burst%d?recursive=true" % (repo, k))) >= 1000
    assert len([e for e in get_json(s, "/api/models/%s/tree/main/w" % repo) if e["type"] == "file"]) == wrote[0]
    p = s.cli("fsck", check=False)
    assert p.returncode == 0, p.stdout[-2000:]


@pytest.mark.release_only
def test_killed_while_packing_loses_nothing(make_server):
    s = make_server("review: {hold_ms: 0}\nlog: {level: warn}\n")
    s.user("alice")
    repo = "alice/packkill"
    s.cli("repo", "create", repo)
    made = []
    for k, wait in enumerate((0.02, 0.2, 0.6)):
        made.append((many_files(s, repo, "k%d" % k, 1200, step=90 if k else 1200), "k%d" % k))
        time.sleep(wait)
        s.kill()
        s.start()
    for oid, tag in made:
        assert len(get_json(s, "/api/models/%s/tree/%s/%s?recursive=true&limit=1000" % (repo, oid, tag))) == 1000
    many_files(s, repo, "last", 10)
    end = time.time() + 60
    while loose(s, repo)[0] > 2600 and time.time() < end:
        time.sleep(0.2)
    n, packs = loose(s, repo)
    assert n < 2600 and not [p for p in packs if p.startswith(("tmp_", ".tmp-"))], (n, packs)
    p = s.cli("fsck", "--deep", check=False)
    assert p.returncode == 0, p.stdout[-2000:]
