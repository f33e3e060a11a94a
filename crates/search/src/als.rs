//! ALS: active learning of a front that answers every later problem of a pair of workloads.
//!
//! It draws a few problems that the pair may well be asked, asks a guided search what it would
//! measure next for each, takes the measurement that brings most to all of them together, and goes
//! on with other problems; everything measured serves all of them. So the measurements go where
//! problems are likely and still badly answered, instead of where the front is merely unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulcrum_domain::{
    BatchSize, Evidence, Front, Hertz, Measurement, Problem, Profiles, Reading, Role, Seconds,
    Stream, Watts, Workload,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::guided::{Advice, Explorer, Judge, Prior, opening};
use crate::strategy::FrontBuilder;
use crate::task::FrontTask;

/// When so many problems in a row find nothing worth a measurement, the front is done.
const CONTENT: usize = 120;
/// So many problems that want a measurement are heard before one is made: the one that brings most
/// to all of them together.
const COMPARED: usize = 16;

/// Active learning of a front.
#[derive(Debug)]
pub struct Als {
    task: FrontTask,
    explorer: Explorer,
    opening: Vec<Measurement>,
    rng: ChaCha8Rng,
    asked: Option<Measurement>,
}

impl Als {
    /// Starts from what is expected of the task's setting.
    pub fn new(task: FrontTask, prior: Arc<Prior>) -> Self {
        let batches = &task.setting.urgent_batches;
        let first = batches.get(batches.len() / 2).copied().unwrap_or(BatchSize::ONE);
        Self {
            explorer: Explorer::new(prior, task.allowance),
            opening: opening(&task.setting, task.roles, first, batches),
            rng: ChaCha8Rng::seed_from_u64(task.seed),
            asked: None,
            task,
        }
    }

    fn next(&mut self) -> Option<Measurement> {
        if let Some(measurement) = self.explorer.first_unread(&self.opening) {
            return Some(measurement);
        }
        let mut worth: BTreeMap<Measurement, f64> = BTreeMap::new();
        let mut wanting = 0;
        for _ in 0..CONTENT {
            let problem = self.likely_problem()?;
            let judge = Judge::new(problem, self.task.alternate);
            if let Advice::Measure { measurement, worth: own } = self.explorer.advise(&judge) {
                *worth.entry(measurement).or_default() += own;
                wanting += 1;
            }
            if wanting == COMPARED {
                break;
            }
        }
        worth.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(measurement, _)| measurement)
    }

    /// A problem that may well be asked.
    fn likely_problem(&mut self) -> Option<Problem> {
        let within =
            |rng: &mut ChaCha8Rng, [low, high]: [f64; 2]| low + (high - low) * rng.random::<f64>();
        let expected = self.task.expected;
        let power = expected.map_or_else(|| self.power_range(), |e| e.power.map(Watts::get));
        // By its logarithm, since at low power the front is a cliff.
        let power = Watts::new(within(&mut self.rng, power.map(f64::ln)).exp());
        // The workloads' names do not matter to a belief.
        let train = Workload::train("train");
        if !self.task.roles.contains(&Role::Urgent) {
            return Problem::train_only(train, power).ok();
        }
        let (rate, latency) = match expected.and_then(|expected| expected.stream) {
            Some((rate, latency)) => (
                Hertz::new(within(&mut self.rng, rate.map(Hertz::get))),
                Seconds::new(within(&mut self.rng, latency.map(Seconds::get))),
            ),
            None => self.servable_stream()?,
        };
        let infer = Stream { workload: Workload::infer("infer"), rate, latency };
        if self.task.roles.contains(&Role::Background) {
            Problem::concurrent(train, infer, power).ok()
        } else {
            Problem::infer_only(infer, power).ok()
        }
    }

    /// The least and the most that the board is believed to draw.
    fn power_range(&self) -> [f64; 2] {
        let belief = self.explorer.belief();
        let (mut lowest, mut highest) = (f64::INFINITY, 0.0f64);
        for &role in self.task.roles {
            for mode in 0..belief.prior().modes.len() {
                for batch in 0..self.task.setting.batches(role).len() {
                    let power = belief.power(role, mode, batch).mean.exp();
                    lowest = lowest.min(power);
                    highest = highest.max(power);
                }
            }
        }
        [lowest, highest]
    }

    /// A rate that the board can serve with time to spare, and a latency budget in which a batch
    /// of some size can fill and be answered.
    fn servable_stream(&mut self) -> Option<(Hertz, Seconds)> {
        let belief = self.explorer.belief();
        let setting = &self.task.setting;
        let top = belief.prior().modes.binary_search(&setting.space.highest()).ok()?;
        let fastest = |batch: usize| belief.time(Role::Urgent, top, batch).mean.exp();
        let sizes = &setting.urgent_batches;
        let capacity = (0..sizes.len()).map(|b| sizes[b].as_f64() / fastest(b)).fold(0.0, f64::max);
        let rate = Hertz::new(capacity * 0.8 * 12f64.powf(-self.rng.random::<f64>()));
        let batch = self.rng.random_range(0..sizes.len());
        let room = self.rng.random_range(1.1..2.5);
        let latency = rate.period() * sizes[batch].as_f64() * room + Seconds::new(fastest(batch));
        Some((rate, latency))
    }
}

impl FrontBuilder for Als {
    fn ask(&mut self) -> Option<Measurement> {
        if self.asked.is_none() {
            self.asked = self.next();
        }
        self.asked
    }

    fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.explorer.tell(measurement, reading);
        self.asked = None;
    }

    fn tell_known(&mut self, known: &[(Measurement, Reading)]) {
        self.explorer.tell_known(known);
        self.asked = None;
    }

    fn profiles(&self) -> &Profiles {
        self.explorer.log().profiles()
    }

    fn front(&self) -> Front {
        Front::new(self.explorer.believed_points(self.task.roles), Evidence::Measured)
    }
}
