//! What each workload did on this board since the agent started, whichever worker did it.

use std::collections::BTreeMap;
use std::time::Duration;

use fulcrum_domain::Workload;
use fulcrum_telemetry::{BUDGET_SECONDS, Histogram};

use crate::turns::Happening;

/// What one workload did.
#[derive(Debug)]
pub(crate) struct WorkloadTotal {
    pub(crate) turns: u64,
    pub(crate) waited: Duration,
    pub(crate) minibatches: u64,
    pub(crate) busy: Duration,
    pub(crate) arrived: u64,
    pub(crate) late: u64,
    /// Of the requests that were answered, in seconds.
    pub(crate) latencies: Histogram,
    pub(crate) fenced: u64,
}

impl Default for WorkloadTotal {
    fn default() -> Self {
        Self {
            turns: 0,
            waited: Duration::ZERO,
            minibatches: 0,
            busy: Duration::ZERO,
            arrived: 0,
            late: 0,
            latencies: Histogram::new(&BUDGET_SECONDS),
            fenced: 0,
        }
    }
}

/// What all of them did.
#[derive(Debug, Default)]
pub(crate) struct WorkloadTotals(BTreeMap<Workload, WorkloadTotal>);

impl WorkloadTotals {
    /// Counts something that happened.
    pub(crate) fn happened(&mut self, happened: &Happening) {
        match happened {
            Happening::Ran(turn) => {
                let total = self.of(&turn.workload);
                total.turns += u64::from(turn.ran.waited.is_some());
                total.waited += turn.ran.waited.unwrap_or_default();
                total.minibatches += 1;
                total.busy += turn.ran.ran_for();
                total.late += u64::from(turn.ran.late);
                for latency in &turn.ran.latencies {
                    total.latencies.observe(latency.as_secs_f64());
                }
            }
            Happening::Arrived { workload, at } => self.of(workload).arrived += at.len() as u64,
            Happening::Fenced { workload, .. } => self.of(workload).fenced += 1,
            Happening::Attached { .. } | Happening::Left { .. } => {}
        }
    }

    /// Each workload with what it did.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Workload, &WorkloadTotal)> {
        self.0.iter()
    }

    fn of(&mut self, workload: &Workload) -> &mut WorkloadTotal {
        if !self.0.contains_key(workload) {
            self.0.insert(workload.clone(), WorkloadTotal::default());
        }
        self.0.entry(workload.clone()).or_default()
    }
}
