//! Why a plan was chosen: what is left of each budget, which of them binds, and what came second.

use crate::alternate::Alternate;
use crate::assessment::{Assessment, OperatingPoint};
use crate::mode_space::ModeId;
use crate::outcome::Plan;
use crate::problem::{Budget, BudgetValue, Problem};
use crate::profiles::Profiles;
use crate::units::Hertz;
use crate::workload::{BatchSize, Profile, Role};

/// Why a plan was chosen among what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What is left of each budget.
    pub margins: Vec<Margin>,
    /// The budget that holds the plan back; none when no budget keeps out anything measured that
    /// may be better.
    pub binding: Option<Binding>,
    /// The best plan at another power mode, with what it promises; never better than the plan.
    pub runner_up: Option<(OperatingPoint, Assessment)>,
    /// What was measured that would train fastest within the budgets if what is left of a cycle were
    /// not idle: for a plan that alternates strictly, where that is faster.
    pub slack_aware: Option<(OperatingPoint, Assessment)>,
}

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// The budget.
    pub budget: Budget,
    /// The share of it that is not used.
    pub share: f64,
}

/// A budget that holds a plan back, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Binding {
    /// With this budget a tenth wider, a better operating point that was measured would do.
    Better {
        /// The budget, a tenth wider.
        wider: BudgetValue,
        /// The operating point that would then be chosen.
        point: OperatingPoint,
        /// What it promises under the wider budget.
        promise: Assessment,
    },
    /// Power modes that may be better, for all that was measured there, break this budget.
    KeepsOut {
        /// How many modes: at each, a workload breaks it at every batch size that was measured.
        modes: usize,
        /// What the nearest of them needs at least. The other workload may need more.
        nearest: BudgetValue,
    },
}

impl Binding {
    /// Which budget it is.
    pub const fn budget(&self) -> Budget {
        match self {
            Self::Better { wider: value, .. } | Self::KeepsOut { nearest: value, .. } => {
                value.budget()
            }
        }
    }
}

/// Explains a plan by the profiles that were known when it was chosen, as they are planned with:
/// readings that may be too good by `sigmas` standard errors.
///
/// Whoever chose the plan may have believed some readings less than that. What would then look
/// better than the plan without breaking a budget was not believed, and is not named.
pub fn explain(problem: &Problem, plan: &Plan, profiles: &Profiles, sigmas: f64) -> Explanation {
    let known = Known::new(problem, plan, profiles, sigmas);
    Explanation {
        margins: problem.budgets().map(|value| margin(value, &plan.promise)).collect(),
        binding: known.better().or_else(|| known.keeps_out()),
        runner_up: known.runner_up(),
        slack_aware: known.slack_aware(),
    }
}

fn margin(value: BudgetValue, promise: &Assessment) -> Margin {
    let used = match value {
        BudgetValue::Power(power) => promise.power / power,
        BudgetValue::Latency(latency) => promise.latency.map_or(0.0, |own| own / latency),
        BudgetValue::ArrivalRate(_) => promise.utilisation.unwrap_or(0.0),
    };
    Margin { budget: value.budget(), share: 1.0 - used }
}

/// A plan beside what was measured.
struct Known<'a> {
    problem: &'a Problem,
    plan: &'a Plan,
    profiles: &'a Profiles,
    sigmas: f64,
    /// With what they do within the problem's budgets.
    points: Vec<(OperatingPoint, Assessment)>,
}

impl<'a> Known<'a> {
    fn new(problem: &'a Problem, plan: &'a Plan, profiles: &'a Profiles, sigmas: f64) -> Self {
        let points = profiles.operating_points(problem.roles()).into_iter();
        let assessed = |point: OperatingPoint| {
            Some((point, problem.assess(plan.alternate, &point.guarded(sigmas))?))
        };
        let points = points.filter_map(assessed).collect();
        Self { problem, plan, profiles, sigmas, points }
    }

    fn beats_the_plan(&self, promise: &Assessment) -> bool {
        promise.by_objective(&self.plan.promise).is_lt()
    }

    fn runner_up(&self) -> Option<(OperatingPoint, Assessment)> {
        let eligible = self.points.iter().filter(|(point, promise)| {
            let elsewhere = point.mode != self.plan.point.mode;
            elsewhere && promise.feasible() && !self.beats_the_plan(promise)
        });
        eligible.min_by(|(_, a), (_, b)| a.by_objective(b)).copied()
    }

