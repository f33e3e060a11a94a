//! What a measurement gave: a profile, or why there is none.

use crate::workload::Profile;

/// Why a measurement gave no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// The workload ended before the measurement did.
    #[error("the workload crashed")]
    Crashed,
    /// The workload does not fit into memory at this batch size.
    #[error("the workload ran out of memory")]
    OutOfMemory,
    /// The board did not hold the mode.
    #[error("the board throttled")]
    Throttled,
    /// The measurement did not end in time.
    #[error("the measurement timed out")]
    TimedOut,
    /// There is nothing to measure: a recorded table has no such row.
    #[error("there is no recorded profile")]
    Unavailable,
}

/// What a measurement gave.
pub type Reading = Result<Profile, Failure>;
