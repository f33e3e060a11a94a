//! The boards that need nothing but their name.

use crate::profiler::Profiler;
use crate::simulated::SimulatedOrin;

/// Finds a board by its name; everything random about it follows from the seed.
///
/// # Errors
/// When there is none of that name.
pub fn board_named(name: &str, seed: u64) -> Result<Box<dyn Profiler>, UnknownBoard> {
    match name {
        SimulatedOrin::NAME => Ok(Box::new(SimulatedOrin::new(seed))),
        _ => Err(UnknownBoard { name: name.to_owned() }),
    }
}

/// The names that [`board_named`] knows.
pub const fn board_names() -> &'static [&'static str] {
    &[SimulatedOrin::NAME]
}

/// A name that no board has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown board `{name}`; known are: {}", board_names().join(", "))]
pub struct UnknownBoard {
    /// The name.
    pub name: String,
}
