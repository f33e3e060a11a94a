//! The loop of the guided strategies: what a belief says should be measured next for a problem.

use std::cmp::Ordering;
use std::sync::Arc;

use fulcrum_domain::{
    BatchSize, Evidence, Measurement, OperatingPoint, Plan, Problem, Profile, Reading, Role,
    Seconds, Setting, Watts,
};

use super::belief::Belief;
use super::prior::Prior;
use super::surface::Guess;
use super::value::{Judge, Promise};
use crate::log::Log;
use crate::task::Allowance;

/// Less than this share is not worth another measurement.
const WORTH: f64 = 0.001;
/// An operating point that meets the budgets with less probability than this is not looked at.
const LEAST: f64 = 1e-3;
/// When all operating points together meet the budgets with less probability than this, there is
/// no plan.
pub(crate) const HOPELESS: f64 = 0.02;
/// A measured operating point makes a plan when it is believed to meet every budget with this
/// probability.
const CONFIDENT: f64 = 0.95;
/// The same where nothing is believed that firmly when the search ends.
const LENIENT: f64 = 0.88;
/// A plan on noisy readings promises the power and the latency that are believed, plus so many
/// standard deviations; the throughput is what is expected.
const GUARD: f64 = 1.0;

/// What was measured, what is believed of the rest, and what may still be measured.
#[derive(Debug)]
pub(crate) struct Explorer {
    belief: Belief,
    log: Log,
    allowance: Allowance,
    /// The largest standard error of a reading so far: further ones are expected to have it too.
    error: f64,
}

/// The measurement that promises most, and with what.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    measurement: Measurement,
    promise: Promise,
    cost: f64,
    score: f64,
}

impl Candidate {
    fn advice(&self, planned: bool) -> Advice {
        let Promise { feasible, gain } = self.promise;
        let saved = if planned { gain / (1.0 + gain) } else { 1.0 };
        Advice::Measure {
            measurement: self.measurement,
            worth: feasible * saved / self.cost.sqrt(),
        }
    }
}

/// What an explorer says of a problem.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Advice {
    /// Measure this.
    Measure {
        /// The measurement.
        measurement: Measurement,
        /// The loss that it is expected to save, by the square root of its cost; a problem without a
        /// plan is a loss of one.
        worth: f64,
    },
    /// Nothing is worth measuring. Some operating point that was not measured meets the budgets
    /// with this probability.
    Stop {
        /// The probability.
        hope: f64,
    },
}

impl Explorer {
    pub(crate) fn new(prior: Arc<Prior>, allowance: Allowance) -> Self {
        Self { belief: Belief::new(prior), log: Log::new(), allowance, error: 0.0 }
    }

    pub(crate) fn belief(&self) -> &Belief {
        &self.belief
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    fn setting(&self) -> &Setting {
        &self.belief.prior().setting
    }

    pub(crate) fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.log.note(measurement, reading);
        if let Ok(profile) = reading {
            self.error = self.error.max(profile.error);
            self.belief.observe(&measurement, profile);
        }
    }

    /// The first of these that has not been made, if it may be.
    pub(crate) fn first_unread(&self, wanted: &[Measurement]) -> Option<Measurement> {
        let first = wanted.iter().find(|m| self.log.reading(m).is_none())?;
        self.log.affords(self.allowance, first.mode).then_some(*first)
    }

    /// What to measure next for a problem.
    pub(crate) fn advise(&self, problem: &Judge) -> Advice {
        let judge = problem.expecting(self.error);
        let best = self.best(&judge, CONFIDENT).map(|(_, value)| value);
        let (chosen, hope) = self.most_promising(&judge, best);
        match (chosen, best) {
            (Some(c), Some(_)) if c.promise.feasible * c.promise.gain >= WORTH => {
                c.advice(best.is_some())
            }
            (Some(c), None) if hope >= HOPELESS => c.advice(best.is_some()),
            _ => Advice::Stop { hope },
        }
    }

