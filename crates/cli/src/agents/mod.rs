//! Agents of boards: where they are, how they are asked, and how their board is borrowed.

mod address;
mod agent;
mod lease;
mod refusal;
mod status;
mod waiting;

pub(crate) use address::{ManyAgents, OneAgent, address};
pub(crate) use agent::Agent;
pub(crate) use lease::{Lease, holder};
pub(crate) use refusal::{of_lost, of_remote};
pub(crate) use status::{GuardAction, LeaseInfo, ModeReport, OverrideReport, Status};
pub(crate) use waiting::{interrupted, wait_for};
