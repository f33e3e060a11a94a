//! One worker: what it runs, what waits at it, what it did.

use std::collections::VecDeque;
use std::iter;
use std::time::Duration;

use fulcrum_domain::{Workload, WorkloadKind};

use super::{
    Action, Minibatch, PATIENCE, PATIENCE_FACTOR, PATIENCE_WITH_THE_FIRST, Preemption, Ran, Size,
    WorkerId,
};
use crate::agreement::Agreement;
use crate::durations::Durations;
use crate::moment::Moment;
use crate::policy::Stream;

/// Of no more requests is it foretold that they will be late; where there are more, it is at least
/// so many.
const FORETOLD: usize = 1000;
/// Of one minibatch no more preemptions are remembered each by itself.
const MOST_PREEMPTIONS: usize = 10_000;

/// A worker that is attached.
#[derive(Debug, Clone)]
pub struct Worker {
    /// What it runs.
    pub workload: Workload,
    /// The batch sizes that it can run, ascending.
    pub batch_sizes: Vec<u32>,
    /// The size of its minibatches: the most requests that one answers.
    pub batch_size: u32,
    /// The most requests that one answers while more wait.
    pub largest_batch_size: u32,
    /// How long its requests may take; none where nothing was promised.
    pub latency_budget: Option<Duration>,
    /// What it did since it attached.
    pub totals: Totals,
    /// How long its minibatches take.
    pub durations: Durations,
    pub(super) queue: VecDeque<Moment>,
    pub(super) ready: bool,
    pub(super) told_late: u32,
    /// Since when it has something to run and no turn.
    waits_since: Option<Moment>,
    /// Whether the plan lets it run in training's place.
    in_background: bool,
    /// Whether it acts without being asked: training stands still while requests are answered, and
    /// inference answers them.
    unasked: bool,
    /// When it stood still, as far as its minibatches are not told of.
    preemptions: Vec<Preemption>,
}

/// What a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How long its minibatches ran.
    pub busy: Duration,
    /// Its turns.
    pub turns: u64,
    /// Its minibatches.
    pub minibatches: u64,
    /// The requests that it answered.
    pub requests: u64,
    /// Those of them that took longer than they may.
    pub late: u64,
}

impl Worker {
    pub(super) fn new(workload: Workload, batch_sizes: Vec<u32>, unasked: bool) -> Self {
        let trains = workload.kind == WorkloadKind::Train;
        Self {
            ready: true,
            in_background: trains,
            unasked,
            preemptions: Vec::new(),
            batch_size: batch_sizes.last().copied().unwrap_or(1),
            largest_batch_size: batch_sizes.last().copied().unwrap_or(1),
            workload,
            batch_sizes,
            latency_budget: None,
            totals: Totals::default(),
            durations: Durations::default(),
            queue: VecDeque::new(),
            told_late: 0,
            waits_since: None,
        }
    }