    /// The most promising measurement, and how probable it is that any operating point works.
    fn most_promising(&self, judge: &Judge, best: Option<f64>) -> (Option<Candidate>, f64) {
        let mut chosen: Option<Candidate> = None;
        let mut hopeless = 1.0;
        for batch in usable_batches(self.setting(), judge.problem()) {
            for mode in 0..self.belief.prior().modes.len() {
                let Some(promise) = judge.promise(&self.belief, mode, batch, best, LEAST) else {
                    continue;
                };
                let Some(measurement) = self.next_half(judge, mode, batch) else { continue };
                hopeless *= 1.0 - promise.feasible;
                let cost = if self.log.visited(measurement.mode) { 1.0 } else { 2.0f64 };
                // Before there is a plan, any that works is worth most; being good breaks ties.
                let worth = match best {
                    Some(_) => promise.gain,
                    None => 1.0 + 0.3 * promise.gain / (1.0 + promise.gain),
                };
                let score = promise.feasible * worth / cost.sqrt();
                if chosen.as_ref().is_none_or(|c| score > c.score) {
                    chosen = Some(Candidate { measurement, promise, cost, score });
                }
            }
        }
        (chosen, 1.0 - hopeless)
    }

    /// What to measure first of an operating point: the role likelier to break the power budget.
    /// None if it is all measured, a measurement of it failed, or the allowance has no room.
    fn next_half(&self, judge: &Judge, mode: usize, batch: usize) -> Option<Measurement> {
        let id = self.belief.prior().modes[mode];
        let mut missing = 0;
        let mut first: Option<(f64, Measurement)> = None;
        for &role in judge.problem().roles() {
            let size = self.setting().urgent_batches.get(batch).copied();
            let size = size.unwrap_or(BatchSize::ONE);
            let measurement = self.setting().measurement(id, role, size);
            match self.log.reading(&measurement) {
                Some(Ok(_)) => {}
                Some(Err(_)) => return None,
                None => {
                    missing += 1;
                    let cell = if role == Role::Urgent { batch } else { 0 };
                    let holds = judge.power_holds(self.belief.power(role, mode, cell));
                    if first.is_none_or(|(least, _)| holds < least) {
                        first = Some((holds, measurement));
                    }
                }
            }
        }
        let room = self.allowance.measurements.saturating_sub(self.log.measurements());
        let affordable = missing <= room && self.log.affords(self.allowance, id);
        first.filter(|_| affordable).map(|(_, measurement)| measurement)
    }

    /// The best plan at the end of a search: one that is less sure only where there is no other.
    pub(crate) fn plan(&self, judge: &Judge) -> Option<Plan> {
        let best = self.best(judge, CONFIDENT).or_else(|| self.best(judge, LENIENT));
        best.map(|(plan, _)| plan)
    }

    /// The best measured operating point that is believed to meet the budgets with a probability,
    /// with its expected objective. An exact reading is believed outright; a noisy one as far as
    /// the others bear it out, so that a lucky reading does not become a violating plan.
    fn best(&self, judge: &Judge, confident: f64) -> Option<(Plan, f64)> {
        let problem = judge.problem();
        let mut best: Option<(Plan, f64)> = None;
        for point in self.log.profiles().operating_points(problem.roles()) {
            let Some((mode, batch)) = self.place(&point) else { continue };
            let promise = judge.promise(&self.belief, mode, batch, None, confident);
            let Some(expected) = promise.map(|promise| promise.gain) else { continue };
            let guarded = self.guarded(&point, mode, batch);
            let Some(promise) = problem.assess(judge.alternate(), &guarded) else { continue };
            let better = |(plan, value): &(Plan, f64)| match expected.total_cmp(value) {
                Ordering::Equal => promise.by_objective(&plan.promise).is_lt(),
                order => order.is_gt(),
            };
            if promise.feasible() && best.as_ref().is_none_or(better) {
                let alternate = judge.alternate();
                let plan = Plan { point, alternate, promise, evidence: Evidence::Measured };
                best = Some((plan, expected));
            }
        }
        best
    }

