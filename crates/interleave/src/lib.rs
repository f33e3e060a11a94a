//! Who may run now: the policy of taking turns on a device that runs one minibatch at a time.
//!
//! [`decide`] is the policy: one function of the moment, the requests that wait, what is known of
//! the minibatches' durations, and what was promised. [`Turns`] keeps that state for workers that
//! come, go, hang and die, and says what to tell them; an agent drives it with the real clock,
//! [`simulate`] with virtual time. [`check`] holds a schedule against what turns promise.
//!
//! Pure: no clock, no thread, no file, no network.

mod agreement;
pub mod check;
mod durations;
mod moment;
mod policy;
pub mod rate;
pub mod simulate;
mod turns;

pub use agreement::{Agreement, Terms};
pub use durations::{Durations, Known};
pub use moment::Moment;
pub use policy::{Background, Decision, Stream, decide};
pub use turns::{Action, Event, Minibatch, Preemption, Ran, Size, Totals, Turns, Worker, WorkerId};
