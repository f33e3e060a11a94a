//! What monotony rules out: no mode is faster than one above it, none draws less than one below.

use fulcrum_domain::{BatchSize, ModeId, Profile, Role};

use crate::procedure::Probe;
use crate::task::{GUARD_SIGMAS, Task};

/// The readings, each as good as it may really be.
pub(super) struct Pruning<'a> {
    task: &'a Task,
    readings: Vec<(ModeId, Role, BatchSize, Profile)>,
}

impl<'a> Pruning<'a> {
    pub(super) fn new(task: &'a Task, probe: &Probe<'_>) -> Self {
        let readings = probe.log().profiles().iter();
        let readings = readings
            .map(|(m, profile)| (m.mode, m.role, m.batch_size, profile.guarded(-GUARD_SIGMAS)))
            .collect();
        Self { task, readings }
    }

    /// Whether a budget cannot hold at a mode and a batch size.
    pub(super) fn excludes(&self, mode: ModeId, batch: BatchSize) -> bool {
        let Task { problem, setting, .. } = self.task;
        let space = &setting.space;
        let too_slow = |time: f64| {
            problem.urgent().is_some_and(|stream| {
                let cycle = batch.as_f64() / stream.rate.get();
                time > cycle || cycle + time > stream.latency.get()
            })
        };
        self.readings.iter().any(|(other, role, size, profile)| {
            (*role == Role::Background || *size == batch)
                && (profile.power > problem.power() && space.at_most(*other, mode)
                    || *role == Role::Urgent
                        && too_slow(profile.minibatch.get())
                        && space.at_most(mode, *other))
        })
    }
}
