-- SPDX-License-Identifier: Apache-2.0
-- Records shared by several rooms. A room's own tables come in its own numbered migrations.
-- Times are Unix milliseconds. Hashes are BLOBs unless said; git ids and verdict oids are lower-case hex TEXT.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE event (
  seq      INTEGER PRIMARY KEY,
  time_ms  INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  actor_id INTEGER NOT NULL,
  repo_id  INTEGER NOT NULL,
  payload  TEXT NOT NULL,
  hash     BLOB NOT NULL
);
CREATE INDEX event_repo ON event (repo_id, seq);
CREATE INDEX event_kind ON event (kind, seq);

CREATE TABLE owner (
  id          INTEGER PRIMARY KEY,
  is_org      INTEGER NOT NULL,
  name        TEXT NOT NULL,
  name_key    TEXT NOT NULL UNIQUE,          -- lower-case
  fullname    TEXT NOT NULL DEFAULT '',
  email       TEXT NOT NULL DEFAULT '',
  password    TEXT NOT NULL DEFAULT '',      -- scrypt$N$r$p$salt$hash, '' = cannot sign in
  is_admin    INTEGER NOT NULL DEFAULT 0,
  is_reviewer INTEGER NOT NULL DEFAULT 0,
  disabled    INTEGER NOT NULL DEFAULT 0,
  lang        TEXT NOT NULL DEFAULT '',
  created_ms  INTEGER NOT NULL
);
CREATE TABLE member (
  org_id  INTEGER NOT NULL REFERENCES owner (id),
  user_id INTEGER NOT NULL REFERENCES owner (id),
  role    INTEGER NOT NULL,                  -- enum role
  PRIMARY KEY (org_id, user_id)
) WITHOUT ROWID;
CREATE INDEX member_user ON member (user_id);

CREATE TABLE token (
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES owner (id),
  name       TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE,           -- SHA-256 of the secret
  hint       TEXT NOT NULL,                  -- "hf_…AbCd"
  role       INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL DEFAULT 0,
  used_ms    INTEGER NOT NULL DEFAULT 0,
  revoked_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX token_user ON token (user_id);

CREATE TABLE session (
  hash       BLOB PRIMARY KEY,               -- SHA-256 of the cookie
  user_id    INTEGER NOT NULL REFERENCES owner (id),
  csrf       TEXT NOT NULL,
  agent      TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  used_ms    INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE repo (
  id         INTEGER PRIMARY KEY,
  type       INTEGER NOT NULL,               -- enum repo_type
  owner_id   INTEGER NOT NULL REFERENCES owner (id),
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  is_private INTEGER NOT NULL DEFAULT 0,
  gated      TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  deleted_ms INTEGER NOT NULL DEFAULT 0,
  downloads  INTEGER NOT NULL DEFAULT 0,
  likes      INTEGER NOT NULL DEFAULT 0,
  head       TEXT NOT NULL DEFAULT '',       -- commit of the default branch as recorded
  card       TEXT NOT NULL DEFAULT '{}',     -- front matter of README.md at head, JSON
  tags       TEXT NOT NULL DEFAULT '[]',
  description TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX repo_name ON repo (type, owner_id, name_key) WHERE deleted_ms = 0;
CREATE INDEX repo_updated ON repo (type, updated_ms);
-- Old names redirect by repository id and are never given to somebody else.
CREATE TABLE repo_alias (
  type     INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  name_key TEXT NOT NULL,
  repo_id  INTEGER NOT NULL,
  PRIMARY KEY (type, owner_id, name_key)
) WITHOUT ROWID;
-- The state of refs as acknowledged; compared with git at start (a crash between the two is repaired from git).
CREATE TABLE repo_ref (
  repo_id INTEGER NOT NULL,
  ref     TEXT NOT NULL,
  oid     TEXT NOT NULL,
  PRIMARY KEY (repo_id, ref)
) WITHOUT ROWID;
-- Which large files a repository may use: possession was proven.
CREATE TABLE repo_file (
  repo_id    INTEGER NOT NULL,
  sha256     BLOB NOT NULL,
  size       INTEGER NOT NULL,
  xet_hash   BLOB NOT NULL,                  -- newest Xet hash of these bytes
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (repo_id, sha256)
) WITHOUT ROWID;
CREATE INDEX repo_file_sha ON repo_file (sha256);
CREATE INDEX repo_file_xet ON repo_file (xet_hash, repo_id);
-- Which git blobs a repository has ever introduced (the gate on git fetch asks it).
CREATE TABLE repo_blob (
  repo_id INTEGER NOT NULL,
  oid     TEXT NOT NULL,
  PRIMARY KEY (repo_id, oid)
) WITHOUT ROWID;

-- Review. oid: 40-hex git blob or 64-hex SHA-256.
CREATE TABLE blob_verdict (
  oid       TEXT PRIMARY KEY,
  verdict   INTEGER NOT NULL,                -- enum verdict
  coverage  INTEGER NOT NULL,
  format    TEXT NOT NULL,
  findings  TEXT NOT NULL,                   -- JSON array
  rule_pack TEXT NOT NULL,
  time_ms   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE verdict_override (
  repo_id    INTEGER NOT NULL,
  oid        TEXT NOT NULL,
  verdict    INTEGER NOT NULL,
  reason     TEXT NOT NULL,
  user_id    INTEGER NOT NULL,
  time_ms    INTEGER NOT NULL,
  statement  TEXT NOT NULL,
  signature  TEXT NOT NULL,
  PRIMARY KEY (repo_id, oid)
) WITHOUT ROWID;
CREATE TABLE revision (
  repo_id     INTEGER NOT NULL,
  commit_oid  TEXT NOT NULL,
  pushed_ms   INTEGER NOT NULL,
  pushed_by   INTEGER NOT NULL,
  verdict     INTEGER NOT NULL DEFAULT 0,    -- 0 = pending
  coverage    INTEGER NOT NULL DEFAULT 0,
  statement   TEXT NOT NULL DEFAULT '',
  signature   TEXT NOT NULL DEFAULT '',
  key_id      TEXT NOT NULL DEFAULT '',
  responsible TEXT NOT NULL DEFAULT '',
  reason      TEXT NOT NULL DEFAULT '',
  decided_ms  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (repo_id, commit_oid)
) WITHOUT ROWID;
CREATE INDEX revision_pending ON revision (verdict, pushed_ms) WHERE verdict = 0;
