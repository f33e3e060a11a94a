//! Everything that is said about one problem's answer.

use fulcrum_domain::{
    Alternate, BatchSize, Explanation, ModeSpace, Outcome, Plan, Problem, Profiles, explain,
};
use fulcrum_search::GUARD_SIGMAS;

use crate::measuring::Cost;
use crate::verified::Verified;

/// The answer to one problem, with what it rests on and what it cost.
pub(crate) struct Answer<'a> {
    /// The board's power modes.
    pub(crate) space: &'a ModeSpace,
    /// What was asked.
    pub(crate) problem: &'a Problem,
    /// Which strategy answered.
    pub(crate) strategy: &'a str,
    /// What everything random followed from.
    pub(crate) seed: u64,
    /// How the workloads take turns.
    pub(crate) alternate: Alternate,
    /// The size of the background workload's minibatches.
    pub(crate) background_batch: BatchSize,
    /// What was answered.
    pub(crate) outcome: &'a Outcome,
    /// What was measured.
    pub(crate) profiles: &'a Profiles,
    /// What the search spent.
    pub(crate) cost: &'a Cost,
    /// What the plan does in virtual time, where that was asked for.
    pub(crate) verified: Option<Verified>,
}

impl Answer<'_> {
    /// Why a plan was chosen.
    pub(crate) fn explanation(&self, plan: &Plan) -> Explanation {
        explain(self.problem, plan, self.profiles, GUARD_SIGMAS)
    }
}
