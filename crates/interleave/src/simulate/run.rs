//! Runs turns in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::device::Execution;
use super::worker::{Job, JobReport, Next, Simulated as SimulatedWorker, Told};
use crate::agreement::Agreement;
use crate::moment::Moment;
use crate::turns::{Action, Event, Preemption, Turns, WorkerId};

/// A process that died starts anew after at most this long.
const RESTART: Duration = Duration::from_millis(500);

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// What is promised.
    pub agreement: Agreement,
    /// The workers.
    pub jobs: Vec<Job>,
    /// For how long.
    pub duration: Duration,
    /// What a turn costs: from the agent's word to the first minibatch.
    pub handover: Duration,
    /// What everything random follows from.
    pub seed: u64,
    /// Whether to keep every turn; otherwise the space needed does not grow with the duration.
    pub record: bool,
}

impl Setup {
    /// These workers for so long, with nothing lost between turns.
    pub fn new(agreement: Agreement, jobs: Vec<Job>, duration: Duration) -> Self {
        Self { agreement, jobs, duration, handover: Duration::ZERO, seed: 1, record: false }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// One report a job, in their order.
    pub jobs: Vec<JobReport>,
    /// How long nothing ran.
    pub idle: Duration,
    /// For how long it ran.
    pub duration: Duration,
    /// Every minibatch that counted, in the order in which they were told of; empty unless they
    /// were to be kept.
    pub turns: Vec<Turn>,
}

impl Report {
    /// Minibatches a second of a job.
    pub fn throughput(&self, job: usize) -> f64 {
        self.jobs[job].minibatches as f64 / self.duration.as_secs_f64()
    }

    /// The share of a job's answered requests that were late.
    pub fn late_share(&self, job: usize) -> f64 {
        let job = &self.jobs[job];
        if job.latencies.count() == 0 {
            0.0
        } else {
            job.late as f64 / job.latencies.count() as f64
        }
    }
}

/// A minibatch in a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The job's place.
    pub job: usize,
    /// The turn in which it ran.
    pub grant: u64,
    /// When it began.
    pub began: Moment,
    /// When it had ended.
    pub ended: Moment,
    /// When it stood still in between.
    pub preemptions: Vec<Preemption>,
    /// When the requests that it answered had arrived, the oldest first.
    pub arrived: Vec<Moment>,
}

/// When requests arrive at each job of a simulation.
pub fn arrivals(setup: &Setup) -> Vec<Vec<Moment>> {
    let end = Moment::START + setup.duration;
    let mut workers = workers(setup, &mut ChaCha8Rng::seed_from_u64(setup.seed));
    let all = |worker: &mut SimulatedWorker| {
        std::iter::from_fn(|| worker.next_arrival()).take_while(|at| *at <= end).collect()
    };
    workers.iter_mut().map(all).collect()
}

fn workers(setup: &Setup, random: &mut ChaCha8Rng) -> Vec<SimulatedWorker> {
    let mut fork = || ChaCha8Rng::seed_from_u64(random.random());
    let worker = |job: &Job| SimulatedWorker::new(job.clone(), setup.handover, fork(), fork());
    setup.jobs.iter().map(worker).collect()
}

/// Simulates.
pub fn simulate(setup: &Setup) -> Report {
    Simulated::new(setup).finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Arrives(usize),
    Ends(usize, u64),
    Dies(usize, u64),
    Answers(usize, u64),
    Attaches(usize),
    Agrees(usize),
}

/// A simulation, to change what is promised while it runs.
pub struct Simulated {
    turns: Turns,
    workers: Vec<SimulatedWorker>,
    jobs: BTreeMap<WorkerId, usize>,
    events: BinaryHeap<Reverse<(Moment, u64, What)>>,
    plans: Vec<(Agreement, Option<Vec<Execution>>)>,
    sequence: u64,
    ids: WorkerId,
    now: Moment,
    end: Moment,
    record: bool,
    report: Report,
    random: ChaCha8Rng,
    actions: Vec<Action>,
    told: VecDeque<(usize, Told)>,
}

