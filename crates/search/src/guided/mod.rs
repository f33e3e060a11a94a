//! Guided search: a belief about every operating point, from a family of physical models and from
//! what was measured, decides what to measure next.
//!
//! It begins with two modes that say most of the levels, the middle and the highest. Then it takes,
//! again and again, the operating point with the largest probability of meeting the budgets times
//! expected gain, by the square root of what measuring it costs. Of its two halves it measures
//! first the one that is likelier to break the power budget, and leaves the other if it does. It
//! ends when next to nothing is to be gained, or with the allowance.

mod belief;
mod explorer;
mod family;
mod lattice;
mod left_open;
mod prior;
mod surface;
mod value;
mod widths;

use std::sync::Arc;

use fulcrum_domain::{Basis, BatchSize, Infeasibility, Measurement, Outcome, Profiles, Reading};

use crate::conclusion::conclude;
use crate::strategy::{Step, Strategy};
use crate::task::Task;
pub(crate) use explorer::{Advice, Explorer, HOPELESS, opening, usable_batches};
pub use prior::Prior;
pub(crate) use value::Judge;

/// The guided search for one problem.
#[derive(Debug)]
pub struct Guided {
    task: Task,
    judge: Judge,
    explorer: Explorer,
    opening: Vec<Measurement>,
    /// How often it has looked closer.
    refined: u32,
}

/// A search of a large space looks closer so many times, spread over the modes it may measure.
const CLOSER: u32 = 3;

impl Guided {
    /// Starts a search from what is expected of the task's setting.
    pub fn new(task: Task, prior: Arc<Prior>) -> Self {
        let batches: Vec<BatchSize> = usable_batches(&task.setting, &task.problem)
            .into_iter()
            .filter_map(|b| task.setting.urgent_batches.get(b).copied())
            .collect();
        let all = prior.modes.len() == task.setting.space.len();
        Self {
            judge: Judge::new(task.problem.clone(), task.alternate),
            explorer: Explorer::new(prior, task.allowance),
            opening: opening(
                &task.setting,
                task.problem.roles(),
                opening_batch(&task, &batches),
                &batches,
            ),
            task,
            refined: if all { CLOSER } else { 0 },
        }
    }

    /// Whether a share of the modes is spent, so that it is time to look closer.
    fn due(&self) -> bool {
        let modes = self.task.allowance.modes;
        let share = (self.refined + 1) as usize * (modes / (CLOSER as usize + 1)).max(1);
        self.refined < CLOSER && self.explorer.log().modes() >= share
    }

    fn look_closer(&mut self) {
        self.explorer.refine(&self.judge, self.refined);
        self.refined += 1;
    }

    fn outcome(&self, hope: f64) -> Outcome {
        if let Some(plan) = self.explorer.plan(&self.judge) {
            return Outcome::Solved(plan);
        }
        let Task { problem, alternate, .. } = &self.task;
        let profiles = self.explorer.log().profiles();
        match conclude(&self.task, profiles) {
            // Its guard is for readings that nothing else bears out.
            Outcome::Solved(_) | Outcome::Unsolved(_) => {
                let points = profiles.operating_points(problem.roles());
                let why = |basis| Infeasibility::of(problem, *alternate, &points, basis);
                if hope < HOPELESS {
                    Outcome::Infeasible(why(Basis::Believed { probability: hope }))
                } else {
                    Outcome::Unsolved(why(Basis::Measured))
                }
            }
            infeasible @ Outcome::Infeasible(_) => infeasible,
        }
    }
}

/// The largest batch that leaves some of the latency budget for answering, or the smallest.
fn opening_batch(task: &Task, usable: &[BatchSize]) -> BatchSize {
    let fits = task.problem.urgent().and_then(|stream| {
        let room = stream.latency * 0.7;
        usable.iter().rev().find(|b| stream.rate.period() * b.as_f64() <= room)
    });
    let smallest = task.setting.urgent_batches.first();
    fits.or(smallest).copied().unwrap_or(BatchSize::ONE)
}

impl Strategy for Guided {
    fn ask(&mut self) -> Step {
        if let Some(measurement) = self.explorer.first_unread(&self.opening) {
            return Step::Measure(measurement);
        }
        if self.due() {
            self.look_closer();
        }
        loop {
            match self.explorer.advise(&self.judge) {
                Advice::Measure { measurement, .. } => return Step::Measure(measurement),
                Advice::Stop { .. } if self.refined < CLOSER => self.look_closer(),
                Advice::Stop { hope } => {
                    let planned = self.explorer.plan(&self.judge).is_some();
                    let open = self.explorer.left_open(&self.judge).filter(|_| !planned);
                    return open.map_or_else(|| Step::Done(self.outcome(hope)), Step::Measure);
                }
            }
        }
    }

    fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.explorer.tell(measurement, reading);
    }

    fn tell_known(&mut self, known: &[(Measurement, Reading)]) {
        self.explorer.tell_known(known);
    }

    fn profiles(&self) -> &Profiles {
        self.explorer.log().profiles()
    }
}
