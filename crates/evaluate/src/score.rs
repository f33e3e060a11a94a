//! Scoring: each answer against the true table, and sums over many.

use fulcrum_domain::{Assessment, Hertz, Problem};

use crate::answer::{Answer, Choice, Status, Verdict};
use crate::truth::Optimum;

/// Judges a plan or its absence; also says what throughput the background workload gets in truth.
///
/// `truth` is what the plan's operating point does in truth. The plan fixes how many background
/// minibatches a cycle holds, so it delivers what the true times leave room for, but never more
/// than it planned: a plan made from readings that were too slow does not get faster by it.
pub(crate) fn judge(
    problem: &Problem,
    status: Status,
    choice: Option<&Choice>,
    truth: Option<Assessment>,
    optimum: Option<&Optimum>,
) -> (Verdict, Hertz) {
    let Some(choice) = choice else {
        let verdict = match (optimum, status) {
            (Some(_), _) => Verdict::Unsolved,
            (None, Status::Infeasible) => Verdict::Infeasible,
            (None, _) => Verdict::Undecided,
        };
        return (verdict, Hertz::ZERO);
    };
    let Some((mut truth, optimum)) = truth.filter(Assessment::feasible).zip(optimum) else {
        return (Verdict::Violating, Hertz::ZERO);
    };
    if let (Some(planned), Some(possible), Some(throughput)) =
        (choice.minibatches_per_cycle, truth.minibatches_per_cycle, truth.throughput)
        && planned < possible
    {
        truth.throughput = Some(throughput * (planned / possible));
    }
    let loss = truth.loss(&optimum.best, problem.kind());
    (Verdict::Solved { loss }, truth.throughput.unwrap_or(Hertz::ZERO))
}

/// Sums over the answers of a strategy to many problems, with as many seeds as it was run with.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Answers counted: problems times seeds.
    pub answers: u64,
    /// Of these, to problems for which a plan exists.
    pub feasible: u64,
    /// Plans that meet every budget in truth.
    pub solved: u64,
    /// Plans that do not, to whatever problem.
    pub violating: u64,
    /// Of the plans that do not, those to a problem for which a plan exists.
    pub violating_feasible: u64,
    /// Problems found infeasible, rightly.
    pub rightly_infeasible: u64,
    losses: f64,
    modes: u64,
    measurements: u64,
    solve_us: f64,
    delivered: f64,
    strict_optimum: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, answer: &Answer, optimum: Option<&Optimum>) {
        self.answers += 1;
        self.modes += answer.modes as u64;
        self.measurements += answer.measurements as u64;
        self.solve_us += answer.solve_us;
        let loss = match answer.verdict {
            Verdict::Solved { loss } => {
                self.solved += 1;
                loss
            }
            Verdict::Violating => {
                self.violating += 1;
                self.violating_feasible += u64::from(optimum.is_some());
                1.0
            }
            Verdict::Infeasible => {
                self.rightly_infeasible += 1;
                0.0
            }
            Verdict::Unsolved => 1.0,
            Verdict::Undecided => 0.0,
        };
        if let Some(optimum) = optimum {
            self.feasible += 1;
            self.losses += loss;
            if let (Some(strict), Some(_)) =
                (optimum.strict.throughput, optimum.strict.minibatches_per_cycle)
            {
                self.strict_optimum += strict.get();
                self.delivered += answer.delivered.get();
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.answers += other.answers;
        self.feasible += other.feasible;
        self.solved += other.solved;
        self.violating += other.violating;
        self.violating_feasible += other.violating_feasible;
        self.rightly_infeasible += other.rightly_infeasible;
        self.losses += other.losses;
        self.modes += other.modes;
        self.measurements += other.measurements;
        self.solve_us += other.solve_us;
        self.delivered += other.delivered;
        self.strict_optimum += other.strict_optimum;
    }

    /// The same as if every answer had been given so many times.
    pub(crate) fn times(&self, factor: u64) -> Self {
        let mut product = Self::default();
        (0..factor).for_each(|_| product.merge(self));
        product
    }

    /// Answers without a plan to problems for which one exists.
    pub const fn unsolved(&self) -> u64 {
        self.feasible - self.solved - self.violating_feasible
    }

    /// The share of the feasible problems that were solved; none without any.
    pub fn solved_share(&self) -> Option<f64> {
        share(self.solved as f64, self.feasible)
    }

    /// The share of all problems whose plan misses a budget; a plan for a problem that has none is
    /// among them.
    pub fn violating_share(&self) -> Option<f64> {
        share(self.violating as f64, self.answers)
    }

    /// The mean loss over the feasible problems, where an unsolved one and a violating plan count
    /// as 1.
    pub fn mean_loss(&self) -> Option<f64> {
        share(self.losses, self.feasible)
    }

    /// The share of the infeasible problems that were said to be infeasible.
    pub fn infeasible_share(&self) -> Option<f64> {
        share(self.rightly_infeasible as f64, self.answers - self.feasible)
    }

    /// Mean number of distinct power modes measured; a front's count for each of its problems.
    pub fn mean_modes(&self) -> Option<f64> {
        share(self.modes as f64, self.answers)
    }

    /// Mean number of measurements; a front's count for each of its problems.
    pub fn mean_measurements(&self) -> Option<f64> {
        share(self.measurements as f64, self.answers)
    }

    /// Mean time of computing an answer, in microseconds: of the whole search, or of looking it up
    /// in the front.
    pub fn mean_solve_us(&self) -> Option<f64> {
        share(self.solve_us, self.answers)
    }

    /// What is delivered, as a share of what the best strictly alternating plans deliver (the ratio
    /// of the means); none unless two workloads take turns.
    pub fn of_strict_optimum(&self) -> Option<f64> {
        (self.strict_optimum > 0.0).then(|| self.delivered / self.strict_optimum)
    }
}

fn share(part: f64, of: u64) -> Option<f64> {
    (of > 0).then(|| part / of as f64)
}