impl Simulated {
    /// A simulation that has not begun.
    pub fn new(setup: &Setup) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(setup.seed);
        let workers = workers(setup, &mut random);
        let mut simulated = Self {
            turns: Turns::new(),
            jobs: BTreeMap::new(),
            events: BinaryHeap::new(),
            plans: Vec::new(),
            sequence: 0,
            ids: 0,
            now: Moment::START,
            end: Moment::START + setup.duration,
            record: setup.record,
            report: Report { duration: setup.duration, ..Report::default() },
            random,
            actions: Vec::new(),
            told: VecDeque::new(),
            workers,
        };
        simulated.agrees(Moment::START, setup.agreement.clone(), None);
        // Who trains before requests can be known of trains too long for them.
        let mut order: Vec<usize> = (0..simulated.workers.len()).collect();
        order.sort_by_key(|&job| simulated.workers[job].trains());
        for job in order {
            simulated.at(Moment::START, What::Attaches(job));
            simulated.draw_arrival(job);
        }
        simulated
    }

    /// Another plan comes into force at a moment, with what minibatches take from then on: one
    /// execution a job, in their order; none where they take as long as before.
    pub fn agrees(&mut self, at: Moment, agreement: Agreement, executions: Option<Vec<Execution>>) {
        self.plans.push((agreement, executions));
        self.at(at, What::Agrees(self.plans.len() - 1));
    }

    /// How many requests have arrived at a job.
    pub fn arrived(&self, job: usize) -> u64 {
        self.workers[job].report.arrived
    }

    /// Runs until a moment, or to the end.
    pub fn run_until(&mut self, moment: Moment) {
        let end = self.end.min(moment);
        loop {
            let next = self.events.peek().map_or(Moment::NEVER, |Reverse((at, ..))| *at);
            let wake = self.turns.wake_at();
            let at = next.min(wake);
            if at > end || at == Moment::NEVER {
                return;
            }
            self.now = self.now.max(at);
            if wake < next {
                self.tell(|turns, now, actions| turns.handle(now, Event::Tick, actions));
            } else if let Some(Reverse((_, _, what))) = self.events.pop() {
                self.happens(what);
            }
        }
    }

    /// Runs to the end.
    pub fn finish(mut self) -> Report {
        self.run_until(Moment::NEVER);
        let busy: Duration = self.workers.iter().map(|worker| worker.report.busy).sum();
        self.report.idle = self.report.duration.saturating_sub(busy);
        self.report.jobs = self.workers.into_iter().map(SimulatedWorker::into_report).collect();
        self.report
    }

    fn at(&mut self, moment: Moment, what: What) {
        self.sequence += 1;
        self.events.push(Reverse((moment, self.sequence, what)));
    }

    fn draw_arrival(&mut self, job: usize) {
        if let Some(at) = self.workers[job].next_arrival() {
            self.at(at, What::Arrives(job));
        }
    }

    fn happens(&mut self, what: What) {
        let now = self.now;
        match what {
            What::Arrives(job) => {
                self.workers[job].arrives(now);
                if let Some(worker) = self.workers[job].attached {
                    let event = Event::Arrived { worker, at: &[now] };
                    self.tell(|turns, now, actions| turns.handle(now, event, actions));
                }
                self.answers(job);
                self.draw_arrival(job);
            }
            What::Ends(job, epoch) if epoch == self.workers[job].epoch => {
                let (told, next) = self.workers[job].ends(now);
                self.began(job, next);
                self.told.extend(told.map(|told| (job, told)));
                self.tell_what_is_told();
            }
            What::Dies(job, epoch) if epoch == self.workers[job].epoch => {
                if let Some(worker) = self.workers[job].attached {
                    self.jobs.remove(&worker);
                    let event = Event::Detached { worker };
                    self.tell(|turns, now, actions| turns.handle(now, event, actions));
                }
                self.workers[job].dies();
                let restart = now + RESTART.mul_f64(self.random.random());
                self.at(restart, What::Attaches(job));
            }
            What::Answers(job, epoch) if epoch == self.workers[job].epoch => self.answers(job),
            What::Ends(..) | What::Dies(..) | What::Answers(..) => {}
            What::Attaches(job) => self.attaches(job),
            What::Agrees(place) => {
                let (agreement, executions) = self.plans[place].clone();
                for (worker, execution) in
                    self.workers.iter_mut().zip(executions.into_iter().flatten())
                {
                    worker.job.execution = execution;
                }
                self.tell(|turns, now, actions| {
                    turns.handle(now, Event::Agreed(&agreement), actions);
                });
            }
        }
    }

    fn attaches(&mut self, job: usize) {
        // One that hangs attaches when it is back.
        if self.workers[job].is_running() {
            let later = self.now + RESTART;
            return self.at(later, What::Attaches(job));
        }
        self.ids += 1;
        let id = self.ids;
        self.workers[job].attached = Some(id);
        self.jobs.insert(id, job);
        let (workload, sizes) =
            (self.workers[job].job.workload.clone(), self.workers[job].job.batch_sizes.clone());
        let waiting = self.workers[job].waiting();
        let Job { preemptible, stands, .. } = self.workers[job].job;
        self.tell(|turns, now, actions| {
            let event = Event::Attached {
                worker: id,
                workload: &workload,
                batch_sizes: &sizes,
                preemptible,
                stands,
            };
            turns.handle(now, event, actions);
            if !waiting.is_empty() {
                turns.handle(now, Event::Arrived { worker: id, at: &waiting }, actions);
            }
        });
    }

    fn next(&mut self, job: usize, next: Option<(Moment, Next)>) {
        let Some((at, next)) = next else { return };
        let epoch = self.workers[job].epoch;
        let what = match next {
            Next::Ends => What::Ends(job, epoch),
            Next::Dies => What::Dies(job, epoch),
            Next::Answers => What::Answers(job, epoch),
        };
        self.at(at, what);
    }

    /// A job whose turn stands begins a minibatch if it is time to.
    fn answers(&mut self, job: usize) {
        let next = self.workers[job].answers(self.now);
        self.began(job, next);
    }

    /// What happens next to a job; others stand still meanwhile.
    fn began(&mut self, job: usize, next: Option<(Moment, Next)>) {
        self.next(job, next);
        if let Some((at, Next::Ends | Next::Dies)) = next
            && !self.workers[job].trains()
        {
            self.preempts(job, at.since(self.now));
        }
    }

    /// Who is preemptible stands still as long as a job answers requests.
    fn preempts(&mut self, by: usize, time: Duration) {
        for job in 0..self.workers.len() {
            if job != by && self.workers[job].job.preemptible {
                let next = self.workers[job].stands_still(time);
                self.next(job, next);
            }
        }
    }

    /// Lets the turns take in what happened, and does what they say.
    fn tell(&mut self, happened: impl FnOnce(&mut Turns, Moment, &mut Vec<Action>)) {
        let mut actions = std::mem::take(&mut self.actions);
        happened(&mut self.turns, self.now, &mut actions);
        for action in actions.drain(..) {
            self.act(action);
        }
        self.actions = actions;
        self.tell_what_is_told();
    }

    fn tell_what_is_told(&mut self) {
        while let Some((job, Told { grant, minibatches, done })) = self.told.pop_front() {
            let Some(worker) = self.workers[job].attached else { continue };
            let event = Event::Ran { worker, grant, minibatches: &minibatches, done };
            self.tell(|turns, now, actions| turns.handle(now, event, actions));
        }
    }

    fn act(&mut self, action: Action) {
        let job_of = |worker: &WorkerId| self.jobs.get(worker).copied();
        match action {
            Action::Grant { worker, grant, start_until, minibatches, requests } => {
                if let Some(job) = job_of(&worker) {
                    let now = self.now;
                    let next =
                        self.workers[job].granted(now, grant, start_until, minibatches, requests);
                    self.began(job, Some(next));
                    let answers = |worker: &SimulatedWorker| worker.answers_until();
                    if let Some(until) = self.workers.iter().filter_map(answers).max() {
                        let next = self.workers[job].stands_still(until.since(now));
                        self.next(job, next);
                    }
                }
            }
            Action::Stand { worker, grant, sizes } => {
                if let Some(job) = job_of(&worker) {
                    let next = self.workers[job].stands(self.now, grant, sizes);
                    self.began(job, next);
                }
            }
            Action::Revoke { worker, grant } => {
                if let Some(job) = job_of(&worker) {
                    let told = self.workers[job].revoked(grant);
                    self.told.extend(told.map(|told| (job, told)));
                }
            }
            Action::Fence { worker, .. } => {
                if let Some(job) = self.jobs.remove(&worker) {
                    self.workers[job].fenced();
                    let later = self.now + RESTART;
                    self.at(later, What::Attaches(job));
                }
            }
            Action::Ran(ran) => {
                let Some(job) = job_of(&ran.worker) else { return };
                self.workers[job].counted(&ran);
                if self.record {
                    let ended = ran.minibatch.ended;
                    self.report.turns.push(Turn {
                        job,
                        grant: ran.grant,
                        began: ran.minibatch.began,
                        ended,
                        preemptions: ran.preemptions,
                        arrived: ran.latencies.iter().map(|&latency| ended - latency).collect(),
                    });
                }
            }
            // Nobody is measured here.
            Action::Plan { .. } | Action::Late { .. } | Action::Rehearse { .. } => {}
        }
    }
}
