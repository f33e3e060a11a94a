//! What a search or a front answers: a plan, that there is none, or that none was found.

use crate::alternate::Alternate;
use crate::assessment::{Assessment, OperatingPoint};
use crate::infeasibility::Infeasibility;

/// The power mode, the batch size and the way to alternate that were chosen for a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Where to run, with the profiles that the plan rests on: as they were measured, or, from a
    /// front of noisy readings, as they are believed to be.
    pub point: OperatingPoint,
    /// How the two workloads take turns.
    pub alternate: Alternate,
    /// What the plan promises. Where measurements are noisy this is less than their readings say,
    /// by a guard band.
    pub promise: Assessment,
    /// Whether the profiles were measured or predicted.
    pub evidence: Evidence,
}

/// Where the profiles of a plan come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// Every profile was measured on the board.
    Measured,
    /// At least one profile is a model's prediction.
    Predicted,
}

impl Evidence {
    /// `measured` or `predicted`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Predicted => "predicted",
        }
    }
}

/// The answer to a problem.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A plan that meets every budget.
    Solved(Plan),
    /// There is no such plan.
    Infeasible(Infeasibility),
    /// No such plan was found; there may be one. What is known of the budgets that would work is
    /// said all the same.
    Unsolved(Infeasibility),
}

impl Outcome {
    /// The plan, when there is one.
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Solved(plan) => Some(plan),
            Self::Infeasible(_) | Self::Unsolved(_) => None,
        }
    }

    /// `solved`, `infeasible` or `unsolved`.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Solved(_) => "solved",
            Self::Infeasible(_) => "infeasible",
            Self::Unsolved(_) => "unsolved",
        }
    }
}
