-- Keys that seal personal fields, wrapped by the master key, which is not in the database. A schema of its
-- own, so that dumps of the log leave it out: a key that was destroyed must not come back with a backup.
CREATE SCHEMA keys;

-- `key_id` is random, because a number that was counted up could be given twice after a restore.
-- `month` is the first day of the month for conversations, null for accounts.
-- A destroyed key keeps its row with `wrapped` null, so that no new key takes its place.
CREATE TABLE keys.sealing_keys (
    key_id     bigint      NOT NULL PRIMARY KEY,
    owner_kind text        NOT NULL CHECK (owner_kind IN ('account', 'conversation')),
    owner      uuid        NOT NULL,
    month      date,
    wrapped    bytea,
    created_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (owner_kind, owner, month),
    CHECK ((owner_kind = 'conversation') = (month IS NOT NULL))
);

-- Keys of the whole log that are never rotated: of the ids of user names, and of receipts.
CREATE TABLE keys.log_keys (
    name    text  NOT NULL PRIMARY KEY,
    wrapped bytea NOT NULL
);
