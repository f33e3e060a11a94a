//! The agent as a process: its leases, what it sets and puts back, what it measures, and what
//! happens when it dies.

#![expect(clippy::unwrap_used, reason = "what a test starts is there")]

mod attached;
mod death;
mod garbage;
mod guards;
mod leases;
mod network;
mod plans;
mod process;
mod searching;
mod simulated;
mod sockets;
mod spoken;
mod turns;