    /// How many requests wait.
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.queue.len()).unwrap_or(u32::MAX)
    }

    /// Whether it runs in whatever time is left.
    pub fn is_background(&self) -> bool {
        self.in_background
    }

    /// Whether requests need not wait for the end of its minibatches.
    pub(super) fn is_preemptible(&self) -> bool {
        self.unasked && self.workload.kind == WorkloadKind::Train
    }

    /// Whether it can answer requests by itself in a turn that stands.
    pub(super) fn can_stand(&self) -> bool {
        self.unasked && self.workload.kind == WorkloadKind::Infer
    }

    /// Takes over what a plan wants of it.
    pub(super) fn agree(&mut self, agreement: &Agreement) {
        let trains = self.workload.kind == WorkloadKind::Train;
        let terms = agreement.terms(&self.workload);
        let most = u32::MAX;
        self.batch_size = self.fitting(terms.map_or(most, |terms| terms.batch_size));
        self.largest_batch_size =
            self.fitting(terms.map_or(most, |terms| terms.largest_batch_size)).max(self.batch_size);
        self.latency_budget = terms.and_then(|terms| terms.latency_budget);
        self.in_background = trains || terms.is_some_and(|terms| terms.latency_budget.is_none());
        // Another plan has another power mode, so what was learned no longer holds.
        self.durations.forget();
        if let Some(expected) = terms.and_then(|terms| terms.expected) {
            self.durations.expect(self.batch_size, expected);
        }
    }

    /// A worker runs what it can: the largest of its sizes that is not above what is wanted.
    fn fitting(&self, wanted: u32) -> u32 {
        let fits = self.batch_sizes.iter().rev().find(|&&size| size <= wanted);
        fits.or(self.batch_sizes.first()).copied().unwrap_or(1)
    }

    /// How many requests to answer in one minibatch when it is its turn to answer `requests`. In a
    /// backlog that is as many more as do not make the oldest late, or as there can be if it is
    /// late in any case.
    pub(super) fn enlarged(&self, requests: u32, guard: f64, now: Moment) -> u32 {
        match self.queue.front() {
            Some(&oldest) if self.latency_budget.is_some() && requests >= self.batch_size => {
                let sizes = self.sizes(guard, now);
                Size::answers(&sizes, self.waiting(), now.since(oldest)).unwrap_or(requests)
            }
            _ => requests,
        }
    }

    /// How many requests its minibatches answer: what the plan wants, and what works off a backlog
    /// faster.
    pub(super) fn sizes(&self, guard: f64, now: Moment) -> Vec<Size> {
        let Some(budget) = self.latency_budget else {
            return vec![Size { requests: self.batch_size, hold: Duration::ZERO }];
        };
        // Between the sizes that a worker has, a minibatch takes as long as the next larger one.
        let time = |size: u32| {
            let known = self.durations.of(size, now).map_or(Duration::ZERO, |known| known.high);
            known.mul_f64(1.0 + guard)
        };
        let (wanted, own) = (self.batch_size, time(self.batch_size));
        let works_off_faster = |size: u32| {
            time(size).as_secs_f64() * f64::from(wanted) <= own.as_secs_f64() * f64::from(size)
        };
        let larger = self.batch_sizes.iter().copied().filter(|&size| {
            size > wanted && size <= self.largest_batch_size && works_off_faster(size)
        });
        let hold = |size| Size { requests: size, hold: budget.saturating_sub(time(size)) };
        iter::once(wanted).chain(larger).map(hold).collect()
    }

    pub(super) fn plan(&self, worker: WorkerId) -> Action {
        Action::Plan { worker, batch_size: self.batch_size, latency_budget: self.latency_budget }
    }

    /// Whether there is anything for it to run.
    pub(super) fn has_work(&self) -> bool {
        match self.workload.kind {
            WorkloadKind::Train => self.ready,
            WorkloadKind::Infer => !self.queue.is_empty(),
        }
    }

    /// Takes in whether it has the device, after whatever happened.
    pub(super) fn waits(&mut self, now: Moment, has_turn: bool) {
        self.waits_since = match self.waits_since {
            _ if has_turn || !self.has_work() => None,
            None => Some(now),
            since => since,
        };
    }

    /// How long it has had something to run and no turn. Requests may wait for others, and for the
    /// last moment at which they are answered in time.
    pub(super) fn waited(&self, now: Moment) -> Duration {
        self.waits_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Whether it has something to run while it is measured. Inference needs no requests for that.
    pub(super) fn can_be_measured(&self) -> bool {
        self.workload.kind == WorkloadKind::Infer || self.ready
    }

    /// How many requests one minibatch can answer now.
    pub(super) fn most_requests(&self) -> u32 {
        self.waiting().min(self.batch_size)
    }

    /// The longest that one of its minibatches takes. What is not known is found out by running it.
    pub(super) fn longest_minibatch(&self, now: Moment) -> Duration {
        let size = if self.workload.kind == WorkloadKind::Train { 0 } else { self.batch_size };
        self.durations.of(size, now).map_or(Duration::ZERO, |known| known.high)
    }

    /// How long to wait for the end of a minibatch with so many requests.
    pub(super) fn patience(&self, requests: u32, now: Moment) -> Duration {
        match self.durations.of(requests, now) {
            Some(known) if self.totals.minibatches > 0 => {
                PATIENCE.max(known.high * PATIENCE_FACTOR)
            }
            _ => PATIENCE_WITH_THE_FIRST,
        }
    }

    pub(super) fn stream(&self, now: Moment) -> Stream {
        Stream {
            waiting: self.waiting(),
            oldest: self.queue.front().copied().unwrap_or(Moment::START),
            batch_size: self.batch_size,
            latency_budget: self.latency_budget,
            minibatch: self.longest_minibatch(now),
        }
    }

    /// How many of its oldest requests will be late, if it has the device from now on.
    pub(super) fn will_be_late(&self, now: Moment) -> u32 {
        let (Some(budget), Some(known)) =
            (self.latency_budget, self.durations.of(self.batch_size, now))
        else {
            return 0;
        };
        let batch = self.batch_size.max(1);
        let late_in = |place: usize, arrived: Moment| {
            let minibatches = u32::try_from(place).unwrap_or(u32::MAX) / batch + 1;
            now + known.typical.saturating_mul(minibatches) > arrived + budget
        };
        let late = self
            .queue
            .iter()
            .take(FORETOLD)
            .enumerate()
            .take_while(|&(p, &a)| late_in(p, a))
            .count();
        u32::try_from(late).unwrap_or(u32::MAX)
    }

    /// Takes in that a minibatch of samples ran, which answers nobody.
    pub(super) fn rehearsed(&mut self, id: WorkerId, grant: u64, minibatch: Minibatch) -> Ran {
        self.totals.busy += minibatch.ended.since(minibatch.began);
        self.totals.minibatches += 1;
        Ran::new(id, grant, minibatch)
    }

    /// Others had the device while this one's minibatch may have been under way.
    pub(super) fn was_preempted(&mut self, preemption: Preemption) {
        // One after the other without a pause, as in a burst, they are one.
        match self.preemptions.last_mut() {
            Some(last) if last.ended == preemption.began => last.ended = preemption.ended,
            _ => self.preemptions.push(preemption),
        }
        if self.preemptions.len() > MOST_PREEMPTIONS {
            // What is between two of them is little.
            let second = self.preemptions.remove(1);
            self.preemptions[0].ended = second.ended;
        }
    }

    /// The parts of a minibatch during which it stood still; what was before is forgotten.
    fn preemptions_of(
        &mut self,
        minibatch: Minibatch,
        preempted_since: Option<Moment>,
    ) -> Vec<Preemption> {
        let last = preempted_since.map(|began| Preemption { began, ended: Moment::NEVER });
        let all = self.preemptions.iter().copied().chain(last);
        let within = all
            .map(|of| Preemption {
                began: of.began.max(minibatch.began),
                ended: of.ended.min(minibatch.ended),
            })
            .filter(|of| of.began < of.ended)
            .collect();
        self.preemptions.retain(|of| of.ended > minibatch.ended);
        within
    }

    /// Takes in that a minibatch ran, of which the last part may have been preempted.
    pub(super) fn ran(
        &mut self,
        id: WorkerId,
        grant: u64,
        minibatch: Minibatch,
        waited: Option<Duration>,
        preempted_since: Option<Moment>,
    ) -> Ran {
        let preemptions = self.preemptions_of(minibatch, preempted_since);
        let mut ran = Ran { waited, preemptions, ..Ran::new(id, grant, minibatch) };
        let took = ran.ran_for();
        let size = if self.workload.kind == WorkloadKind::Train { 0 } else { minibatch.requests };
        // The first one may have loaded data or compiled kernels, so a profile knows better.
        let known = self.durations.of(size, minibatch.ended).is_some();
        if self.totals.minibatches > 0 || !known {
            self.durations.watched(size, took, minibatch.ended);
        }
        let answered = self.queue.drain(..(minibatch.requests as usize).min(self.queue.len()));
        ran.latencies = answered.map(|arrived| minibatch.ended.since(arrived)).collect();
        let is_late = |latency: &&Duration| self.latency_budget.is_some_and(|b| **latency > b);
        let late = ran.latencies.iter().filter(is_late).count();
        ran.late = u32::try_from(late).unwrap_or(u32::MAX);
        self.totals.busy += took;
        self.totals.minibatches += 1;
        self.totals.requests += ran.latencies.len() as u64;
        self.totals.late += u64::from(ran.late);
        ran
    }
}
