# SPDX-License-Identifier: Apache-2.0
"""The generated authorisation test: every route of the running server x every kind of caller.

The routes come from /api/ballast/openapi.json, which is generated from the route table: a route that is added is
tested without anybody thinking of it. Where the class allows the caller, the answer must not be a refusal (the
handler may still dislike the empty body); where it does not, status and headers must be exactly the policy's
(hf-wire.md §2.1). Bodies are empty objects, names are of nothing that exists except the repositories under test, so
that walking the table changes nothing it depends on.
"""
import difflib
import http.client
import json
import re
import subprocess
import time
import urllib.parse

import pytest

BAD = "Invalid credentials in Authorization header"
WHO = ["anonymous", "other", "reader", "writer", "owner", "owner_read", "admin", "admin_read", "reviewer", "revoked", "session_plain", "session_csrf"]
KINDS = {"model": "models", "dataset": "datasets", "space": "spaces"}
# Refuse wrong names and passwords by design: 401 there is no matter of authorisation.
SIGN_IN = {"/api/ballast/session", "/sign-in"}
# Takes a CAS token that is not ours to check, and throws away what it is told: nothing to protect.
OPEN_SIGNED = {"/v1/telemetry"}

# What each class says to each caller: ok, or the expected refusal.
_ALL = dict.fromkeys(WHO, "ok")
TABLE = {
    "public": dict(_ALL, revoked="bad", session_plain="ok"),
    "user": dict(_ALL, anonymous="unauthorized", revoked="bad", session_plain="csrf"),
    "user_write": dict(_ALL, anonymous="unauthorized", owner_read="forbidden", admin_read="forbidden", revoked="bad", session_plain="csrf"),
    "repo_read": dict(_ALL, anonymous="hidden", other="hidden", revoked="bad", session_plain="csrf"),
    "repo_write": dict(_ALL, anonymous="hidden", other="hidden", reader="forbidden", reviewer="forbidden", owner_read="forbidden", admin_read="forbidden",
                       revoked="bad", session_plain="csrf"),
    "repo_admin": dict(_ALL, anonymous="hidden", other="hidden", reader="forbidden", reviewer="forbidden", writer="forbidden", owner_read="forbidden",
                       admin_read="forbidden", revoked="bad", session_plain="csrf"),
    "site_admin": dict(dict.fromkeys(WHO, "forbidden"), anonymous="unauthorized", admin="ok", revoked="bad"),
    "reviewer": dict(dict.fromkeys(WHO, "forbidden"), anonymous="unauthorized", admin="ok", reviewer="ok", revoked="bad"),
    "infer": dict(_ALL, anonymous="unauthorized", revoked="bad", session_plain="csrf"),
    "signed": dict.fromkeys(WHO, "signed"),
}


