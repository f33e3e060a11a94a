//! A front builder as the search for one problem: build the front, then answer from it.

use fulcrum_domain::{Basis, Evidence, Measurement, Outcome, Profiles, Reading};

use crate::conclusion::conclude;
use crate::strategy::{FrontBuilder, Step, Strategy};
use crate::task::{FrontTask, GUARD_SIGMAS, Task};

/// Makes a [`Strategy`] of a [`FrontBuilder`].
pub struct ByFront {
    task: Task,
    builder: Box<dyn FrontBuilder>,
}

impl ByFront {
    /// Builds a front for the task's workloads and answers the task's problem from it.
    pub fn new(task: Task, start: impl FnOnce(FrontTask) -> Box<dyn FrontBuilder>) -> Self {
        let builder = start(FrontTask {
            setting: task.setting.clone(),
            roles: task.problem.roles(),
            expected: None,
            alternate: task.alternate,
            allowance: task.allowance,
            relatives: task.relatives.clone(),
            seed: task.seed,
        });
        Self { task, builder }
    }

    fn answer(&self) -> Outcome {
        let front = self.builder.front();
        let Task { problem, alternate, .. } = &self.task;
        let outcome = front.solve(problem, *alternate, GUARD_SIGMAS, Basis::Measured);
        match (&outcome, front.evidence()) {
            (Outcome::Unsolved(_), Evidence::Measured) => {
                // What was measured may leave no room for a plan, which a front does not know.
                match conclude(&self.task, self.builder.profiles()) {
                    infeasible @ Outcome::Infeasible(_) => infeasible,
                    Outcome::Solved(_) | Outcome::Unsolved(_) => outcome,
                }
            }
            _ => outcome,
        }
    }
}

impl Strategy for ByFront {
    fn ask(&mut self) -> Step {
        match self.builder.ask() {
            Some(measurement) => Step::Measure(measurement),
            None => Step::Done(self.answer()),
        }
    }

    fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.builder.tell(measurement, reading);
    }

    fn tell_known(&mut self, known: &[(Measurement, Reading)]) {
        self.builder.tell_known(known);
    }

    fn profiles(&self) -> &Profiles {
        self.builder.profiles()
    }
}
