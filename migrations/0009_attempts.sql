-- How often somebody tried, so that nobody tries without end. In the database because a limit of one process
-- is worth nothing beside a second process, and none is worth anything that a restart lifts. Beside the other
-- secrets, so that dumps of the log leave the rows out; emptying the tables lifts every wait and harms nothing.
--
-- A key is a keyed hash: of an account, of a name that nobody holds, or of an address. A row is worthless from
-- the moment in its last column on, and is deleted by whoever counts next.

-- Wrong secrets in a row: each one more costs a longer wait.
CREATE TABLE credentials.failures (
    key          bytea       NOT NULL PRIMARY KEY,
    failures     integer     NOT NULL,
    locked_until timestamptz NOT NULL,
    forgotten_at timestamptz NOT NULL
);

CREATE INDEX failures_forgotten ON credentials.failures (forgotten_at);

-- How far ahead of time somebody has spent what is allowed per hour (the generic cell rate algorithm).
CREATE TABLE credentials.allowances (
    key         bytea       NOT NULL PRIMARY KEY,
    spent_until timestamptz NOT NULL
);

CREATE INDEX allowances_spent ON credentials.allowances (spent_until);
