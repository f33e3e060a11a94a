-- When a role was last taken or kept, so that it does not last too long where the database's clock
-- was put back since.
ALTER TABLE leaders ADD COLUMN taken_at_ms BIGINT NOT NULL DEFAULT 0;

-- History is forgotten by its age.
CREATE INDEX plans_by_time ON plans (made_at_ms);
CREATE INDEX events_by_time ON events (at_ms);
CREATE INDEX requests_by_time ON requests (at_ms);

-- The points of a front, so that an answer reads these and not all profiles that they were chosen
-- from; and as of which revision of the workloads' profiles they were. They are read whole or not at
-- all: as text that takes half the time.
ALTER TABLE fronts ADD COLUMN points TEXT;
ALTER TABLE fronts ADD COLUMN as_of BIGINT;
-- Counts the changes of each workload's profiles, in place of one count for all of them: a search
-- for one pair does not make what is known of the others old.
CREATE TABLE profile_revisions (
  board_model TEXT NOT NULL,
  software TEXT NOT NULL,
  workload TEXT NOT NULL,
  kind TEXT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (board_model, software, workload, kind)
);
INSERT INTO profile_revisions (board_model, software, workload, kind, revision)
  SELECT DISTINCT board_model, software, workload, kind, 1 FROM profiles;
DELETE FROM revisions WHERE name = 'profiles';

-- What was known of other workloads and boards when a search began.
ALTER TABLE searches ADD COLUMN relatives JSONB NOT NULL DEFAULT '[]';
