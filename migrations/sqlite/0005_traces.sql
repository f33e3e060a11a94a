-- The trace that a change of a job, and a search, is part of, as W3C's traceparent; empty for none.
ALTER TABLE jobs ADD COLUMN trace TEXT NOT NULL DEFAULT '';
ALTER TABLE searches ADD COLUMN trace TEXT NOT NULL DEFAULT '';
