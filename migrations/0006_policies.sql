-- How far each policy has reacted to the log. A policy reacts at least once to every event: what it does it
-- may do twice, so this table may be behind, and emptying it is safe. Dumps of the log leave the rows out:
-- after a restore the policies read the log again, and a key that came back with an old copy is destroyed anew.
CREATE SCHEMA policies;

CREATE TABLE policies.checkpoints (
    policy     text        NOT NULL PRIMARY KEY,
    position   bigint      NOT NULL,
    updated_at timestamptz NOT NULL
);
