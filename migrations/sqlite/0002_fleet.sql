-- What the scheduler keeps of boards, so that every replica can tell it and any can take over.

-- By this the lease of a board is known to whichever replica leads.
ALTER TABLE boards ADD COLUMN lease_id TEXT NOT NULL DEFAULT '';
-- Whether the board runs the workers of its job by itself: a simulated one can.
ALTER TABLE boards ADD COLUMN simulate INTEGER NOT NULL DEFAULT 0;
UPDATE boards SET lease_id = lower(hex(randomblob(12)));

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
  budget_watts REAL,
  updated_at_ms INTEGER NOT NULL
) STRICT;

-- Counts changes, so that looking for one costs a single row: of what is wanted (fleet), which the
-- triggers below count, and of what is measured (profiles), which the store counts once a call.
CREATE TABLE revisions (
  name TEXT PRIMARY KEY,
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO revisions VALUES ('fleet', 1), ('profiles', 1);

CREATE TRIGGER board_added AFTER INSERT ON boards BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
END;
CREATE TRIGGER board_changed AFTER UPDATE ON boards BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
END;
CREATE TRIGGER board_removed AFTER DELETE ON boards BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
END;
CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
END;
CREATE TRIGGER job_changed AFTER UPDATE OF spec, cancelled ON jobs BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
END;
CREATE TRIGGER setting_added AFTER INSERT ON settings BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
END;
CREATE TRIGGER setting_changed AFTER UPDATE ON settings BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE name = 'fleet';
END;
