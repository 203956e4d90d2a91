-- SPDX-License-Identifier: Apache-2.0
-- Running servers cache what a token means; auth_gen moves whenever that may have changed, whoever wrote it
-- (server, command line, or a person with the sqlite3 shell).
INSERT INTO meta (key, value) VALUES ('auth_gen', '1');

CREATE TRIGGER auth_gen_token_changed AFTER UPDATE OF user_id, name, hash, role, expires_ms, revoked_ms ON token BEGIN
  UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'auth_gen';
END;
CREATE TRIGGER auth_gen_token_gone AFTER DELETE ON token BEGIN
  UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'auth_gen';
END;
CREATE TRIGGER auth_gen_owner_changed AFTER UPDATE OF name, fullname, is_admin, is_reviewer, disabled, lang ON owner BEGIN
  UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'auth_gen';
END;

CREATE INDEX session_user ON session (user_id);
