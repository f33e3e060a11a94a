//! What is seen of a run while it goes on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fulcrum_api::{RemoteBoard, RemoteError, RemoteSample, Seen, pieces_ns, v1};
use fulcrum_domain::Workload;
use fulcrum_interleave::simulate::Latencies;

use super::live::Live;
use super::report::{Report, WorkloadReport};
use super::wanted::Wanted;

/// So much of the end of the run is kept minibatch by minibatch, for the picture.
const PICTURED: Duration = Duration::from_secs(5);

/// A run as it was seen.
pub(super) struct Observed<'a> {
    wanted: &'a Wanted,
    before: RemoteSample,
    after: RemoteSample,
    took: Duration,
    by_workload: BTreeMap<Workload, Ran>,
    joules: BTreeMap<String, f64>,
    turns: Vec<v1::Turn>,
    fenced: Vec<String>,
    missed: u64,
}

#[derive(Default)]
struct Ran {
    minibatches: u64,
    busy: Duration,
    late: u64,
    latencies: Latencies,
}

fn workload_of(turn: &v1::Turn) -> Workload {
    match turn.kind() {
        v1::WorkloadKind::Infer => Workload::infer(&turn.workload),
        _ => Workload::train(&turn.workload),
    }
}

impl<'a> Observed<'a> {
    pub(super) fn begin(wanted: &'a Wanted, before: RemoteSample) -> Self {
        Self {
            wanted,
            after: before.clone(),
            before,
            took: Duration::ZERO,
            by_workload: BTreeMap::new(),
            joules: BTreeMap::new(),
            turns: Vec::new(),
            fenced: Vec::new(),
            missed: 0,
        }
    }

    /// Watches for so long, and shows it where somebody looks.
    pub(super) fn watch(
        &mut self,
        board: &mut RemoteBoard,
        time: Duration,
    ) -> Result<(), RemoteError> {
        let mut live = Live::begin(time);
        let began = Instant::now();
        let watched = board.watch_turns(time, |seen| {
            match seen {
                Seen::Turns(message) => self.take(message),
                Seen::Sample(sample) => self.after = sample,
            }
            self.took = began.elapsed();
            if let Some(live) = live.as_mut().filter(|live| live.is_due()) {
                live.draw(&self.report());
            }
        });
        self.took = began.elapsed();
        if let Some(live) = live {
            live.end();
        }
        watched
    }

    fn take(&mut self, message: v1::WatchTurnsResponse) {
        self.missed += message.missed;
        self.fenced
            .extend(message.fenced.into_iter().map(|f| format!("{}: {}", f.workload, f.reason)));
        for turn in message.turns {
            let seen = self.by_workload.entry(workload_of(&turn)).or_default();
            seen.minibatches += 1;
            let ran_ns = pieces_ns(&turn).map(|piece| piece.end - piece.start).sum();
            seen.busy += Duration::from_nanos(ran_ns);
            seen.late += u64::from(turn.late_requests);
            for &seconds in &turn.latencies_seconds {
                seen.latencies.add(Duration::try_from_secs_f64(seconds).unwrap_or_default());
            }
            self.turns.push(turn);
        }
        let end = self.turns.last().map_or(0, |turn| turn.ended_ns);
        let from = end.saturating_sub(u64::try_from(PICTURED.as_nanos()).unwrap_or(u64::MAX));
        // Seldom, since everything behind has to move up.
        if self.turns.len() > 4096 && self.turns[self.turns.len() / 2].ended_ns < from {
            self.turns.retain(|turn| turn.ended_ns >= from);
        }
    }

    /// The run is over.
    pub(super) fn end(&mut self, turns: &v1::GetTurnsResponse, after: RemoteSample) {
        for worker in &turns.workers {
            *self.joules.entry(worker.workload.clone()).or_default() += worker.joules;
        }
        self.after = after;
    }

    /// The last minibatches, for the picture.
    pub(super) fn turns(&self) -> &[v1::Turn] {
        &self.turns
    }

    pub(super) fn report(&self) -> Report {
        let seconds = self.took.as_secs_f64();
        let covered = self.after.energy_covered.saturating_sub(self.before.energy_covered);
        let joules = self.after.energy_joules - self.before.energy_joules;
        let power = (!covered.is_zero()).then(|| joules / covered.as_secs_f64());
        let busy: Duration = self.by_workload.values().map(|seen| seen.busy).sum();
        let workloads = self.by_workload.iter().map(|(workload, seen)| {
            let terms = self.wanted.plan.agreement.terms(workload);
            let ms = |time: Duration| 1e3 * time.as_secs_f64();
            let quantile = |share| seen.latencies.quantile(share).map(ms);
            let joules = self.joules.get(&*workload.name).copied();
            WorkloadReport {
                workload: workload.name.to_string(),
                kind: workload.kind.as_str(),
                minibatches: seen.minibatches,
                minibatches_per_second: seen.minibatches as f64 / seconds,
                device_share_ratio: seen.busy.as_secs_f64() / seconds,
                requests: seen.latencies.count(),
                latency_budget_ms: terms.and_then(|terms| terms.latency_budget).map(ms),
                latency_p50_ms: quantile(0.5),
                latency_p99_ms: quantile(0.99),
                latency_longest_ms: seen.latencies.longest().map(ms),
                late_requests: seen.late,
                // Nothing was drawn that was not read.
                energy_joules: joules.filter(|_| power.is_some()),
            }
        });
        Report {
            seconds,
            alternate: self.wanted.plan.agreement.alternate.as_str(),
            guard_ratio: self.wanted.plan.agreement.guard,
            promised_minibatches_per_second: self.wanted.promised_throughput,
            power_budget_w: self.wanted.power.map(fulcrum_domain::Watts::get),
            mean_power_w: power,
            idle_ratio: (1.0 - busy.as_secs_f64() / seconds).max(0.0),
            workloads: workloads.collect(),
            fenced: self.fenced.clone(),
            missed_minibatches: self.missed,
        }
    }
}
