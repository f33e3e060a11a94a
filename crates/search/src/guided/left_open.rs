//! What may still hold a plan where the belief sees next to none.

use std::collections::BTreeSet;

use fulcrum_domain::{
    Alternate, BatchSize, Measurement, ModeId, OperatingPoint, Profile, Role, Seconds, Watts,
};

use super::explorer::{Explorer, usable_batches};
use super::value::Judge;
use crate::task::GUARD_SIGMAS;

impl Explorer {
    /// The likeliest measurement of what neither a failure nor a bound rules out, where the
    /// allowance pays for all of that; none where it does not, or where all is ruled out.
    ///
    /// So a board with few modes is never given up on the word of a model.
    pub(super) fn left_open(&self, judge: &Judge) -> Option<Measurement> {
        let room_for_modes = self.allowance.modes.saturating_sub(self.log.modes());
        let room = self.allowance.measurements.saturating_sub(self.log.measurements());
        let mut wanted: BTreeSet<Measurement> = BTreeSet::new();
        let mut new: BTreeSet<ModeId> = BTreeSet::new();
        let mut likeliest: Option<(f64, (usize, usize))> = None;
        for batch in usable_batches(self.setting(), judge.problem()) {
            for mode in 0..self.belief.prior().modes.len() {
                let Some(missing) = self.missing(judge, mode, batch) else { continue };
                if missing.is_empty() || !self.could_work(judge, mode, batch) {
                    continue;
                }
                new.extend(missing.iter().map(|m| m.mode).filter(|&mode| !self.log.visited(mode)));
                wanted.extend(missing);
                if new.len() > room_for_modes || wanted.len() > room {
                    return None;
                }
                let feasible = judge.feasible(&self.belief, mode, batch, 0.0).unwrap_or(0.0);
                if likeliest.is_none_or(|(most, _)| feasible > most) {
                    likeliest = Some((feasible, (mode, batch)));
                }
            }
        }
        let (_, (mode, batch)) = likeliest?;
        self.next_half(judge, mode, batch)
    }

    /// Whether an operating point could meet the budgets if raising a knob never slows a workload
    /// and never saves power.
    fn could_work(&self, judge: &Judge, mode: usize, batch: usize) -> bool {
        let id = self.belief.prior().modes[mode];
        let size = self.setting().urgent_batches.get(batch).copied().unwrap_or(BatchSize::ONE);
        let roles = judge.problem().roles();
        let bound = |role| roles.contains(&role).then(|| self.bound(id, role, size));
        let point = OperatingPoint {
            mode: id,
            background: bound(Role::Background),
            urgent: bound(Role::Urgent).map(|profile| (size, profile)),
        };
        // Feasibility is the same for both ways to alternate.
        let found = judge.problem().assess(Alternate::Strict, &point);
        found.is_some_and(|found| found.feasible())
    }

    /// No faster than any mode that is at least as high, no less hungry than any that is at most as
    /// high.
    fn bound(&self, mode: ModeId, role: Role, size: BatchSize) -> Profile {
        let space = &self.setting().space;
        let size = self.setting().measurement(mode, role, size).batch_size;
        let (mut minibatch, mut power) = (Seconds::new(1e-9), Watts::ZERO);
        for (measurement, profile) in self.log.profiles().iter() {
            if measurement.role != role || measurement.batch_size != size {
                continue;
            }
            let profile = profile.guarded(-GUARD_SIGMAS);
            if space.at_most(mode, measurement.mode) {
                minibatch = minibatch.max(profile.minibatch);
            }
            if space.at_most(measurement.mode, mode) {
                power = power.max(profile.power);
            }
        }
        Profile::exact(minibatch, power)
    }
}
