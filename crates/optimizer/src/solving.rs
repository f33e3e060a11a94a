//! Answers from what is stored.

use std::borrow::Cow;
use std::sync::Arc;

use fulcrum_domain::{
    Alternate, Basis, Evidence, Front, Infeasibility, Measurement, Outcome, Problem, Profiles,
    Reading, Setting,
};
use fulcrum_search::{Allowance, GUARD_SIGMAS, Step, Task, recipe};

use crate::kept_points::KeptPoints;
use crate::told::worth_telling;

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
    pub(crate) fn of_points(setting: &Setting, points: &str) -> Option<Self> {
        let kept: KeptPoints<'_> = serde_json::from_str(points).ok()?;
        let front = kept.front(setting)?;
        Some(Self {
            setting: Arc::new(setting.clone()),
            readings: Vec::new(),
            is_front: true,
            front,
        })
    }

    /// The points of the front, to be kept.
    pub(crate) fn points(&self) -> String {
        serde_json::to_string(&KeptPoints::of(&self.setting, &self.front)).unwrap_or_default()
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

    /// What a search gives that is told of what is stored, if it then measures nothing.
    fn without_measuring(&self, problem: &Problem, alternate: Alternate) -> Option<Outcome> {
        let recipe = recipe("guided").ok()?;
        let told = self.worth_telling(problem, alternate);
        let mut strategy = recipe.start(Task {
            setting: self.setting.clone(),
            problem: problem.clone(),
            alternate,
            allowance: beyond_stored(recipe.allowance_for(problem.roles().len()), &told),
            relatives: Arc::default(),
            seed: 1,
        });
        strategy.tell_known(&told);
        match strategy.ask() {
            Step::Done(outcome @ (Outcome::Solved(_) | Outcome::Infeasible(_))) => Some(outcome),
            Step::Done(Outcome::Unsolved(_)) | Step::Measure(_) => None,
        }
    }

    /// What a strategy is told of what is stored.
    pub(crate) fn worth_telling(
        &self,
        problem: &Problem,
        alternate: Alternate,
    ) -> Cow<'_, [(Measurement, Reading)]> {
        worth_telling(&self.readings, &self.front, problem, alternate)
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use fulcrum_board::{Profiler as _, SimulatedOrin};
    use fulcrum_domain::{BatchSize, Role, Workload};

    use super::*;
    use crate::known_board::KnownBoard;

    #[test]
    fn thousands_of_profiles_without_a_front_answer_in_seconds() {
        let board = KnownBoard::of_table(SimulatedOrin::NAME).unwrap();
        let problem = fulcrum_api::problem_from_wire(&fulcrum_api::v1::Problem {
            train: "resnet18".into(),
            infer: "mobilenet_v3".into(),
            rate_hertz: 60.0,
            latency_seconds: 0.8,
            power_watts: 30.0,
            ..Default::default()
        });
        let problem = problem.unwrap();
        let setting = board.setting(&problem).unwrap();
        let mut orin = SimulatedOrin::exact();
        let workloads = [
            (Role::Background, Workload::train("resnet18"), 16),
            (Role::Urgent, Workload::infer("mobilenet_v3"), 16),
        ];
        let mut all = Vec::new();
        for (role, workload, size) in workloads {
            let size = BatchSize::new(size).unwrap();
            for mode in setting.space.ids().step_by(10) {
                let measurement = setting.measurement(mode, role, size);
                all.push((measurement, orin.measure(&workload, mode, size)));
            }
        }
        assert!(all.len() > 3000);
        let stored = Stored::new(setting, &problem, all, false);
        let told = stored.worth_telling(&problem, Alternate::SlackAware);
        let best =
            stored.front.solve(&problem, Alternate::SlackAware, GUARD_SIGMAS, Basis::Measured);
        let Outcome::Solved(best) = best else { panic!("{best:?}") };
        let at_best = told.iter().filter(|(m, _)| m.mode == best.point.mode);
        assert_eq!(at_best.count(), 2, "of the best plan both halves are told");
        let mut different: Vec<_> = told.iter().map(|(measurement, _)| *measurement).collect();
        different.sort_unstable();
        different.dedup();
        assert_eq!((different.len(), told.len()), (300, 300));
        let began = Instant::now();
        let _answer = stored.solve(&problem, Alternate::SlackAware);
        // Told of all, it would think for minutes.
        assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    }
}
