//! The protocol of the tables: generate or read problems, run strategies over a recorded table on
//! every core, score what they answer by the true table, and write it up.
//!
//! [`evaluate_turns`] holds the best plans against virtual time. [`evaluate`] runs everything else; an [`Evaluation`] holds what came of it. How an answer is scored
//! is said at [`Verdict`] and [`Tally`].

mod answer;
mod answering_front;
mod bench;
mod choices;
mod clean;
mod evaluation;
mod group;
mod problems;
mod relatives;
mod report;
mod results;
mod runner;
mod score;
mod settings;
mod summary;
mod truth;
mod turns;

pub use answer::{Answer, Choice, Status, Verdict};
pub use clean::{Implausible, without_implausible_rows};
pub use evaluation::{EvaluateError, Evaluation, evaluate};
pub use group::Group;
pub use problems::{ProblemsError, protocol, read_problems, sample, write_problems};
pub use score::Tally;
pub use settings::Settings;
pub use summary::{Scope, Summary, summary_table, write_summary_table};
pub use truth::{Optimum, Truth};
pub use turns::{TurnsRow, TurnsSettings, a_day_of_turns, evaluate_turns};
