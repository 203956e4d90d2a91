-- SPDX-License-Identifier: Apache-2.0
-- The byte store. Hashes are BLOBs in memory order. Rule: a row stands only for a file that is complete on disk.

CREATE TABLE xorb (
  id           INTEGER PRIMARY KEY,
  hash         BLOB NOT NULL UNIQUE,
  n_chunks     INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,             -- chunk region on disk, without the side index
  raw_bytes    INTEGER NOT NULL,
  created_ms   INTEGER NOT NULL,
  orphan_ms    INTEGER,                      -- since when gc has seen no file that needs it
  doomed       INTEGER NOT NULL DEFAULT 0    -- gc is about to unlink the file; never referenced again
);
CREATE TABLE xet_file (
  id         INTEGER PRIMARY KEY,
  hash       BLOB NOT NULL UNIQUE,           -- Xet file hash; several may stand for one sha256
  sha256     BLOB NOT NULL,                  -- recomputed from the bytes, never a claim
  size       INTEGER NOT NULL,
  n_terms    INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  orphan_ms  INTEGER,                        -- since when gc has seen no repository that names it
  terms      BLOB NOT NULL                   -- docs/formats/xet-file.md
);
CREATE INDEX xet_file_sha ON xet_file (sha256);
CREATE TABLE xet_ref (
  file_id INTEGER NOT NULL,
  xorb_id INTEGER NOT NULL,
  PRIMARY KEY (file_id, xorb_id)
) WITHOUT ROWID;
CREATE INDEX xet_ref_xorb ON xet_ref (xorb_id, file_id);
-- Chunks that may be asked for by global dedup: hash mod 1024 = 0, and the first chunk of every file.
CREATE TABLE xet_chunk (
  hash    BLOB NOT NULL,
  xorb_id INTEGER NOT NULL,
  PRIMARY KEY (hash, xorb_id)
) WITHOUT ROWID;
CREATE INDEX xet_chunk_xorb ON xet_chunk (xorb_id);
