-- When a role was last taken or kept, so that it does not last too long where the database's clock
-- was put back since.
ALTER TABLE leaders ADD COLUMN taken_at_ms BIGINT NOT NULL DEFAULT 0;

-- History is forgotten by its age.
CREATE INDEX plans_by_time ON plans (made_at_ms);
CREATE INDEX events_by_time ON events (at_ms);
CREATE INDEX requests_by_time ON requests (at_ms);
