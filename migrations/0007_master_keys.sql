-- Which master key wrapped a key, so that a process with two of them takes the one that fits while all keys are
-- wrapped anew. A number derived from the master key; null in rows from before this column, and in destroyed keys.
ALTER TABLE keys.sealing_keys ADD COLUMN master_id bigint;
ALTER TABLE keys.log_keys ADD COLUMN master_id bigint;

-- Answers at every start whether there is a key that none of the process' master keys opens.
CREATE INDEX sealing_keys_master ON keys.sealing_keys (master_id) WHERE wrapped IS NOT NULL;
