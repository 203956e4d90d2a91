-- SPDX-License-Identifier: Apache-2.0
-- Deployments: what is wanted (written by the API and the command line) and what is (written by the supervisor).
CREATE TABLE deployment (
  id           INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: it names folders
  model        TEXT NOT NULL,                     -- the name clients ask the gateway for
  repo_id      INTEGER NOT NULL,
  commit_oid   TEXT NOT NULL,
  file         TEXT NOT NULL,                     -- '' = the whole revision as a folder
  engine       TEXT NOT NULL,
  replicas     INTEGER NOT NULL,
  wanted       INTEGER NOT NULL DEFAULT 1,        -- 0: to be stopped and forgotten
  created_by   INTEGER NOT NULL,
  created_ms   INTEGER NOT NULL,
  state        TEXT NOT NULL DEFAULT 'pending',   -- pending starting ready draining stopped failed
  detail       TEXT NOT NULL DEFAULT '',
  ready        INTEGER NOT NULL DEFAULT 0,        -- replicas that answer
  ready_ms     INTEGER NOT NULL DEFAULT 0,        -- first replica ready since
  restarts     INTEGER NOT NULL DEFAULT 0,
  memory_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX deployment_model ON deployment (model) WHERE wanted = 1;
-- Engine processes that were started, so that a later server can end those an earlier one could not.
CREATE TABLE engine_process (
  pid           INTEGER PRIMARY KEY,
  start_ticks   INTEGER NOT NULL,                 -- field 22 of /proc/PID/stat: tells the process from a later one
  deployment_id INTEGER NOT NULL,
  replica       INTEGER NOT NULL
);
