//! Boards behind one trait: whatever workloads can be measured on.

mod board;
mod profile_table;

pub use board::{Board, Offer, Preset, UnknownWorkload, setting};
pub use profile_table::ProfileTable;
