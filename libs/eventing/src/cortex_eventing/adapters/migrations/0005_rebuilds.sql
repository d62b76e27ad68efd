-- How often a reader's read models were thrown away. A position that goes back says it only to whoever looks in time, and
-- may as well be old news; this number cannot be missed.
ALTER TABLE cortex_checkpoints ADD COLUMN rebuilds bigint NOT NULL DEFAULT 0;