    fn slack_aware(&self) -> Option<(OperatingPoint, Assessment)> {
        if self.plan.alternate != Alternate::Strict {
            return None;
        }
        let points = self.points.iter().map(|(point, _)| point);
        let (point, promise) = self.problem.best(Alternate::SlackAware, self.sigmas, points)?;
        (promise.throughput > self.plan.promise.throughput).then_some((point, promise))
    }

    /// The budget that brings most when it is a tenth wider.
    fn better(&self) -> Option<Binding> {
        let wider = self.problem.budgets().filter_map(|value| widened(value, 1.1));
        let kept_out = || self.points.iter().filter(|(_, found)| !found.feasible());
        wider
            .filter_map(|wider| {
                let points = kept_out().map(|(point, _)| point);
                let changed = self.problem.with(wider);
                let (point, promise) = changed.best(self.plan.alternate, self.sigmas, points)?;
                let gain = self.plan.promise.loss(&promise, self.problem.kind());
                (gain > 0.0).then_some((gain, Binding::Better { wider, point, promise }))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, binding)| binding)
    }

    /// The budget that keeps out most modes.
    fn keeps_out(&self) -> Option<Binding> {
        let modes: Vec<ModeId> = self.profiles.modes().filter(|&m| self.may_beat(m)).collect();
        let by_budget = self.problem.budgets().filter_map(|value| {
            let used = modes.iter().filter_map(|&mode| self.used(mode, value));
            let over: Vec<f64> = used.filter(|&used| used > 1.0).collect();
            let least = over.iter().copied().reduce(f64::min)?;
            Some(Binding::KeepsOut { modes: over.len(), nearest: widened(value, least)? })
        });
        by_budget.reduce(|most, next| match (&most, &next) {
            (Binding::KeepsOut { modes: a, .. }, Binding::KeepsOut { modes: b, .. }) if b > a => {
                next
            }
            _ => most,
        })
    }

    /// Whether a mode could have been chosen instead of the plan's but for the budgets, as far as
    /// what was measured there tells.
    fn may_beat(&self, mode: ModeId) -> bool {
        if mode == self.plan.point.mode {
            return false;
        }
        let mut whole = self.points.iter().filter(|(point, _)| point.mode == mode).peekable();
        if whole.peek().is_some() {
            return whole.any(|(_, promise)| self.beats_the_plan(promise));
        }
        let alone = self.at(mode, Role::Background).next();
        let most = alone.map(|(_, profile)| Hertz::new(1.0 / profile.minibatch.get()));
        most.zip(self.plan.promise.throughput).is_none_or(|(most, own)| most > own)
    }

    /// The profiles of a role at a mode, as they are planned with.
    fn at(&self, mode: ModeId, role: Role) -> impl Iterator<Item = (BatchSize, Profile)> {
        self.profiles.at(mode, role).map(|(batch, profile)| (batch, profile.guarded(self.sigmas)))
    }

    /// The share of a budget that a mode uses: that of the workload which uses most, at its best
    /// batch size. None if nothing was measured there that has to do with the budget.
    fn used(&self, mode: ModeId, value: BudgetValue) -> Option<f64> {
        let roles = self.problem.roles().iter();
        let by_role = roles.filter_map(|&role| {
            let stream = self.problem.urgent().filter(|_| role == Role::Urgent);
            let shares = self.at(mode, role).filter_map(|(batch, profile)| match value {
                BudgetValue::Power(power) => Some(profile.power / power),
                BudgetValue::Latency(latency) => {
                    let cycle = stream?.rate.period() * batch.as_f64();
                    Some((cycle + profile.minibatch) / latency)
                }
                BudgetValue::ArrivalRate(_) => None,
            });
            shares.reduce(f64::min)
        });
        by_role.reduce(f64::max)
    }
}

/// A budget so many times as wide. A wider power or latency budget is a larger one; fewer requests
/// are not a budget that is widened but another problem, so the rate has none.
fn widened(value: BudgetValue, factor: f64) -> Option<BudgetValue> {
    match value {
        BudgetValue::Power(power) => Some(BudgetValue::Power(power * factor)),
        BudgetValue::Latency(latency) => Some(BudgetValue::Latency(latency * factor)),
        BudgetValue::ArrivalRate(_) => None,
    }
}
