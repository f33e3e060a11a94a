//! Answering many problems from one finished front.

use fulcrum_domain::{Evidence, Front, Plan, Problem, Role, Setting};
use fulcrum_search::{FrontBuilder, GUARD_SIGMAS, optimistic_front};

use crate::answer::Status;
use crate::choices::Choices;
use crate::settings::Settings;

/// A finished front, prepared to answer many problems: what `conclude` answers, with the work that
/// is the same for every problem done once.
pub(crate) struct AnsweringFront {
    choices: Choices,
    /// The best that could still be had elsewhere; none where everything is known.
    bounds: Option<Choices>,
    evidence: Evidence,
}

impl AnsweringFront {
    pub(crate) fn new(
        setting: &Setting,
        builder: &dyn FrontBuilder,
        roles: &'static [Role],
    ) -> Self {
        let own = builder.front();
        let evidence = own.evidence();
        let profiles = builder.profiles();
        let front = match evidence {
            Evidence::Measured => Front::new(profiles.operating_points(roles), evidence),
            Evidence::Predicted => own,
        };
        let all: usize = roles.iter().map(|&role| setting.batches(role).len()).sum();
        let exhausted = profiles.len() == all * setting.space.len();
        let bounds = (!exhausted).then(|| {
            let bounds = optimistic_front(setting, roles, profiles);
            Choices::new(bounds.points().iter().copied(), 0.0)
        });
        Self {
            choices: Choices::new(front.points().iter().copied(), GUARD_SIGMAS),
            bounds,
            evidence,
        }
    }

    pub(crate) fn answer(&self, problem: &Problem, settings: &Settings) -> Result<Plan, Status> {
        let alternate = settings.alternate;
        match self.choices.best(problem, alternate) {
            Some((point, promise)) => {
                Ok(Plan { point, alternate, promise, evidence: self.evidence })
            }
            None if self.evidence == Evidence::Predicted => Err(Status::Unsolved),
            None => match &self.bounds {
                Some(bounds) if bounds.any(problem) => Err(Status::Unsolved),
                _ => Err(Status::Infeasible),
            },
        }
    }
}
