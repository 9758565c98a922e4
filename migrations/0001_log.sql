-- The log: the only truth. Column names and types of `events` up to `metadata` are those that postgres-es
-- reads, so that its repository works on our table.

-- `position` is dense: 1, 2, 3 ... in commit order. The writer allots it under one advisory lock; it is not
-- an identity column, because numbers of a sequence become visible out of order and have gaps.
-- `payload` and `metadata` are json and not jsonb: jsonb reorders keys, and the audit tree hashes the bytes.
-- The primary key is the position alone, so that the table can be partitioned by ranges of it.
CREATE TABLE events (
    position       bigint      NOT NULL CHECK (position > 0),
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (position)
);

-- One stream in order: within a stream, the order of positions is the order of sequences.
CREATE INDEX events_stream ON events (aggregate_type, aggregate_id, position);

-- Append only, enforced here and not only in the code: history cannot be rewritten by accident.
CREATE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting_history();

-- One row per stream: its version is the optimistic lock, its last position tells who has news.
-- Updated with every append, so pages keep room for HOT updates.
CREATE TABLE streams (
    aggregate_type text   NOT NULL,
    aggregate_id   text   NOT NULL,
    version        bigint NOT NULL CHECK (version > 0),
    last_position  bigint NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
) WITH (fillfactor = 80);

-- Receipts of idempotent commands: the same key of the same actor never makes two events. They never expire.
-- `first_position` is null when the command changed nothing; `last_position` is then the stream's last one.
CREATE TABLE receipts (
    actor          text   NOT NULL,
    key            uuid   NOT NULL,
    input_hash     bytea  NOT NULL,
    aggregate_type text   NOT NULL,
    aggregate_id   text   NOT NULL,
    first_position bigint,
    last_position  bigint NOT NULL,
    PRIMARY KEY (actor, key)
);

-- The log's epochs: a restore to an earlier moment makes positions mean something else, so it begins a new
-- epoch, which clients learn when they connect.
CREATE TABLE log_epochs (
    epoch          uuid        NOT NULL PRIMARY KEY,
    after_position bigint      NOT NULL,
    started_at     timestamptz NOT NULL
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_epochs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting_history();
