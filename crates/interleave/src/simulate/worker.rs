//! A simulated worker: keeps its turn as a real one does, and fails where it is told to.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use fulcrum_domain::{Workload, WorkloadKind};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::arrivals::{Arrivals, Drawn};
use super::device::Execution;
use super::latency::Latencies;
use crate::moment::Moment;
use crate::turns::{Minibatch, Ran, Size, WorkerId};

/// Minibatches are told of at the latest after this long.
const REPORT: Duration = Duration::from_millis(100);

/// A worker to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What it runs.
    pub workload: Workload,
    /// The batch sizes that it can run, ascending.
    pub batch_sizes: Vec<u32>,
    /// How long that takes.
    pub execution: Execution,
    /// When requests arrive, if it infers.
    pub arrivals: Option<Arrivals>,
    /// Whether it stands still by itself while requests are answered. For training alone.
    pub preemptible: bool,
    /// Whether it answers by itself where it may. For inference alone.
    pub stands: bool,
    /// How it fails.
    pub faults: Faults,
}

impl Job {
    /// A training job whose minibatch takes this long.
    pub fn train(name: &str, execution: Execution) -> Self {
        Self {
            workload: Workload::train(name),
            batch_sizes: vec![1],
            execution,
            arrivals: None,
            preemptible: false,
            stands: false,
            faults: Faults::default(),
        }
    }

    /// An inference on requests that arrive.
    pub fn infer(
        name: &str,
        batch_sizes: impl IntoIterator<Item = u32>,
        execution: Execution,
        arrivals: Arrivals,
    ) -> Self {
        Self {
            workload: Workload::infer(name),
            batch_sizes: batch_sizes.into_iter().collect(),
            execution,
            arrivals: Some(arrivals),
            preemptible: false,
            stands: false,
            faults: Faults::default(),
        }
    }

    /// The same, but it stands still by itself while requests are answered.
    #[must_use]
    pub fn preemptible(mut self) -> Self {
        self.preemptible = true;
        self
    }

    /// The same, but it answers by itself where it may.
    #[must_use]
    pub fn standing(mut self) -> Self {
        self.stands = true;
        self
    }

    /// The same with faults.
    #[must_use]
    pub fn failing(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }
}

/// How a worker fails: the share of its minibatches that do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// The process dies midway, with the requests that wait at it, and starts anew a little later.
    pub crash: f64,
    /// The minibatch takes up to five seconds longer.
    pub hang: f64,
    /// The minibatch takes up to ten times as long.
    pub late: f64,
}

/// What became of a job.
#[derive(Debug, Clone, Default)]
pub struct JobReport {
    /// Minibatches that it was told had counted.
    pub minibatches: u64,
    /// How long those ran, without the time in which they stood still.
    pub busy: Duration,
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that were answered, each counted when it was.
    pub answered: u64,
    /// Requests that died with the process; their senders know.
    pub failed: u64,
    /// Requests that wait at the end.
    pub waiting: u64,
    /// Requests that were answered later than they may be.
    pub late: u64,
    /// From arrival to answer.
    pub latencies: Latencies,
    /// How often the process died.
    pub crashes: u64,
    /// How often the others went on without it.
    pub fences: u64,
}

/// What a simulated worker does next by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The minibatch that runs ends.
    Ends,
    /// The process dies.
    Dies,
    /// The oldest request bears no longer wait for others.
    Answers,
}

/// What a worker says of its turn.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) grant: u64,
    pub(super) minibatches: Vec<Minibatch>,
    pub(super) done: bool,
}

#[derive(Debug, Clone, Copy)]
struct Turn {
    grant: u64,
    start_until: Moment,
    left: u32,
    told: Moment,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    began: Moment,
    requests: u32,
    /// What happens next if it does not have to stand still.
    next: (Moment, Next),
}

pub(super) struct Simulated {
    pub(super) job: Job,
    /// What it is called while it is attached.
    pub(super) attached: Option<WorkerId>,
    pub(super) report: JobReport,
    /// Counts what it began, so that what it would have done is forgotten when it dies.
    pub(super) epoch: u64,
    queue: VecDeque<Moment>,
    arrivals: Option<Drawn>,
    running: Option<Running>,
    turn: Option<Turn>,
    /// How many requests it answers by itself, in a turn of that name.
    standing: Option<(u64, Vec<Size>)>,
    untold: Vec<Minibatch>,
    random: ChaCha8Rng,
    handover: Duration,
}

impl Simulated {
    pub(super) fn new(job: Job, handover: Duration, random: ChaCha8Rng, drawn: ChaCha8Rng) -> Self {
        Self {
            arrivals: job.arrivals.clone().map(|arrivals| Drawn::new(arrivals, drawn)),
            job,
            attached: None,
            report: JobReport::default(),
            epoch: 0,
            queue: VecDeque::new(),
            running: None,
            turn: None,
            standing: None,
            untold: Vec::new(),
            random,
            handover,
        }
    }

    pub(super) fn trains(&self) -> bool {
        self.job.workload.kind == WorkloadKind::Train
    }

    pub(super) fn next_arrival(&mut self) -> Option<Moment> {
        self.arrivals.as_mut()?.next()
    }

    pub(super) fn arrives(&mut self, at: Moment) {
        self.report.arrived += 1;
        self.queue.push_back(at);
    }

    /// Requests that wait, to tell a new agent of.
    pub(super) fn waiting(&self) -> Vec<Moment> {
        self.queue.iter().copied().collect()
    }

    /// Whether a minibatch runs.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Until when a minibatch runs that it began by itself.
    pub(super) fn answers_until(&self) -> Option<Moment> {
        self.running.filter(|_| self.standing.is_some()).map(|running| running.next.0)
    }

