-- SPDX-License-Identifier: Apache-2.0
-- Commits made through the API, by the digest of their body: a body that a client sends again because the answer was
-- lost must not make a second commit. Only the newest per ref matters.
CREATE TABLE hub_commit (
  repo_id    INTEGER NOT NULL,
  ref        TEXT NOT NULL,
  digest     BLOB NOT NULL,                  -- SHA-256 of the request body
  commit_oid TEXT NOT NULL,
  time_ms    INTEGER NOT NULL,
  PRIMARY KEY (repo_id, ref)
) WITHOUT ROWID;