    /// An operating point's places among the considered modes and batches.
    fn place(&self, point: &OperatingPoint) -> Option<(usize, usize)> {
        let mode = self.belief.prior().modes.binary_search(&point.mode).ok()?;
        let batches = &self.setting().urgent_batches;
        let batch = point.batch_size().map_or(Ok(0), |size| batches.binary_search(&size)).ok()?;
        Some((mode, batch))
    }

    /// The operating point with what is believed of it where its readings are noisy, guarded by
    /// how uncertain that remains.
    fn guarded(&self, point: &OperatingPoint, mode: usize, batch: usize) -> OperatingPoint {
        let guarded = |read: Profile, role, batch| {
            let time = self.belief.time(role, mode, batch);
            let power = self.belief.power(role, mode, batch);
            let guard = if role == Role::Urgent { GUARD } else { 0.0 };
            let of = |guess: Guess, sigmas: f64| (guess.mean + sigmas * guess.deviation).exp();
            if read.error == 0.0 {
                return read;
            }
            Profile::exact(Seconds::new(of(time, guard)), Watts::new(of(power, GUARD)))
        };
        OperatingPoint {
            mode: point.mode,
            background: point.background.map(|p| guarded(p, Role::Background, 0)),
            urgent: point.urgent.map(|(size, p)| (size, guarded(p, Role::Urgent, batch))),
        }
    }

    /// The measured operating points, with what is believed of them where their readings are
    /// noisy. One that rests on a noisy reading that all the others contradict is left out, since
    /// a front would offer a lucky reading to every later problem.
    pub(crate) fn believed_points(&self, roles: &[Role]) -> Vec<OperatingPoint> {
        let believed = |read: Profile, role, mode, batch| {
            if read.error == 0.0 {
                return read;
            }
            let time = self.belief.time(role, mode, batch);
            let power = self.belief.power(role, mode, batch);
            Profile {
                minibatch: Seconds::new(time.mean.exp()),
                power: Watts::new(power.mean.exp()),
                error: time.deviation.max(power.deviation),
            }
        };
        let points = self.log.profiles().operating_points(roles);
        let place = |point: OperatingPoint| self.place(&point).map(|place| (point, place));
        points
            .into_iter()
            .filter_map(place)
            .filter(|(_, (mode, batch))| {
                roles.iter().all(|&role| {
                    let batch = if role == Role::Urgent { *batch } else { 0 };
                    !self.belief.doubts(role, *mode, batch)
                })
            })
            .map(|(point, (mode, batch))| OperatingPoint {
                mode: point.mode,
                background: point.background.map(|p| believed(p, Role::Background, mode, 0)),
                urgent: point.urgent.map(|(b, p)| (b, believed(p, Role::Urgent, mode, batch))),
            })
            .collect()
    }
}

/// The batches that leave time to answer at all, by place.
pub(crate) fn usable_batches(setting: &Setting, problem: &Problem) -> Vec<usize> {
    match problem.urgent() {
        None => vec![0],
        Some(stream) => (0..setting.urgent_batches.len())
            .filter(|&b| stream.rate.period() * setting.urgent_batches[b].as_f64() < stream.latency)
            .collect(),
    }
}

/// The measurements that begin a search: the middle mode at one batch, and the highest at these
/// batches, which says how the urgent workload grows with its batch and which of them can work at
/// all.
pub(crate) fn opening(
    setting: &Setting,
    roles: &[Role],
    first: BatchSize,
    batches: &[BatchSize],
) -> Vec<Measurement> {
    let mut opening = Vec::new();
    for mode in [setting.space.middle(), setting.space.highest()] {
        opening.extend(roles.iter().map(|&role| setting.measurement(mode, role, first)));
    }
    if roles.contains(&Role::Urgent) {
        let highest = setting.space.highest();
        let others = batches.iter().map(|&b| setting.measurement(highest, Role::Urgent, b));
        opening.extend(others);
    }
    opening
}
