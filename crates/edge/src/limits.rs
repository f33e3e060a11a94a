//! How much is let in at a time.

use std::time::Duration;

/// How much is let in at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Connections to each address that is listened at.
    pub connections: usize,
    /// Connections from one address, or of one user of this machine.
    pub connections_each: usize,
    /// Calls of one who calls, a second, in the long run.
    pub calls_a_second: f64,
}

impl Limits {
    /// What is usual for a service of a fleet.
    pub const SERVICE: Self =
        Self { connections: 8192, connections_each: 1024, calls_a_second: 2000.0 };
    /// What is usual for a board's agent, which has little memory.
    pub const AGENT: Self = Self { connections: 128, connections_each: 64, calls_a_second: 200.0 };
}

/// So many times as many calls as a second's may come at once.
pub(crate) const AT_ONCE: f64 = 5.0;
/// So many who call are remembered.
pub(crate) const REMEMBERED: usize = 10_000;
/// So often a second somebody unknown is told why; at once ten times as often.
pub(crate) const STRANGERS: f64 = 50.0;
/// A connection that has not shaken hands by then ends.
pub(crate) const SHAKING_HANDS: Duration = Duration::from_secs(10);
/// A connection over which nothing has gone for so long ends. Over one that is alive something does,
/// because both sides ask each other.
pub(crate) const QUIET: Duration = Duration::from_mins(1);