class World:
    def __init__(self, server):
        self.server = server
        self.host = server.url.split("//")[1]
        self.secret, self.headers, self.conns = {}, {"anonymous": {}}, {}
        for name, flags, role in (("boss", ["--admin"], "admin"), ("olga", [], "admin"), ("wanda", [], "write"), ("rhea", [], "write"), ("otto", [], "admin"),
                                  ("vera", ["--reviewer"], "write")):
            server.user(name, *flags, role=role)
        server.cli("org", "add", "acme", "--owner", "olga")
        for user, role in (("wanda", "write"), ("rhea", "read"), ("vera", "read")):
            server.cli("org", "member", "acme", user, "--role", role)
        for who, user in (("admin", "boss"), ("owner", "olga"), ("writer", "wanda"), ("reader", "rhea"), ("other", "otto"), ("reviewer", "vera")):
            self.secret[who] = server.tokens[user]
        self.secret["owner_read"] = server.token("olga", "read")
        self.secret["admin_read"] = server.token("boss", "read")
        self.secret["revoked"] = server.token("olga", "admin", "--name", "gone")
        row = next(t for t in json.loads(server.cli("token", "list", "olga", "--json").stdout) if t["name"] == "gone")
        server.cli("token", "revoke", str(row["id"]))
        for who, secret in self.secret.items():
            self.headers[who] = {"Authorization": "Bearer " + secret}
        self.sessions()
        assert server.http("POST", "/api/repos/create", "olga", {"name": "pub", "organization": "acme"})[0] == 200
        for kind in KINDS:
            body = {"name": "zqxa", "organization": "acme", "type": kind, "private": True}
            if kind == "space":
                body["sdk"] = "static"
            status, _, text = server.http("POST", "/api/repos/create", "olga", body)
            assert status == 200, text

    def sessions(self):
        made = json.loads(self.server.cli("user", "add", "sam", "--json", "--password-stdin", stdin="long enough\n").stdout)
        assert "password" not in made
        self.server.cli("org", "member", "acme", "sam", "--role", "admin")
        self.sign_in()

    def sign_in(self):
        status, h, text = self.server.http("POST", "/api/ballast/session", body={"name": "sam", "password": "long enough"})
        assert status == 201, text
        cookie = h["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
        self.headers["session_plain"] = {"Cookie": cookie.split(";")[0]}
        self.headers["session_csrf"] = dict(self.headers["session_plain"], **{"X-CSRF-Token": json.loads(text)["csrf"]})

    def send(self, who, method, path, headers, body):
        """One request on the caller's own connection: (status, headers, text)."""
        h = dict(self.headers[who], **headers)
        for attempt in (1, 2):
            conn = self.conns.get(who)
            if conn is None:
                conn = self.conns[who] = http.client.HTTPConnection(self.host, timeout=60)
            try:
                conn.request(method, path, body=body, headers=h)
                r = conn.getresponse()
                text = r.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
                conn.close()
                self.conns[who] = None
                if attempt == 2:
                    raise
        if r.will_close:
            conn.close()
            self.conns[who] = None
        return r.status, r.headers, text


@pytest.fixture(scope="module")
def world(make_server):
    w = World(make_server())
    status, _, text = w.server.http("GET", "/api/ballast/openapi.json")
    assert status == 200
    w.doc = json.loads(text)
    assert w.doc["openapi"].startswith("3.1")
    w.routes = [(m.upper(), p, op) for p, item in w.doc["paths"].items() for m, op in item.items()]
    assert len(w.routes) > 150
    return w


def concrete(path, op, repo="zqxa", ns="acme"):
    """The path with its parameters filled in; things named by number or hash do not exist."""
    on_repo = op["x-ballast-auth"].startswith("repo_") or op["x-ballast-auth"] == "reviewer"
    values = {
        "ns": ns if on_repo else "no-such-org", "name": repo, "type": KINDS[op.get("x-ballast-repo", "model")], "rev": "main", "path": ".gitattributes", "owner": "acme", "org": "no-such-org",
        "member": "no-such-user", "token": "999999999", "session": "00000000deadbeef", "hash": "ab" * 32, "oid": "ab" * 32, "prefix": "default", "inst": "x", "repo": "1", "model": "pub",
        "tag": "latest", "seq": "1", "id": "999999", "file": "none.css", "rest": "verify",
    }
    if "/branch/" in path or "/tag/" in path:
        values["rev"] = "auth-test"
    return re.sub(r"\{(\w+)\}", lambda m: urllib.parse.quote(values.get(m.group(1), "none"), safe=""), path)


def request_of(method, path, op, **kw):
    url = concrete(path, op, **kw)
    if url.endswith("/info/refs"):
        url += "?service=git-upload-pack"
    headers, body = {}, None
    if method in ("POST", "PUT", "PATCH", "DELETE"):
        html = op["x-ballast-dialect"] == "html"
        headers["Content-Type"] = "application/x-www-form-urlencoded" if html else "application/json"
        body = b"nothing=here" if html else b"{}"
        if path.endswith("/commit/{rev}"):
            headers["Content-Type"], body = "application/x-ndjson", b""
    return url, headers, body


def refused(want, method, op, status, headers, text):
    """None when the answer is the refusal wanted, else what is wrong."""
    d, code, message = op["x-ballast-dialect"], headers.get("X-Error-Code"), headers.get("X-Error-Message")
    if want == "signed":
        return None if status >= 400 or op["x-ballast-pattern"] in OPEN_SIGNED else "a bare token opened a signed route"
    if want == "csrf" or want == "forbidden":
        if status != 403:
            return "expected 403"
        return None if code in (None, "") else "a plain 403 carries the code %s" % code
    if want == "hidden_user":
        if status != 404:
            return "expected 404"
        return None if d != "hf" or code == "RepoNotFound" else "404 without RepoNotFound"
    if d == "html" and want == "hidden" and status == 404:
        return None  # a person gets the same page as for a name that never was, with an offer to sign in
    if status != 401:
        return "expected 401"
    if d in ("git", "lfs") and not (headers.get("WWW-Authenticate") or "").startswith("Basic "):
        return "no Basic challenge"
    if d == "lfs" and not headers.get("LFS-Authenticate"):
        return "no LFS-Authenticate"
    if d == "openai" and json.loads(text)["error"]["code"] != "invalid_api_key":
        return "no invalid_api_key"
    if d != "hf":
        return None
    if want == "bad":
        return None if message == BAD and not code else "expected the literal message and no code"
    if want == "hidden":
        return None if code == "RepoNotFound" else "401 without RepoNotFound"
    return None if not code and message != BAD else "a plain 401 looks like something else"


def allowed(op, path, status, headers, text):
    if status >= 500 and status not in (501, 502, 503):
        return "the server failed"
    if path in SIGN_IN and status == 401:
        return None
    if op["x-ballast-auth"] == "public" and status == 401 and headers.get("X-Error-Code") == "RepoNotFound":
        return None  # "there is no such repository", as the policy says it to nobody in particular
    if status in (401, 403):
        return "refused"
    if headers.get("X-Error-Code") == "RepoNotFound" and op["x-ballast-auth"].startswith("repo_"):
        return "hidden"
    return None


def expectation(who, method, op):
    want = TABLE[op["x-ballast-auth"]][who]
    safe = method in ("GET", "HEAD", "OPTIONS")
    if op["x-ballast-auth"] == "public" and who == "session_plain":
        return "ok"  # as nobody
    if who == "session_plain" and not safe and op["x-ballast-auth"] != "signed":
        return "csrf"
    if want == "csrf":
        want = "ok"
    if want == "hidden" and who == "other":
        return "hidden_user"
    return want


def test_every_route_has_a_class(world):
    for method, path, op in world.routes:
        assert op["x-ballast-auth"] in TABLE, (method, path)
        assert op["x-ballast-name"] and op["summary"]


@pytest.mark.parametrize("who", WHO)
def test_every_route_against(world, who):
    wrong = []
    for method, path, op in sorted(world.routes, key=lambda r: (r[0] == "DELETE", r[1])):
        url, headers, body = request_of(method, path, op)
        want = expectation(who, method, op)
        status, h, text = world.send(who, method, url, headers, body)
        why = allowed(op, path, status, h, text) if want == "ok" else refused(want, method, op, status, h, text)
        if who == "session_csrf" and op["summary"].lower().startswith(("sign out", "end the session")):
            world.sign_in()
        if why:
            wrong.append("%s %s (%s, want %s): %d %s %s — %s" % (method, url, op["x-ballast-auth"], want, status, h.get("X-Error-Code"), h.get("X-Error-Message"), why))
    assert not wrong, "%d answers of %s are wrong\n%s" % (len(wrong), who, "\n".join(wrong[:40]))


@pytest.mark.parametrize("who", ["anonymous", "other"])
def test_hidden_is_like_missing(world, who):
    """A private repository and one that never was give the same answer, but for its name and the request's number."""
    wrong = []
    for method, path, op in world.routes:
        if not op["x-ballast-auth"].startswith("repo_"):
            continue
        seen = []
        for repo in ("zqxa", "zqxb"):
            url, headers, body = request_of(method, path, op, repo=repo)
            status, h, text = world.send(who, method, url, headers, body)
            rid = h.get("X-Request-Id", "?")
            text = text.decode(errors="replace").replace(rid, "ID").replace(repo, "NAME")
            keep = {k: v.replace(repo, "NAME") for k, v in h.items() if k.lower() not in ("x-request-id", "date")}
            seen.append((status, keep, text))
        if seen[0] != seen[1]:
            diff = [d for d in difflib.ndiff(*(("%s\n%s\n%s" % x).split("\n") for x in seen)) if d[0] in "+-"]
            wrong.append("%s %s: %s" % (method, path, "\n".join(diff)))
    assert not wrong, "\n".join(wrong[:10])


def test_first_segments_are_reserved_owner_names(world):
    """Nobody can take an owner name that a route stands on."""
    for word in sorted({p.split("/")[1] for _, p, _ in world.routes if p != "/" and not p.split("/")[1].startswith("{")}):
        for name in (word, word.upper()):
            status, _, text = world.send("admin", "POST", "/api/ballast/users", {"Content-Type": "application/json"}, json.dumps({"name": name}))
            assert status == 422, (name, status, text)


def test_basic_with_token_as_password(world):
    import base64
    for pair in ("anything:" + world.secret["owner"], world.secret["owner"] + ":"):
        h = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        status, _, text = world.send("anonymous", "GET", "/api/whoami-v2", h, None)
        assert status == 200 and json.loads(text)["name"] == "olga"


def test_whoami(world):
    _, _, text = world.send("owner", "GET", "/api/whoami-v2", {}, None)
    me = json.loads(text)
    assert me["type"] == "user" and me["auth"]["accessToken"]["role"] == "admin" and me["orgs"][0]["name"] == "acme"


def test_token_cannot_make_a_stronger_one(world):
    h = {"Content-Type": "application/json"}
    status, _, text = world.send("writer", "POST", "/api/ballast/tokens", h, json.dumps({"name": "up", "role": "admin"}))
    assert status == 403
    status, _, text = world.send("writer", "POST", "/api/ballast/tokens", h, json.dumps({"name": "same", "role": "write"}))
    assert status == 201 and re.fullmatch(r"hf_[0-9A-Za-z]{37}", json.loads(text)["token"])


def test_revocation_by_the_command_line_reaches_the_server(world):
    s = world.server
    secret = s.token("otto", "read", "--name", "brief")
    assert s.http("GET", "/api/whoami-v2", secret)[0] == 200
    row = next(t for t in json.loads(s.cli("token", "list", "otto", "--json").stdout) if t["name"] == "brief")
    s.cli("token", "revoke", str(row["id"]))
    time.sleep(0.05)
    assert s.http("GET", "/api/whoami-v2", secret)[0] == 401


def test_disabled_user(world):
    s = world.server
    s.user("dan")
    assert s.http("GET", "/api/whoami-v2", "dan")[0] == 200
    s.cli("user", "disable", "dan")
    time.sleep(0.05)
    assert s.http("GET", "/api/whoami-v2", "dan")[0] == 401


def test_moved_repository_redirects(world):
    s = world.server
    assert s.http("POST", "/api/repos/create", "olga", {"name": "first", "organization": "acme"})[0] == 200
    status, _, text = s.http("POST", "/api/repos/move", "olga", {"fromRepo": "acme/first", "toRepo": "olga/second", "type": "model"})
    assert status == 200, text
    status, h, _ = s.http("GET", "/api/models/acme/first/tree/main?recursive=true", "olga")
    assert status == 307 and h["Location"] == "/api/models/olga/second/tree/main?recursive=true"
    status, h, _ = s.http("HEAD", "/acme/first/resolve/main/.gitattributes", "olga")
    assert status == 307 and h["Location"] == "/olga/second/resolve/main/.gitattributes"
    status, h, _ = s.http("GET", "/acme/first.git/info/refs?service=git-upload-pack", "olga")
    assert status == 308 and h["Location"].startswith("/olga/second.git/info/refs?service=")


def test_name_of_a_repository_that_went_to_somebody_else_is_burned(world):
    """Whoever still asks for acme/third is led to olga's; nobody may put something else in its place."""
    s = world.server
    assert s.http("POST", "/api/repos/create", "olga", {"name": "third", "organization": "acme"})[0] == 200
    assert s.http("POST", "/api/repos/move", "olga", {"fromRepo": "acme/third", "toRepo": "olga/third", "type": "model"})[0] == 200
    status, _, text = s.http("POST", "/api/repos/create", "wanda", {"name": "THIRD", "organization": "acme"})
    assert status == 409 and "olga" not in text.decode() and "redirects" in json.loads(text)["error"]
    assert s.http("POST", "/api/repos/move", "olga", {"fromRepo": "olga/third", "toRepo": "acme/third", "type": "model"})[0] == 200  # it may come home
    assert s.http("GET", "/api/models/acme/third", "olga")[0] == 200


def test_git_is_challenged(world):
    """git itself, without credentials, is asked for them and says so."""
    p = subprocess.run(["git", "ls-remote", world.server.url + "/acme/zqxa"], capture_output=True, text=True,
                       env=dict(world.server.env, GIT_TERMINAL_PROMPT="0", GIT_ASKPASS="/bin/false"))
    assert p.returncode != 0 and "could not read Username" in p.stderr
    url = world.server.url.replace("://", "://x:" + world.secret["reader"] + "@")
    p = subprocess.run(["git", "ls-remote", url + "/acme/zqxa"], capture_output=True, text=True, env=dict(world.server.env, GIT_TERMINAL_PROMPT="0"))
    assert p.returncode == 0 and "refs/heads/main" in p.stdout, p.stderr


def test_a_private_repository_is_mentioned_nowhere(world):
    """Every GET route, asked by those who may not know it, with the searches that would find it: its name, its commit and
    the names of its files stand in no answer, and no count includes it."""
    s = world.server
    for kind in KINDS:
        body = json.dumps({"key": "header", "value": {"summary": "qwxsummary"}}) + "\n" + json.dumps(
            {"key": "file", "value": {"path": "qwxfile.txt", "content": "cXd4Y29udGVudA==", "encoding": "base64"}})
        status, _, text = s.http("POST", "/api/%ss/acme/zqxa/commit/main" % kind, "olga", body.encode(), {"Content-Type": "application/x-ndjson"})
        assert status == 200, text
    secrets = ["zqxa", "qwxfile", "qwxsummary", json.loads(text)["commitOid"]]
    s.wait_verdict("acme/zqxa")
    n_events = json.loads(s.cli("log", "verify", "--json").stdout)["entries"]
    asked = ["/explore?q=zqxa", "/explore?q=qwxfile", "/acme", "/api/organizations/acme/overview", "/activity?limit=1000", "/metrics"]
    asked += ["/api/%ss%s" % (k, q) for k in KINDS for q in ("", "?search=zqx", "?author=acme", "?author=acme&full=true&limit=1000", "?search=acme/")]
    asked += ["/activity/%d" % n for n in range(1, n_events + 1)]
    for method, path, op in world.routes:
        if method == "GET":
            asked.append(request_of(method, path, op, repo="pub")[0])
    told = {}
    for who in ("anonymous", "other", "reader"):
        for url in dict.fromkeys(asked):
            status, h, text = world.send(who, "GET", url, {}, None)
            seen = text.decode(errors="replace") + str(h)
            own = urllib.parse.unquote(url).lower()
            told.setdefault(who, []).extend("%s: %s" % (url, x) for x in secrets if x in seen and x not in own)
    assert len({t.rsplit(" ", 1)[1] for t in told["reader"]}) == len(secrets)  # to a member all of them are told: the search finds
    assert not told["anonymous"] + told["other"], told["anonymous"] + told["other"]
    for who in ("anonymous", "other"):
        listed = [len(json.loads(world.send(who, "GET", "/api/%s?author=acme" % k, {}, None)[2])) for k in ("models", "datasets")]
        _, _, text = world.send(who, "GET", "/api/organizations/acme/overview", {}, None)
        assert listed[0] >= 1 and listed[1] == 0 and [json.loads(text)[k] for k in ("numModels", "numDatasets")] == listed, text


def test_an_expired_token_is_refused_also_when_it_was_known_before(world):
    import sqlite3
    s = world.server
    secret = s.token("wanda", "write", "--days", "1", "--name", "short")
    ident = next(t["id"] for t in json.loads(s.cli("token", "list", "wanda", "--json").stdout) if t["name"] == "short")
    db = sqlite3.connect(s.data / "ballast.db", timeout=10)
    db.execute("UPDATE token SET expires_ms = ? WHERE id = ?", (int(time.time() * 1000) + 1500, ident))
    db.commit()
    db.close()
    time.sleep(0.1)
    assert s.http("GET", "/api/whoami-v2", secret)[0] == 200  # and now it is in the cache
    time.sleep(1.6)
    status, h, _ = s.http("GET", "/api/whoami-v2", secret)
    assert status == 401 and h["X-Error-Message"] == BAD
    assert s.http("POST", "/v1/chat/completions", secret, {"model": "m", "messages": []})[0] == 401
    url = s.url.replace("://", "://x:" + secret + "@")
    p = subprocess.run(["git", "ls-remote", url + "/acme/zqxa"], capture_output=True, text=True, env=dict(s.env, GIT_TERMINAL_PROMPT="0"))
    assert p.returncode != 0
    row = next(t for t in json.loads(s.cli("token", "list", "wanda", "--json").stdout) if t["id"] == ident)
    assert row["state"] == "expired"
