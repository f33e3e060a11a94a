//! The words of Fulcrum and their arithmetic.
//!
//! A [`ModeSpace`] spans the power modes of a board. A [`Problem`] says which workloads have to run
//! there and which budgets must hold. A [`Profile`] is one [`Measurement`] of a workload; the
//! profiles of a mode make an [`OperatingPoint`], which [`Problem::assess`] holds against the
//! budgets. An [`Outcome`] is the answer: a [`Plan`], or an [`Infeasibility`] that says what would
//! work instead. A [`Front`] keeps the operating points that answer every later problem.
//!
//! Everything here is pure: no clock, no file, no network, no randomness.

mod alternate;
mod assessment;
mod explanation;
mod front;
mod infeasibility;
mod knob;
mod mode_space;
mod outcome;
mod problem;
mod profiles;
mod reading;
mod setting;
mod units;
mod workload;

pub use alternate::{Alternate, Turns, UnknownAlternate};
pub use assessment::{Assessment, OperatingPoint};
pub use explanation::{Binding, Explanation, Margin, explain};
pub use front::Front;
pub use infeasibility::{Basis, Infeasibility, Remedy};
pub use knob::{Knob, KnobError};
pub use mode_space::{ModeId, ModeSpace, ModeSpaceError, PowerMode};
pub use outcome::{Evidence, Outcome, Plan};
pub use problem::{Budget, BudgetValue, Problem, ProblemError, ProblemKind, Stream};
pub use profiles::Profiles;
pub use reading::{Failure, Reading};
pub use setting::Setting;
pub use units::{Hertz, Seconds, UnitError, Watts};
pub use workload::{BatchSize, Measurement, Profile, Role, UnknownKind, Workload, WorkloadKind};
