//! Jobs on a fleet of real processes over a real Postgres.

#![expect(clippy::unwrap_used, reason = "what a test starts is there")]

mod jobs;