    /// It answers by itself from now on. Says when what happens next.
    pub(super) fn stands(
        &mut self,
        now: Moment,
        grant: u64,
        sizes: Vec<Size>,
    ) -> Option<(Moment, Next)> {
        self.standing = Some((grant, sizes));
        self.answers(now)
    }

    /// Begins a minibatch by itself if it is time to. Says when what happens next.
    pub(super) fn answers(&mut self, now: Moment) -> Option<(Moment, Next)> {
        let (_, sizes) = self.standing.as_ref()?;
        let (&oldest, waiting) = (self.queue.front()?, self.queue.len() as u32);
        if self.running.is_some() {
            return None;
        }
        match Size::answers(sizes, waiting, now.since(oldest)) {
            Some(requests) => Some(self.begin(now, requests)),
            None => {
                self.epoch += 1;
                Some((oldest + sizes.first()?.hold, Next::Answers))
            }
        }
    }

    /// It is its turn. Says when what happens next.
    pub(super) fn granted(
        &mut self,
        now: Moment,
        grant: u64,
        start_until: Moment,
        minibatches: Option<u32>,
        requests: u32,
    ) -> (Moment, Next) {
        let left = minibatches.unwrap_or(u32::MAX);
        self.turn = Some(Turn { grant, start_until, left, told: now });
        self.begin(now + self.handover, requests)
    }

    /// Begins a minibatch. Says when what happens next.
    fn begin(&mut self, now: Moment, requests: u32) -> (Moment, Next) {
        let next = self.draw(now, requests);
        self.running = Some(Running { began: now, requests, next });
        self.epoch += 1;
        next
    }

    /// Stands still for so long, if a minibatch runs. Says when what happens next.
    pub(super) fn stands_still(&mut self, time: Duration) -> Option<(Moment, Next)> {
        let running = self.running.as_mut()?;
        running.next.0 = running.next.0 + time;
        self.epoch += 1;
        Some(running.next)
    }

    /// How a minibatch that begins now ends, and when.
    fn draw(&mut self, now: Moment, requests: u32) -> (Moment, Next) {
        let mut time = self.job.execution.draw(requests, now, &mut self.random);
        let faults = self.job.faults;
        if faults != Faults::default() {
            let fault: f64 = self.random.random();
            if fault < faults.crash {
                return (now + time.mul_f64(self.random.random()), Next::Dies);
            } else if fault < faults.crash + faults.hang {
                time += Duration::from_secs_f64(self.random.random_range(0.0..5.0));
            } else if fault < faults.crash + faults.hang + faults.late {
                time = time.mul_f64(self.random.random_range(1.0..10.0));
            }
        }
        (now + time, Next::Ends)
    }

    /// The minibatch has ended: what to tell, and when what happens next.
    pub(super) fn ends(&mut self, now: Moment) -> (Option<Told>, Option<(Moment, Next)>) {
        let Some(Running { began, requests, .. }) = self.running.take() else {
            return (None, None);
        };
        for _ in 0..requests {
            // It took them from its own queue when it began; nobody else does.
            if self.queue.pop_front().is_some() {
                self.report.answered += 1;
            }
        }
        if let Some(&(grant, _)) = self.standing.as_ref() {
            let minibatches = vec![Minibatch { began, ended: now, requests }];
            let told = Told { grant, minibatches, done: false };
            return (Some(told), self.answers(now));
        }
        let Some(turn) = &mut self.turn else { return (None, None) };
        self.untold.push(Minibatch { began, ended: now, requests });
        turn.left = turn.left.saturating_sub(1);
        if turn.left == 0 || now > turn.start_until {
            return (self.give_back(), None);
        }
        let told = (now.since(turn.told) >= REPORT).then(|| {
            turn.told = now;
            Told { grant: turn.grant, minibatches: mem::take(&mut self.untold), done: false }
        });
        let next = self.trains().then(|| self.begin(now, 0));
        (told, next)
    }

    /// The turn is taken back.
    pub(super) fn revoked(&mut self, grant: u64) -> Option<Told> {
        if self.standing.take_if(|standing| standing.0 == grant).is_some() {
            // What runs is told of as the last of its turn.
            self.turn =
                Some(Turn { grant, start_until: Moment::NEVER, left: 0, told: Moment::START });
            return if self.running.is_some() { None } else { self.give_back() };
        }
        let turn = self.turn.as_mut().filter(|turn| turn.grant == grant)?;
        turn.left = 0;
        if self.running.is_some() { None } else { self.give_back() }
    }

    fn give_back(&mut self) -> Option<Told> {
        let turn = self.turn.take()?;
        let minibatches = mem::take(&mut self.untold);
        Some(Told { grant: turn.grant, minibatches, done: true })
    }

    /// The connection is gone: whatever runs goes on, but counts for nobody.
    pub(super) fn fenced(&mut self) {
        self.report.fences += 1;
        self.attached = None;
        self.turn = None;
        self.standing = None;
        self.untold.clear();
    }

    /// The process dies, and with it the requests that wait.
    pub(super) fn dies(&mut self) {
        self.report.crashes += 1;
        self.report.failed += self.queue.len() as u64;
        self.queue.clear();
        self.attached = None;
        self.turn = None;
        self.standing = None;
        self.running = None;
        self.untold.clear();
        self.epoch += 1;
    }

    /// One of its minibatches counted.
    pub(super) fn counted(&mut self, ran: &Ran) {
        self.report.minibatches += 1;
        self.report.busy += ran.ran_for();
        self.report.late += u64::from(ran.late);
        for &latency in &ran.latencies {
            self.report.latencies.add(latency);
        }
    }

    pub(super) fn into_report(self) -> JobReport {
        JobReport { waiting: self.queue.len() as u64, ..self.report }
    }
}
