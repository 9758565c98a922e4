-- Secrets that people sign in with. They never enter the log; they change in the transaction that appends
-- the event that says so. A schema of its own, so that dumps of the log leave it out.
CREATE SCHEMA credentials;

CREATE TABLE credentials.passwords (
    account uuid NOT NULL PRIMARY KEY,
    hash    text NOT NULL
);

-- Only the SHA-256 of a token is kept: 256 random bits need no slow hash.
CREATE TABLE credentials.sessions (
    session    uuid        NOT NULL PRIMARY KEY,
    account    uuid        NOT NULL,
    token_hash bytea       NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL
);

CREATE INDEX sessions_account ON credentials.sessions (account);
