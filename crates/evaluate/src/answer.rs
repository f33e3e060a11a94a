//! What a strategy answers, and what the answer is worth.

use fulcrum_domain::{BatchSize, Hertz, ModeId, Plan, Seconds, Watts};

/// What a strategy says of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Here is a plan.
    Solved,
    /// There is no plan.
    Infeasible,
    /// No plan was found.
    Unsolved,
}

impl Status {
    /// `solved`, `infeasible` or `unsolved`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Solved => "solved",
            Self::Infeasible => "infeasible",
            Self::Unsolved => "unsolved",
        }
    }
}

/// The plan that a strategy answers with, and what it promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The power mode.
    pub mode: ModeId,
    /// The urgent workload's batch size.
    pub batch_size: Option<BatchSize>,
    /// Background minibatches in a cycle, when two workloads take turns.
    pub minibatches_per_cycle: Option<f64>,
    /// The background workload's throughput.
    pub throughput: Option<Hertz>,
    /// The longest a request waits.
    pub latency: Option<Seconds>,
    /// The largest power drawn.
    pub power: Watts,
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// A plan that meets every budget in truth, and how much worse than the optimum it is.
    Solved {
        /// 1 − θ/θₒ of what the plan delivers; the excess of time for training alone, of latency
        /// for inference alone.
        loss: f64,
    },
    /// A plan that misses a budget in truth (or rests on a row that the table does not have).
    Violating,
    /// No plan, though one exists: "unsolved" or, wrongly, "infeasible".
    Unsolved,
    /// "Infeasible", and rightly so.
    Infeasible,
    /// No plan, and none exists, but the strategy could not say so.
    Undecided,
}

/// A strategy's answer to a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// What it says.
    pub status: Status,
    /// Its plan.
    pub choice: Option<Choice>,
    /// Distinct power modes measured for it; for a front, by the front.
    pub modes: usize,
    /// Measurements made for it; for a front, by the front.
    pub measurements: usize,
    /// Time of computing, in microseconds, without measuring.
    pub solve_us: f64,
    /// What it is worth.
    pub verdict: Verdict,
    /// The background workload's throughput in truth; zero without a plan that holds.
    pub delivered: Hertz,
}

impl From<&Plan> for Choice {
    fn from(plan: &Plan) -> Self {
        Self {
            mode: plan.point.mode,
            batch_size: plan.point.batch_size(),
            minibatches_per_cycle: plan.promise.minibatches_per_cycle,
            throughput: plan.promise.throughput,
            latency: plan.promise.latency,
            power: plan.promise.power,
        }
    }
}
