-- SPDX-License-Identifier: Apache-2.0
-- Usage ledger: one row per request that named a known model. Layout and rules: docs/formats/ledger.md.
-- Request ids begin with the time, so rows are appended at the end of the tree.
CREATE TABLE usage_row (
  request_id        TEXT PRIMARY KEY,
  time_ms           INTEGER NOT NULL,          -- end of the request
  user_id           INTEGER NOT NULL,
  token_id          INTEGER NOT NULL,          -- 0 = browser session
  model             TEXT NOT NULL,             -- as the client asked
  target            TEXT NOT NULL,             -- last origin asked; '' = none could be
  provider          TEXT NOT NULL,             -- 'local' for deployments
  stream            INTEGER NOT NULL,
  outcome           TEXT NOT NULL,             -- ok, client_error, exhausted, cut, client_gone
  status            INTEGER NOT NULL,          -- HTTP status given; 499 = the client left
  attempts          INTEGER NOT NULL,
  prompt_tokens     INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  estimated         INTEGER NOT NULL,          -- 1 = counted by us, the upstream reported nothing
  ttft_ms           INTEGER NOT NULL,          -- first content after the request; 0 = none
  duration_ms       INTEGER NOT NULL,
  cost_micros       INTEGER NOT NULL           -- millionths of the configured currency
) WITHOUT ROWID;
