//! The agent's protocol in Rust.
//!
//! [`v1`] holds the types that are generated from `proto/fulcrum/v1`. The other modules turn them
//! into the words of the domain and the board, and back; what comes from the wire is checked there,
//! and what is wrong is named by its field. [`AgentClient`] speaks to an agent, and [`RemoteBoard`]
//! lets a search measure on one as if it were at hand.

mod address;
mod agent_client;
mod board;
mod caller;
mod malformed;
mod mode_space;
mod outcome;
mod power_mode;
mod problem;
mod profile;
pub mod reason;
mod refusal;
mod remote_board;
mod remote_lease;
mod remote_turns;
mod sample;
mod sensor;
mod span;
mod turns;
mod workload;

pub use address::{Address, AddressError};
pub use agent_client::{
    AgentClient, OptimizerClient, SchedulerClient, TurnClient, caller, connect, connect_both,
    connect_optimizer, connect_scheduler, connect_turns, optimizer_at,
};
pub use board::BoardDescription;
pub use caller::{Caller, call_as};
pub use malformed::Malformed;
pub use mode_space::{mode_space_from_wire, mode_space_to_wire};
pub use outcome::{outcome_to_wire, turn_plan_of};
pub use power_mode::{ModeError, mode_from_wire, mode_to_wire};
pub use problem::{alternate_named, problem_from_wire, problem_to_wire};
pub use profile::{failure_from_wire, failure_kind, profile_from_wire};
pub use reason::{REASONS, Reason};
pub use refusal::{because, broke, code_name, invalid, said};
pub use remote_board::{RemoteBoard, RemoteError, RemoteOptions};
pub use remote_turns::Seen;
pub use sample::{RemoteSample, sample_from_wire, sample_to_wire};
pub use sensor::{
    overrides_to_wire, sensor_from_wire, sensor_to_wire, value_from_wire, value_to_wire,
    values_to_wire,
};
pub use span::{duration_from_wire, duration_to_wire, time_to_wire};
pub use turns::{TurnPlan, alternate_to_wire, pieces_ns, turn_plan_from_wire, turn_plan_to_wire};
pub use workload::{
    kind_from_wire, kind_to_wire, offer_from_wire, offer_to_wire, workload_from_wire,
};

/// The types of the protocol, version 1, generated from `proto/fulcrum/v1`.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("fulcrum.v1");
}

/// The protocol's descriptors, for servers that tell what they offer.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
