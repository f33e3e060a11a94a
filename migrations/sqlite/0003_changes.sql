-- At which revision of the fleet a board or a job last changed, so that who follows the fleet reads
-- only what is new to it.

ALTER TABLE boards ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE INDEX boards_by_revision ON boards (revision);
CREATE INDEX jobs_by_revision ON jobs (revision);
-- Where the board's agent serves its metrics, host:port; empty where it does not.
ALTER TABLE boards ADD COLUMN metrics TEXT NOT NULL DEFAULT '';

DROP TRIGGER board_added;
DROP TRIGGER board_changed;
DROP TRIGGER job_added;
DROP TRIGGER job_changed;
CREATE TRIGGER board_added AFTER INSERT ON boards BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
  UPDATE boards SET revision = (SELECT revision FROM revisions WHERE name = 'fleet')
    WHERE name = NEW.name;
END;
CREATE TRIGGER board_changed AFTER UPDATE OF address, labels, stand_in, simulate, metrics ON boards
BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
  UPDATE boards SET revision = (SELECT revision FROM revisions WHERE name = 'fleet')
    WHERE name = NEW.name;
END;
CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
  UPDATE jobs SET revision = (SELECT revision FROM revisions WHERE name = 'fleet')
    WHERE name = NEW.name;
END;
CREATE TRIGGER job_changed AFTER UPDATE OF spec, cancelled ON jobs BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
  UPDATE jobs SET revision = (SELECT revision FROM revisions WHERE name = 'fleet')
    WHERE name = NEW.name;
END;
