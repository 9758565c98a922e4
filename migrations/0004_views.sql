-- Views live in a schema of their own: everything in it can be dropped and is built again from the log.
-- Each view makes its own tables when it first runs; their names carry the view's version.
CREATE SCHEMA views;

-- How far each projection has read the log. Moved in the transaction that changes its tables.
CREATE TABLE views.checkpoints (
    projection text        NOT NULL PRIMARY KEY,
    position   bigint      NOT NULL,
    updated_at timestamptz NOT NULL
);
