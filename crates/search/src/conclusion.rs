//! The answer that measured profiles support: the best plan among them, or what is known to work
//! instead.

use fulcrum_domain::{
    Basis, BatchSize, Evidence, Front, Infeasibility, Outcome, Problem, Profiles, Setting,
};

use crate::bounds::{Misses, workable_batches};
use crate::task::{GUARD_SIGMAS, Task};

/// The best plan that was measured. Where there is none, and what was measured leaves no room for
/// one, the problem is infeasible; where it leaves room, it is unsolved.
pub fn conclude(task: &Task, profiles: &Profiles) -> Outcome {
    let points = profiles.operating_points(task.problem.roles());
    let front = Front::new(points.iter().copied(), Evidence::Measured);
    let outcome = front.solve(&task.problem, task.alternate, GUARD_SIGMAS, Basis::Measured);
    if outcome.plan().is_some() {
        return outcome;
    }
    match basis(&task.setting, &task.problem, profiles) {
        Basis::Measured => outcome,
        basis => {
            let points: Vec<_> = points.iter().map(|p| p.guarded(GUARD_SIGMAS)).collect();
            Outcome::Infeasible(Infeasibility::of(&task.problem, task.alternate, &points, basis))
        }
    }
}

/// On what "infeasible" would rest, for a problem that no measured operating point meets.
fn basis(setting: &Setting, problem: &Problem, profiles: &Profiles) -> Basis {
    let roles = problem.roles();
    let all = roles.iter().map(|&role| setting.batches(role).len()).sum::<usize>();
    if profiles.len() == all * setting.space.len() {
        return Basis::Exhausted;
    }
    let misses = Misses::new(setting, problem, profiles);
    let batches = match problem.urgent() {
        Some(_) => workable_batches(setting, problem),
        None => vec![BatchSize::ONE],
    };
    let excluded = |mode| batches.iter().all(|&batch| misses.exclude(mode, batch, 1));
    if setting.space.ids().all(excluded) { Basis::Monotone } else { Basis::Measured }
}
