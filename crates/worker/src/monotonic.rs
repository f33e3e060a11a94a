//! The clock that the agent and its workers share: `CLOCK_MONOTONIC`, in nanoseconds. All processes
//! of one machine read the same.

use rustix::time::{ClockId, clock_gettime};

/// The present moment, in nanoseconds since the clock began.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The clock began with the machine, so neither part is below zero.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}
