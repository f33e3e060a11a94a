//! The loop of the guided strategies: what a belief says should be measured next for a problem.

use std::cmp::Ordering;
use std::sync::Arc;

use fulcrum_domain::{
    Assessment, BatchSize, Evidence, Measurement, ModeId, OperatingPoint, Plan, Problem, Profile,
    Reading, Role, Seconds, Setting, Watts,
};

use super::belief::Belief;
use super::prior::Prior;
use super::value::Judge;
use crate::log::Log;
use crate::task::Allowance;

/// Less than this share is not worth another measurement. Where readings are noisy any share is,
/// since a further reading also bears out or contradicts those around it.
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

/// What was measured, what is believed of the rest, and what may still be measured.
#[derive(Debug)]
pub(crate) struct Explorer {
    pub(super) belief: Belief,
    pub(super) log: Log,
    pub(super) allowance: Allowance,
    /// The largest standard error of a reading so far: further ones are expected to have it too.
    error: f64,
}

/// The measurement that promises most, and with what.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    measurement: Measurement,
    /// The probability that its operating point meets every budget, times the share of the loss
    /// that it saves if it does; a problem without a plan is a loss of one.
    saved: f64,
    /// The square root of what its operating point costs to measure.
    effort: f64,
    score: f64,
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

    pub(super) fn setting(&self) -> &Setting {
        &self.belief.prior().setting
    }

    pub(crate) fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.log.note(measurement, reading);
        if let Ok(profile) = reading {
            self.consider(std::iter::once(measurement.mode));
            self.error = self.error.max(profile.error);
            self.belief.observe(&measurement, profile);
        }
    }

    /// Takes in what is known before the search, all at once.
    pub(crate) fn tell_known(&mut self, known: &[(Measurement, Reading)]) {
        let mut modes = Vec::new();
        for (measurement, reading) in known {
            self.log.note(*measurement, *reading);
            if let Ok(profile) = reading {
                self.error = self.error.max(profile.error);
                modes.push(measurement.mode);
            }
        }
        let prior = self.belief.prior();
        let prior = prior.with(modes.into_iter()).map_or_else(|| prior.clone(), Arc::new);
        self.belief = Belief::of(&prior, self.log.profiles());
    }

    /// Looks at these modes too from now on, as far as anything can be expected of them.
    fn consider(&mut self, modes: impl Iterator<Item = ModeId>) {
        if let Some(prior) = self.belief.prior().with(modes) {
            self.belief = Belief::of(&Arc::new(prior), self.log.profiles());
        }
    }

    /// Looks closer at where a plan for a problem is likely: the first time in a wide neighbourhood,
    /// and in one half as wide each further time.
    pub(super) fn refine(&mut self, judge: &Judge, time: u32) {
        if let Some(focus) = self.focus(judge) {
            let near = self.belief.prior().around(focus, time);
            self.consider(near.into_iter());
        }
    }

    /// The mode of the best plan, or the one that is likeliest to make one.
    fn focus(&self, judge: &Judge) -> Option<ModeId> {
        if let Some(plan) = self.plan(judge) {
            return Some(plan.point.mode);
        }
        let mut likeliest: Option<(f64, usize)> = None;
        for batch in usable_batches(self.setting(), judge.problem()) {
            for mode in 0..self.belief.prior().modes.len() {
                let feasible = judge.feasible(&self.belief, mode, batch, 0.0).unwrap_or(0.0);
                if likeliest.is_none_or(|(most, _)| feasible > most) {
                    likeliest = Some((feasible, mode));
                }
            }
        }
        likeliest.map(|(_, mode)| self.belief.prior().modes[mode])
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
        let worth = if self.error > 0.0 { 0.0 } else { WORTH };
        match (chosen, best) {
            (Some(c), Some(_)) if c.score * c.effort < worth => Advice::Stop { hope },
            (Some(_), None) if hope < HOPELESS => Advice::Stop { hope },
            (Some(c), _) => {
                Advice::Measure { measurement: c.measurement, worth: c.saved / c.effort }
            }
            _ => Advice::Stop { hope },
        }
    }

    /// The most promising measurement, and how probable it is that any operating point works.
    fn most_promising(&self, judge: &Judge, best: Option<f64>) -> (Option<Candidate>, f64) {
        let mut chosen: Option<Candidate> = None;
        let mut hopeless = 1.0;
        let floor = best.unwrap_or(0.0);
        // Before there is a plan, any that works is worth most; being good breaks ties.
        let worth = |above: f64| match best {
            Some(_) if floor > 0.0 => above / floor,
            Some(_) => above,
            None => 1.0 + 0.3 * above / (1.0 + above),
        };
        for batch in usable_batches(self.setting(), judge.problem()) {
            for mode in 0..self.belief.prior().modes.len() {
                let Some(feasible) = judge.feasible(&self.belief, mode, batch, LEAST) else {
                    continue;
                };
                let prospect = judge.prospect(&self.belief, mode, batch);
                let most = prospect.most();
                if best.is_some() && most <= floor {
                    continue;
                }
                let Some(measurement) = self.next_half(judge, mode, batch) else { continue };
                hopeless *= 1.0 - feasible;
                let effort = if self.log.visited(measurement.mode) { 1.0 } else { 2f64.sqrt() };
                let beaten = |score: f64| chosen.as_ref().is_some_and(|c| score <= c.score);
                if beaten(feasible * worth(most - floor) / effort) {
                    continue;
                }
                let worth = worth(prospect.above(floor));
                let score = feasible * worth / effort;
                if !beaten(score) {
                    let saved = feasible * if best.is_some() { worth / (1.0 + worth) } else { 1.0 };
                    chosen = Some(Candidate { measurement, saved, effort, score });
                }
            }
        }
        (chosen, 1.0 - hopeless)
    }

    /// What to measure first of an operating point: the role likelier to break the power budget.
    /// None if it is all measured, a measurement of it failed, or the allowance has no room.
    pub(super) fn next_half(
        &self,
        judge: &Judge,
        mode: usize,
        batch: usize,
    ) -> Option<Measurement> {
        let missing = self.missing(judge, mode, batch)?;
        let room = self.allowance.measurements.saturating_sub(self.log.measurements());
        let first = missing.first()?;
        if missing.len() > room || !self.log.affords(self.allowance, first.mode) {
            return None;
        }
        let holds = |m: &Measurement| {
            let cell = if m.role == Role::Urgent { batch } else { 0 };
            judge.power_holds(self.belief.power(m.role, mode, cell))
        };
        missing.into_iter().min_by(|a, b| holds(a).total_cmp(&holds(b)))
    }

    /// What is not measured yet of an operating point; none if a measurement of it failed.
    pub(super) fn missing(
        &self,
        judge: &Judge,
        mode: usize,
        batch: usize,
    ) -> Option<Vec<Measurement>> {
        let id = self.belief.prior().modes[mode];
        let size = self.setting().urgent_batches.get(batch).copied().unwrap_or(BatchSize::ONE);
        let mut missing = Vec::new();
        for &role in judge.problem().roles() {
            let measurement = self.setting().measurement(id, role, size);
            match self.log.reading(&measurement) {
                Some(Ok(_)) => {}
                Some(Err(_)) => return None,
                None => missing.push(measurement),
            }
        }
        Some(missing)
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
            let promise = problem.assess(judge.alternate(), &self.believed(&point, mode, batch));
            let Some(promise) = promise.filter(Assessment::feasible) else { continue };
            if judge.feasible(&self.belief, mode, batch, confident).is_none() {
                continue;
            }
            let expected = judge.prospect(&self.belief, mode, batch).above(0.0);
            let better = |(plan, value): &(Plan, f64)| match expected.total_cmp(value) {
                Ordering::Equal => promise.by_objective(&plan.promise).is_lt(),
                order => order.is_gt(),
            };
            if best.as_ref().is_none_or(better) {
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

    /// The operating point with what is believed of it where its readings are noisy.
    fn believed(&self, point: &OperatingPoint, mode: usize, batch: usize) -> OperatingPoint {
        let believed = |read: Profile, role, batch| {
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
        OperatingPoint {
            mode: point.mode,
            background: point.background.map(|p| believed(p, Role::Background, 0)),
            urgent: point.urgent.map(|(size, p)| (size, believed(p, Role::Urgent, batch))),
        }
    }

    /// The measured operating points, with what is believed of them where their readings are
    /// noisy. One that rests on a noisy reading that all the others contradict is left out, since
    /// a front would offer a lucky reading to every later problem.
    pub(crate) fn believed_points(&self, roles: &[Role]) -> Vec<OperatingPoint> {
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
            .map(|(point, (mode, batch))| self.believed(&point, mode, batch))
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
