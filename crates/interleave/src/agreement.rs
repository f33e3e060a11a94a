//! What a plan promises, as far as turns have to keep it.

use std::sync::Arc;
use std::time::Duration;

use fulcrum_domain::{
    Alternate, Assessment, BatchSize, OperatingPoint, Problem, Seconds, Workload,
};

/// What a plan promises. Without a plan there is the default: everyone takes turns, requests first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Agreement {
    /// How background minibatches and inference alternate.
    pub alternate: Alternate,
    /// By how much longer than known a minibatch is taken to last: 0.1 for a tenth.
    pub guard: f64,
    /// Background minibatches in a cycle, τ. Only kept where they alternate strictly.
    pub minibatches_per_cycle: u32,
    /// What was promised for each workload.
    pub terms: Vec<Terms>,
}

/// What was promised for one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The workload.
    pub workload: Workload,
    /// The size of its minibatches; for inference, the most requests that one answers.
    pub batch_size: u32,
    /// The most requests that a minibatch answers while more than `batch_size` wait: larger ones
    /// work a backlog off faster. The power budget has to hold for it.
    pub largest_batch_size: u32,
    /// How long a request may take from its arrival to its answer. None for what runs in the
    /// background: training, or an inference in training's place.
    pub latency_budget: Option<Duration>,
    /// How long a minibatch takes by its profile, until that is learned by watching.
    pub expected: Option<Duration>,
}

impl Agreement {
    /// What a problem asks for, met at an operating point that does what the assessment says.
    /// `background_batch` is the size of the background workload's minibatches.
    pub fn of_plan(
        problem: &Problem,
        point: &OperatingPoint,
        promise: &Assessment,
        alternate: Alternate,
        background_batch: BatchSize,
    ) -> Self {
        let time = |seconds: Seconds| Duration::from_secs_f64(seconds.get());
        let background = problem.background().zip(point.background).map(|(workload, profile)| {
            Terms::background(workload.clone(), background_batch.get())
                .expecting(time(profile.minibatch))
        });
        let urgent = problem.urgent().zip(point.urgent).map(|(stream, (batch, profile))| Terms {
            workload: stream.workload.clone(),
            batch_size: batch.get(),
            largest_batch_size: batch.get(),
            latency_budget: Some(time(stream.latency)),
            expected: Some(time(profile.minibatch)),
        });
        Self {
            alternate,
            guard: 0.0,
            minibatches_per_cycle: promise.minibatches_per_cycle.unwrap_or(0.0) as u32,
            terms: background.into_iter().chain(urgent).collect(),
        }
    }

    /// The same with a guard.
    #[must_use]
    pub fn guarded(mut self, guard: f64) -> Self {
        self.guard = guard;
        self
    }

    /// What was promised for a workload, if anything.
    pub fn terms(&self, workload: &Workload) -> Option<&Terms> {
        self.terms.iter().find(|terms| terms.workload == *workload)
    }
}

impl Terms {
    /// Terms of a workload that runs in the background.
    pub fn background(workload: Workload, batch_size: u32) -> Self {
        let largest_batch_size = batch_size;
        Self { workload, batch_size, largest_batch_size, latency_budget: None, expected: None }
    }

    /// Terms of an inference with a latency budget.
    pub fn urgent(name: &Arc<str>, batch_size: u32, latency_budget: Duration) -> Self {
        let terms = Self::background(Workload::infer(name), batch_size);
        Self { latency_budget: Some(latency_budget), ..terms }
    }

    /// The same with larger minibatches for a backlog.
    #[must_use]
    pub fn up_to(mut self, largest_batch_size: u32) -> Self {
        self.largest_batch_size = largest_batch_size.max(self.batch_size);
        self
    }

    /// The same with what the profile says of a minibatch's time.
    #[must_use]
    pub fn expecting(mut self, minibatch: Duration) -> Self {
        self.expected = Some(minibatch);
        self
    }
}
