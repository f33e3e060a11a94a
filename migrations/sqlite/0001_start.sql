-- Times are milliseconds since 1970, by the clock of whoever wrote the row; leaders go by the
-- database's clock alone.

-- Boards that jobs may run on.
CREATE TABLE boards (
  name TEXT PRIMARY KEY,
  -- The agent: unix:///run/fulcrum/agent.sock, http://jetson-7:7600.
  address TEXT NOT NULL,
  labels TEXT NOT NULL,
  -- A table to measure on in place of the agent, for a simulated board; empty for none.
  stand_in TEXT NOT NULL,
  registered_at_ms INTEGER NOT NULL
) STRICT;

-- What was measured: one row for each workload, power mode and batch size on each kind of board.
CREATE TABLE profiles (
  id INTEGER PRIMARY KEY,
  board_model TEXT NOT NULL,
  software TEXT NOT NULL,
  workload TEXT NOT NULL,
  kind TEXT NOT NULL,
  -- What tells one version of a workload from another.
  fingerprint TEXT NOT NULL,
  -- Levels by knob: cpu_cores=8 cpu_khz=1420800.
  mode TEXT NOT NULL,
  batch_size INTEGER NOT NULL,
  minibatch_seconds REAL,
  power_watts REAL,
  relative_error REAL NOT NULL,
  -- Why there is no time and no power.
  failure TEXT,
  peak_temperature_celsius REAL,
  measured_by TEXT NOT NULL,
  measured_at_ms INTEGER NOT NULL,
  -- Contradicted by what was seen since.
  suspect INTEGER NOT NULL,
  CONSTRAINT one_profile UNIQUE
    (board_model, software, workload, kind, fingerprint, mode, batch_size)
) STRICT;

-- Searches, and what came of them.
CREATE TABLE searches (
  id TEXT PRIMARY KEY,
  request_id TEXT UNIQUE,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT,
  message TEXT NOT NULL,
  measurements INTEGER NOT NULL,
  modes INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT;

-- For which workloads on which kind of board the profiles answer every budget.
CREATE TABLE fronts (
  board_model TEXT NOT NULL,
  software TEXT NOT NULL,
  background TEXT NOT NULL,
  urgent TEXT NOT NULL,
  strategy TEXT NOT NULL,
  measurements INTEGER NOT NULL,
  built_at_ms INTEGER NOT NULL,
  PRIMARY KEY (board_model, software, background, urgent)
) STRICT;

-- What is to run.
CREATE TABLE jobs (
  name TEXT PRIMARY KEY,
  spec TEXT NOT NULL,
  -- Counts the changes of the spec.
  generation INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  state TEXT NOT NULL,
  message TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT;

-- Which requests changed something, so that a repeated one changes nothing.
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  what TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;

-- The plans of jobs on boards, the latest of them in force.
CREATE TABLE plans (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
  board TEXT NOT NULL,
  generation INTEGER NOT NULL,
  plan TEXT NOT NULL,
  -- Where it came from: front, profiles or search.
  origin TEXT NOT NULL,
  measurements INTEGER NOT NULL,
  made_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX plans_of_job ON plans (job, board, id);

-- What happened to jobs.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
  board TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  what TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_job ON events (job, id);

-- What a job did on a board in a window of time.
CREATE TABLE windows (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  board TEXT NOT NULL,
  ended_at_ms INTEGER NOT NULL,
  seconds REAL NOT NULL,
  minibatches INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  late_requests INTEGER NOT NULL,
  longest_latency_seconds REAL,
  power_watts REAL
) STRICT;
CREATE INDEX windows_of_job ON windows (job, id);
CREATE INDEX windows_by_time ON windows (ended_at_ms);

-- Who acts, of several that could.
CREATE TABLE leaders (
  role TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  -- Counts the changes of the holder.
  term INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;

-- What an operator has set for all.
CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
