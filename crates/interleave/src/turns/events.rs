//! What turns are told of, and what they say.

use std::iter;
use std::time::Duration;

use fulcrum_domain::Workload;

use super::{Size, WorkerId};
use crate::agreement::Agreement;
use crate::moment::Moment;

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A worker attached.
    Attached {
        /// What it will be called.
        worker: WorkerId,
        /// What it runs.
        workload: &'a Workload,
        /// The batch sizes that it can run, ascending, at least one.
        batch_sizes: &'a [u32],
        /// Whether what it runs stands still by itself while requests are answered, even in the
        /// midst of a minibatch. For training alone.
        preemptible: bool,
        /// Whether it can answer requests by itself in a turn that stands. For inference alone.
        stands: bool,
    },
    /// A worker is gone, with the requests that waited at it.
    Detached {
        /// The worker.
        worker: WorkerId,
    },
    /// Requests arrived at a worker.
    Arrived {
        /// The worker.
        worker: WorkerId,
        /// When each did.
        at: &'a [Moment],
    },
    /// A worker ran minibatches in its turn.
    Ran {
        /// The worker.
        worker: WorkerId,
        /// The turn.
        grant: u64,
        /// The minibatches.
        minibatches: &'a [Minibatch],
        /// Whether the turn is over.
        done: bool,
    },
    /// Whether a training worker has a next minibatch.
    Ready {
        /// The worker.
        worker: WorkerId,
        /// Whether it has.
        work: bool,
    },
    /// Another plan is in force, or none.
    Agreed(&'a Agreement),
    /// One worker is to be measured: until [`Event::Released`] it alone has the device, and runs
    /// minibatches of this size one after the other, whatever waits. Inference runs them on samples
    /// of its own making.
    Reserved {
        /// The worker.
        worker: WorkerId,
        /// One of its batch sizes.
        batch_size: u32,
    },
    /// Nobody is measured any more.
    Released,
    /// Time passed.
    Tick,
}

/// A minibatch as its worker tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minibatch {
    /// When it began.
    pub began: Moment,
    /// When it had ended.
    pub ended: Moment,
    /// How many of the oldest requests it answered; 0 in training.
    pub requests: u32,
}

impl Minibatch {
    /// Whether it began, ended, and did so before now.
    pub(super) fn is_past(&self, now: Moment) -> bool {
        self.began <= self.ended && self.ended <= now
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Tell a worker what the plan wants of it.
    Plan {
        /// The worker.
        worker: WorkerId,
        /// The size of its minibatches, or the most requests that one answers.
        batch_size: u32,
        /// How long a request may take.
        latency_budget: Option<Duration>,
    },
    /// Give a worker its turn.
    Grant {
        /// The worker.
        worker: WorkerId,
        /// Names the turn.
        grant: u64,
        /// No minibatch may begin later than this.
        start_until: Moment,
        /// At most so many minibatches; none for as many as there is time for.
        minibatches: Option<u32>,
        /// How many requests to answer, in one minibatch; 0 in training.
        requests: u32,
    },
    /// Give a worker a turn that stands: it answers requests by itself until the turn is revoked,
    /// and tells of every minibatch when it has ended. With the name of its turn that stands, that
    /// goes on with other sizes.
    Stand {
        /// The worker.
        worker: WorkerId,
        /// Names the turn.
        grant: u64,
        /// How many requests a minibatch answers: one or more, ascending.
        sizes: Vec<Size>,
    },
    /// Let a worker run one minibatch of so many samples of its own making, in a turn of that name.
    Rehearse {
        /// The worker.
        worker: WorkerId,
        /// Names the turn.
        grant: u64,
        /// How many samples.
        requests: u32,
    },
    /// Take a turn back at the end of the minibatch that runs.
    Revoke {
        /// The worker.
        worker: WorkerId,
        /// The turn.
        grant: u64,
    },
    /// Tell a worker that so many of its oldest requests will be late.
    Late {
        /// The worker.
        worker: WorkerId,
        /// How many.
        requests: u32,
    },
    /// Go on without a worker: end its connection. It is no longer attached.
    Fence {
        /// The worker.
        worker: WorkerId,
        /// What it did, or did not do.
        reason: String,
    },
    /// Nothing to do: a minibatch ran.
    Ran(Ran),
}

/// A minibatch that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Whose it was.
    pub worker: WorkerId,
    /// In which turn.
    pub grant: u64,
    /// When it began and had ended.
    pub minibatch: Minibatch,
    /// How long each of its requests took from arrival to answer, the oldest first.
    pub latencies: Vec<Duration>,
    /// How many of them took longer than they may.
    pub late: u32,
    /// How long its worker had something to run and waited for this turn, told with the turn's first
    /// minibatch; none with the others, and where it was measured.
    pub waited: Option<Duration>,
    /// When it stood still in between, because others had the device; ascending.
    pub preemptions: Vec<Preemption>,
    /// Whether it preempted another one.
    pub preempts: bool,
}

impl Ran {
    /// A minibatch that ran undisturbed and answered nobody.
    pub fn new(worker: WorkerId, grant: u64, minibatch: Minibatch) -> Self {
        let (latencies, preemptions) = (Vec::new(), Vec::new());
        let (late, waited, preempts) = (0, None, false);
        Self { worker, grant, minibatch, latencies, late, waited, preemptions, preempts }
    }

    /// When it ran, from when to when: all the time but for its preemptions.
    pub fn pieces(&self) -> impl Iterator<Item = (Moment, Moment)> {
        let Minibatch { began, ended, .. } = self.minibatch;
        let begins = iter::once(began).chain(self.preemptions.iter().map(|of| of.ended));
        let ends = self.preemptions.iter().map(|of| of.began).chain(iter::once(ended));
        begins.zip(ends)
    }

    /// How long it ran, without its preemptions.
    pub fn ran_for(&self) -> Duration {
        self.pieces().map(|(began, ended)| ended.since(began)).sum()
    }
}

/// A time during which a minibatch that had begun stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preemption {
    /// When it began.
    pub began: Moment,
    /// When it had ended.
    pub ended: Moment,
}
