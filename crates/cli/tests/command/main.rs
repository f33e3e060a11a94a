//! The command from outside: what it prints, how it ends, what it says of bad input.

mod agents;
mod arguments;
mod bad_tables;
mod doctor;
mod fleets;
mod generated;
mod live_agent;
#[path = "../../../board/tests/measured/mod.rs"]
mod measured;
mod measured_tables;
mod metrics_document;
mod printed;
mod profiles;
mod running;
mod runs;
mod scripted_agent;
mod small_board;
