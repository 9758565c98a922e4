-- States of aggregates, so that loading one does not read its whole stream. Disposable: without them streams
-- are replayed. `format` is the version of the state's own shape; a build ignores snapshots of other formats.
-- `position` is that of the event that `version` counts to: a snapshot that does not fit the log is ignored.
CREATE TABLE snapshots (
    aggregate_type text    NOT NULL,
    aggregate_id   text    NOT NULL,
    format         integer NOT NULL,
    version        bigint  NOT NULL,
    position       bigint  NOT NULL,
    state          text    NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
);
