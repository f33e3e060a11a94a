-- What the scheduler keeps of boards, so that every replica can tell it and any can take over.

-- By this the lease of a board is known to whichever replica leads.
ALTER TABLE boards ADD COLUMN lease_id TEXT NOT NULL DEFAULT '';
-- Whether the board runs the workers of its job by itself: a simulated one can.
ALTER TABLE boards ADD COLUMN simulate BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE boards SET lease_id = replace(CAST(gen_random_uuid() AS TEXT), '-', '');

-- How boards stand. No key leads to boards: what is said of one that has just gone is no error.
CREATE TABLE board_states (
  board TEXT PRIMARY KEY,
  -- The job that it has; empty for none.
  job TEXT NOT NULL,
  state TEXT NOT NULL,
  message TEXT NOT NULL,
  model TEXT NOT NULL,
  software TEXT NOT NULL,
  -- The power budget that the plan in force was made for.
  budget_watts DOUBLE PRECISION,
  updated_at_ms BIGINT NOT NULL
);

-- Counts changes, so that looking for one costs a single row: of what is wanted (fleet), which the
-- triggers below count, and of what is measured (profiles), which the store counts once a call.
CREATE TABLE revisions (
  name TEXT PRIMARY KEY,
  revision BIGINT NOT NULL
);
INSERT INTO revisions VALUES ('fleet', 1), ('profiles', 1);

CREATE FUNCTION fleet_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
  RETURN NULL;
END $$;
CREATE TRIGGER boards_changed AFTER INSERT OR UPDATE OR DELETE ON boards
  FOR EACH STATEMENT EXECUTE FUNCTION fleet_changed();
CREATE TRIGGER jobs_changed AFTER INSERT OR UPDATE OF spec, cancelled ON jobs
  FOR EACH STATEMENT EXECUTE FUNCTION fleet_changed();
CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE ON settings
  FOR EACH STATEMENT EXECUTE FUNCTION fleet_changed();
