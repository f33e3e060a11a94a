//! The answer that measured profiles support: the best plan among them, or what is known to work
//! instead.

use fulcrum_domain::{
    Basis, Evidence, Front, Infeasibility, OperatingPoint, Outcome, Problem, Profiles, Setting,
};

use crate::bounds::optimistic_front;
use crate::task::{GUARD_SIGMAS, Task};

/// The best plan that was measured. Where there is none, and the bounds that the measurements set
/// leave no room for one, the problem is infeasible; where they leave room, it is unsolved.
pub fn conclude(task: &Task, profiles: &Profiles) -> Outcome {
    let points = profiles.operating_points(task.problem.roles());
    conclude_among(task, profiles, &points)
}

fn conclude_among(task: &Task, profiles: &Profiles, points: &[OperatingPoint]) -> Outcome {
    let front = Front::new(points.iter().copied(), Evidence::Measured);
    let outcome = front.solve(&task.problem, task.alternate, GUARD_SIGMAS, Basis::Measured);
    if outcome.plan().is_some() {
        return outcome;
    }
    let bounds = optimistic_front(&task.setting, task.problem.roles(), profiles);
    match judge(&task.setting, &task.problem, profiles, &bounds) {
        Basis::Measured => outcome,
        basis => {
            let points: Vec<_> = points.iter().map(|p| p.guarded(GUARD_SIGMAS)).collect();
            Outcome::Infeasible(Infeasibility::of(&task.problem, task.alternate, &points, basis))
        }
    }
}

/// On what "infeasible" would rest, for a problem that no measured operating point meets.
pub fn judge(setting: &Setting, problem: &Problem, profiles: &Profiles, bounds: &Front) -> Basis {
    let roles = problem.roles();
    let all = roles.iter().map(|&role| setting.batches(role).len()).sum::<usize>();
    if profiles.len() == all * setting.space.len() {
        return Basis::Exhausted;
    }
    // Feasibility is the same for both ways to alternate.
    match problem.best(fulcrum_domain::Alternate::Strict, 0.0, bounds.points()) {
        Some(_) => Basis::Measured,
        None => Basis::Monotone,
    }
}
