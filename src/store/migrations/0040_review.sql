-- SPDX-License-Identifier: Apache-2.0
-- What the examination of a blob found, before any judgement: a changed rule pack judges these again without reading bytes.
CREATE TABLE review_facts (
  oid     TEXT PRIMARY KEY,                  -- as blob_verdict.oid
  sha256  BLOB NOT NULL,
  bytes   INTEGER NOT NULL,
  facts   TEXT NOT NULL,                     -- JSON, docs/formats/verdict.md
  time_ms INTEGER NOT NULL
) WITHOUT ROWID;
