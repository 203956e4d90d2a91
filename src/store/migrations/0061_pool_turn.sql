-- SPDX-License-Identifier: Apache-2.0
-- A restart is a wish like any other: whoever may raises the turn, the supervisor starts each replica anew.
ALTER TABLE deployment ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
