-- At which revision of the fleet a board or a job last changed, so that who follows the fleet reads
-- only what is new to it.

ALTER TABLE boards ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
CREATE INDEX boards_by_revision ON boards (revision);
CREATE INDEX jobs_by_revision ON jobs (revision);
-- Where the board's agent serves its metrics, host:port; empty where it does not.
ALTER TABLE boards ADD COLUMN metrics TEXT NOT NULL DEFAULT '';

-- Whoever changes something holds the count until it is done: a later count is of a later change.
CREATE FUNCTION fleet_row_changed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet'
    RETURNING revision INTO NEW.revision;
  RETURN NEW;
END $$;
DROP TRIGGER boards_changed ON boards;
DROP TRIGGER jobs_changed ON jobs;
CREATE TRIGGER board_changed BEFORE INSERT OR UPDATE ON boards
  FOR EACH ROW EXECUTE FUNCTION fleet_row_changed();
CREATE TRIGGER boards_removed AFTER DELETE ON boards
  FOR EACH STATEMENT EXECUTE FUNCTION fleet_changed();
CREATE TRIGGER job_changed BEFORE INSERT OR UPDATE OF spec, cancelled ON jobs
  FOR EACH ROW EXECUTE FUNCTION fleet_row_changed();
