//! Whether an operating point meets the budgets, and how good it is: the arithmetic of the four
//! problems.

use std::cmp::Ordering;

use crate::alternate::{Alternate, Turns};
use crate::mode_space::ModeId;
use crate::problem::{Budget, Problem, ProblemKind};
use crate::units::{Hertz, Seconds, Watts};
use crate::workload::{BatchSize, Profile, Role};

/// A power mode and a batch size, with the profiles that say what they do. A role that a problem
/// does not have needs no profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// The power mode.
    pub mode: ModeId,
    /// The background workload's profile there.
    pub background: Option<Profile>,
    /// The urgent workload's batch size and profile there.
    pub urgent: Option<(BatchSize, Profile)>,
}

impl OperatingPoint {
    /// The point to plan with when its readings may be too good by `sigmas` standard errors.
    #[must_use]
    pub fn guarded(self, sigmas: f64) -> Self {
        Self {
            background: self.background.map(|profile| profile.guarded(sigmas)),
            urgent: self.urgent.map(|(batch, profile)| (batch, profile.guarded(sigmas))),
            ..self
        }
    }

    /// The urgent workload's batch size.
    pub fn batch_size(&self) -> Option<BatchSize> {
        self.urgent.map(|(batch, _)| batch)
    }

    /// The profile of a role.
    pub fn profile(&self, role: Role) -> Option<Profile> {
        match role {
            Role::Background => self.background,
            Role::Urgent => self.urgent.map(|(_, profile)| profile),
        }
    }
}

/// What an operating point does for a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assessment {
    /// Throughput of the background workload, θ; none when there is none.
    pub throughput: Option<Hertz>,
    /// Background minibatches in a cycle, τ; none unless two workloads take turns.
    pub minibatches_per_cycle: Option<f64>,
    /// The longest a request waits for its answer; none without requests.
    pub latency: Option<Seconds>,
    /// The share of time that the urgent workload takes, α·t/β: above 1 it cannot keep up.
    pub utilisation: Option<f64>,
    /// The largest power drawn.
    pub power: Watts,
    misses: [bool; 3],
}

impl Assessment {
    /// Whether every budget holds.
    pub fn feasible(&self) -> bool {
        !self.misses.contains(&true)
    }

    /// Whether one budget does not hold.
    pub fn misses(&self, budget: Budget) -> bool {
        self.misses[budget as usize]
    }

    /// The budgets that do not hold.
    pub fn missed(&self) -> impl Iterator<Item = Budget> + '_ {
        [Budget::Power, Budget::Latency, Budget::ArrivalRate]
            .into_iter()
            .filter(|budget| self.misses(*budget))
    }

    /// Orders by the problem's objective, the better first: higher throughput, then lower latency,
    /// then lower power. It does not look at the budgets.
    pub fn by_objective(&self, other: &Self) -> Ordering {
        let throughput = |a: &Self| a.throughput.unwrap_or(Hertz::ZERO);
        let latency = |a: &Self| a.latency.unwrap_or(Seconds::ZERO);
        throughput(other)
            .total_cmp(&throughput(self))
            .then_with(|| latency(self).total_cmp(&latency(other)))
            .then_with(|| self.power.total_cmp(&other.power))
    }

    /// How much worse than the optimum, as a share: 1 − θ/θₒ of throughput for two workloads, the
    /// excess of time for training alone, the excess of latency for inference alone.
    pub fn loss(&self, optimum: &Self, kind: ProblemKind) -> f64 {
        match (kind, self.throughput, optimum.throughput, self.latency, optimum.latency) {
            (ProblemKind::Train, Some(own), Some(best), ..) => best / own - 1.0,
            (ProblemKind::Infer, _, _, Some(own), Some(best)) => own / best - 1.0,
            (_, Some(own), Some(best), ..) if best > Hertz::ZERO => 1.0 - own / best,
            _ => 0.0,
        }
    }
}

impl Problem {
    /// What an operating point does for this problem; nothing when it lacks the profile of a
    /// workload that must run.
    pub fn assess(&self, alternate: Alternate, point: &OperatingPoint) -> Option<Assessment> {
        let mut found = Assessment {
            throughput: None,
            minibatches_per_cycle: None,
            latency: None,
            utilisation: None,
            power: Watts::ZERO,
            misses: [false; 3],
        };
        let background = match self.background() {
            Some(_) => Some(point.background?),
            None => None,
        };
        if let Some(profile) = background {
            found.power = profile.power;
            found.throughput = Some(Hertz::new(1.0 / profile.minibatch.get()));
        }
        if let Some(stream) = self.urgent() {
            let (batch, profile) = point.urgent?;
            let cycle = stream.rate.period() * batch.as_f64();
            let answered = cycle + profile.minibatch;
            found.power = found.power.max(profile.power);
            found.utilisation = Some(profile.minibatch / cycle);
            found.latency = Some(answered);
            found.misses[Budget::Latency as usize] = answered > stream.latency;
            found.misses[Budget::ArrivalRate as usize] =
                profile.minibatch > self.longest_urgent(cycle);
            if let Some(background) = background {
                let slack = stream.latency - answered;
                let turns = Turns::new(
                    alternate,
                    cycle,
                    profile.minibatch,
                    background.minibatch,
                    slack.max(Seconds::ZERO),
                );
                found.minibatches_per_cycle = Some(turns.minibatches_per_cycle);
                found.throughput = Some(turns.throughput(cycle));
                // The delay fits into the slack but for rounding, so it never passes the budget.
                found.latency = Some((answered + turns.delay).min(stream.latency.max(answered)));
            }
        }
        found.misses[Budget::Power as usize] = found.power > self.power();
        Some(found)
    }

    /// The best of the operating points that meet every budget, with what it promises when its
    /// readings may be too good by `sigmas` standard errors; the first of equals.
    pub fn best<'a>(
        &self,
        alternate: Alternate,
        sigmas: f64,
        points: impl IntoIterator<Item = &'a OperatingPoint>,
    ) -> Option<(OperatingPoint, Assessment)> {
        let mut best: Option<(OperatingPoint, Assessment)> = None;
        for point in points {
            let Some(found) = self.assess(alternate, &point.guarded(sigmas)) else { continue };
            if found.feasible() && best.as_ref().is_none_or(|(_, b)| found.by_objective(b).is_lt())
            {
                best = Some((*point, found));
            }
        }
        best
    }
}
