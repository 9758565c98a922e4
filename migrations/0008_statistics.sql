-- No statistics of which streams the events belong to. With them PostgreSQL learns that one stream is most of
-- the log, concludes that events of any stream are never far, and walks the log by position, dropping what is
-- not of the stream, where the index `events_stream` holds the answer: with one busy group of 400,000
-- messages, loading a small stream read all of them (600 ms instead of 0.1). Without statistics it takes
-- every stream for a small part of the log, and its index for the only way, which is right for each of them.
ALTER TABLE events
    ALTER COLUMN aggregate_type SET STATISTICS 0,
    ALTER COLUMN aggregate_id SET STATISTICS 0;
