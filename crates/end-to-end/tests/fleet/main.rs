//! Jobs on a fleet of real processes over a real Postgres.

#![expect(clippy::unwrap_used, reason = "what a test starts is there")]
#![expect(clippy::print_stderr, reason = "seeds are to be seen")]

mod clocks;
mod disks;
mod faults;
mod jobs;
mod network;
mod rig;
mod told;
mod watched;
mod workers;
