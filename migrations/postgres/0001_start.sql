-- Times are milliseconds since 1970, by the clock of whoever wrote the row; leaders go by the
-- database's clock alone.

-- Boards that jobs may run on.
CREATE TABLE boards (
  name TEXT PRIMARY KEY,
  -- The agent: unix:///run/fulcrum/agent.sock, http://jetson-7:7600.
  address TEXT NOT NULL,
  labels JSONB NOT NULL,
  -- A table to measure on in place of the agent, for a simulated board; empty for none.
  stand_in TEXT NOT NULL,
  registered_at_ms BIGINT NOT NULL
);

-- What was measured: one row for each workload, power mode and batch size on each kind of board.
CREATE TABLE profiles (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  board_model TEXT NOT NULL,
  software TEXT NOT NULL,
  workload TEXT NOT NULL,
  kind TEXT NOT NULL,
  -- What tells one version of a workload from another.
  fingerprint TEXT NOT NULL,
  -- Levels by knob: cpu_cores=8 cpu_khz=1420800.
  mode TEXT NOT NULL,
  batch_size BIGINT NOT NULL,
  minibatch_seconds DOUBLE PRECISION,
  power_watts DOUBLE PRECISION,
  relative_error DOUBLE PRECISION NOT NULL,
  -- Why there is no time and no power.
  failure TEXT,
  peak_temperature_celsius DOUBLE PRECISION,
  measured_by TEXT NOT NULL,
  measured_at_ms BIGINT NOT NULL,
  -- Contradicted by what was seen since.
  suspect BOOLEAN NOT NULL,
  CONSTRAINT one_profile UNIQUE
    (board_model, software, workload, kind, fingerprint, mode, batch_size)
);

-- Searches, and what came of them.
CREATE TABLE searches (
  id TEXT PRIMARY KEY,
  request_id TEXT UNIQUE,
  spec JSONB NOT NULL,
  state TEXT NOT NULL,
  outcome JSONB,
  message TEXT NOT NULL,
  measurements BIGINT NOT NULL,
  modes BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
);

-- For which workloads on which kind of board the profiles answer every budget.
CREATE TABLE fronts (
  board_model TEXT NOT NULL,
  software TEXT NOT NULL,
  background TEXT NOT NULL,
  urgent TEXT NOT NULL,
  strategy TEXT NOT NULL,
  measurements BIGINT NOT NULL,
  built_at_ms BIGINT NOT NULL,
  PRIMARY KEY (board_model, software, background, urgent)
);

-- What is to run.
CREATE TABLE jobs (
  name TEXT PRIMARY KEY,
  spec JSONB NOT NULL,
  -- Counts the changes of the spec.
  generation BIGINT NOT NULL,
  cancelled BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  message TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
);

-- Which requests changed something, so that a repeated one changes nothing.
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  what TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);

-- The plans of jobs on boards, the latest of them in force.
CREATE TABLE plans (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job TEXT NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
  board TEXT NOT NULL,
  generation BIGINT NOT NULL,
  plan JSONB NOT NULL,
  -- Where it came from: front, profiles or search.
  origin TEXT NOT NULL,
  measurements BIGINT NOT NULL,
  made_at_ms BIGINT NOT NULL
);
CREATE INDEX plans_of_job ON plans (job, board, id);

-- What happened to jobs.
CREATE TABLE events (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job TEXT NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
  board TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  what TEXT NOT NULL
);
CREATE INDEX events_of_job ON events (job, id);

-- What a job did on a board in a window of time.
CREATE TABLE windows (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job TEXT NOT NULL,
  board TEXT NOT NULL,
  ended_at_ms BIGINT NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  minibatches BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  late_requests BIGINT NOT NULL,
  longest_latency_seconds DOUBLE PRECISION,
  power_watts DOUBLE PRECISION
);
CREATE INDEX windows_of_job ON windows (job, id);
CREATE INDEX windows_by_time ON windows (ended_at_ms);

-- Who acts, of several that could.
CREATE TABLE leaders (
  role TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  -- Counts the changes of the holder.
  term BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL
);

-- What an operator has set for all.
CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value JSONB NOT NULL
);
