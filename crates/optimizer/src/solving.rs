//! Answers from what is stored.

use std::sync::Arc;

use fulcrum_domain::{
    Alternate, Basis, Evidence, Front, Infeasibility, Measurement, Outcome, Problem, Profiles,
    Reading, Setting,
};
use fulcrum_search::{Allowance, GUARD_SIGMAS, Step, Task, recipe};
use serde_json::Value;

use crate::kept_point::KeptPoint;

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A front was built for the workloads: it answers every budget.
    Front,
    /// Earlier searches have measured all that a search would.
    Profiles,
    /// A search would have to measure.
    Nothing,
}

impl Origin {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Profiles => "profiles",
            Self::Nothing => "",
        }
    }
}

/// What is stored for one pair of workloads on one kind of board.
pub(crate) struct Stored {
    pub(crate) setting: Arc<Setting>,
    /// What was measured; left out where the points of a front stand for it.
    pub(crate) readings: Vec<(Measurement, Reading)>,
    /// Whether a front was built of it.
    pub(crate) is_front: bool,
    /// The operating points worth keeping, as measured.
    front: Front,
}

impl Stored {
    pub(crate) fn new(
        setting: Setting,
        problem: &Problem,
        readings: Vec<(Measurement, Reading)>,
        is_front: bool,
    ) -> Self {
        let known = readings.iter().filter_map(|(m, reading)| Some((*m, *reading.as_ref().ok()?)));
        let profiles: Profiles = known.collect();
        let front = Front::new(profiles.operating_points(problem.roles()), Evidence::Measured);
        Self { setting: Arc::new(setting), readings, is_front, front }
    }

    /// What is known by the points of a front, as [`points`](Self::points) wrote them. None where
    /// they are of other modes or batch sizes than the board has now.
    pub(crate) fn of_points(setting: &Setting, points: &Value) -> Option<Self> {
        let points: Vec<KeptPoint> = serde_json::from_value(points.clone()).ok()?;
        let points: Option<Vec<_>> = points.iter().map(|point| point.at(setting)).collect();
        let front = Front::new(points?, Evidence::Measured);
        Some(Self {
            setting: Arc::new(setting.clone()),
            readings: Vec::new(),
            is_front: true,
            front,
        })
    }

    /// The points of the front, to be kept.
    pub(crate) fn points(&self) -> Value {
        let kept = self.front.points().iter().map(|point| KeptPoint::of(&self.setting, point));
        serde_json::to_value(kept.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// The answer to a problem of these workloads.
    pub(crate) fn solve(&self, problem: &Problem, alternate: Alternate) -> (Origin, Outcome) {
        let best = self.front.solve(problem, alternate, GUARD_SIGMAS, Basis::Measured);
        if self.is_front {
            return (Origin::Front, best);
        }
        if self.readings.is_empty() {
            return (Origin::Nothing, best);
        }
        match self.without_measuring(problem, alternate) {
            Some(outcome) => (Origin::Profiles, outcome),
            None => (Origin::Nothing, best),
        }
    }

    /// What a search gives that is told of everything stored, if it then measures nothing.
    fn without_measuring(&self, problem: &Problem, alternate: Alternate) -> Option<Outcome> {
        let recipe = recipe("guided").ok()?;
        let mut strategy = recipe.start(Task {
            setting: self.setting.clone(),
            problem: problem.clone(),
            alternate,
            allowance: beyond_stored(recipe.allowance_for(problem.roles().len()), &self.readings),
            relatives: Arc::default(),
            seed: 1,
        });
        for (measurement, reading) in &self.readings {
            strategy.tell(*measurement, *reading);
        }
        match strategy.ask() {
            Step::Done(outcome @ (Outcome::Solved(_) | Outcome::Infeasible(_))) => Some(outcome),
            Step::Done(Outcome::Unsolved(_)) | Step::Measure(_) => None,
        }
    }

    /// That nothing is known of a problem.
    pub(crate) fn nothing_known(problem: &Problem, alternate: Alternate) -> Outcome {
        Outcome::Unsolved(Infeasibility::of(problem, alternate, &[], Basis::Measured))
    }
}

/// An allowance that leaves as much to measure beside what is stored.
pub(crate) fn beyond_stored(own: Allowance, stored: &[(Measurement, Reading)]) -> Allowance {
    let mut modes: Vec<_> = stored.iter().map(|(measurement, _)| measurement.mode).collect();
    modes.sort_unstable();
    modes.dedup();
    Allowance {
        modes: own.modes.saturating_add(modes.len()),
        measurements: own.measurements.saturating_add(stored.len()),
    }
}
