//! What ran, arrived and was drawn, in windows of time that follow each other without a gap.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use fulcrum_api::{duration_to_wire, kind_to_wire, v1};
use fulcrum_domain::Workload;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tonic::Status;

use crate::following::Following;
use crate::service::{Agent, guarded};
use crate::turns::{Happening, Turn, WorkerStanding};

/// What one workload did.
#[derive(Debug, Default)]
struct Done {
    minibatches: u64,
    busy: Duration,
    arrived: u64,
    requests: u64,
    late: u64,
    longest: Option<Duration>,
    waiting: u32,
}

/// What happened since the last window.
#[derive(Debug, Default)]
struct Account {
    done: BTreeMap<Workload, Done>,
    fenced: Vec<v1::Fenced>,
    missed: u64,
}

impl Account {
    fn happened(&mut self, happened: &Happening) {
        match happened {
            Happening::Ran(turn) => self.ran(turn),
            Happening::Arrived { workload, at } => {
                self.of(workload).arrived += at.len() as u64;
            }
            Happening::Fenced { worker, workload, reason } => self.fenced.push(v1::Fenced {
                worker: *worker,
                workload: workload.name.to_string(),
                reason: reason.clone(),
            }),
            Happening::Attached { .. } | Happening::Left { .. } => {}
        }
    }

    fn ran(&mut self, turn: &Turn) {
        let done = self.of(&turn.workload);
        done.minibatches += 1;
        done.busy += turn.ran.ran_for();
        done.requests += turn.ran.latencies.len() as u64;
        done.late += u64::from(turn.ran.late);
        done.longest = done.longest.max(turn.ran.latencies.iter().max().copied());
    }

    fn of(&mut self, workload: &Workload) -> &mut Done {
        if !self.done.contains_key(workload) {
            self.done.insert(workload.clone(), Done::default());
        }
        self.done.entry(workload.clone()).or_default()
    }

    /// The window that ends now, with how the workers stand; the next one begins.
    fn end<'a>(
        &mut self,
        standing: impl Iterator<Item = &'a WorkerStanding>,
        length: Duration,
    ) -> v1::Window {
        for worker in standing {
            self.of(&worker.workload).waiting += worker.waiting;
        }
        let ended = std::mem::take(self);
        let workload = |(workload, done): (Workload, Done)| v1::WorkloadWindow {
            workload: workload.name.to_string(),
            kind: kind_to_wire(workload.kind).into(),
            minibatches: done.minibatches,
            busy: Some(duration_to_wire(done.busy)),
            arrived: done.arrived,
            requests: done.requests,
            late_requests: done.late,
            longest_latency: done.longest.map(duration_to_wire),
            waiting: done.waiting,
        };
        v1::Window {
            length: Some(duration_to_wire(length)),
            workloads: ended.done.into_iter().map(workload).collect(),
            fenced: ended.fenced,
            missed: ended.missed,
            ..Default::default()
        }
    }
}

/// The energy drawn until now, in joules, and for how long it was counted.
fn drawn(agent: &Agent) -> Option<(f64, Duration)> {
    agent.sampler.watch().borrow().as_ref().map(|reading| (reading.joules, reading.covered))
}

/// Mean power between two countings of energy, in watts; none where none was counted in between.
fn mean_power(from: Option<(f64, Duration)>, to: Option<(f64, Duration)>) -> Option<f64> {
    let ((before, then), (after, now)) = (from?, to?);
    let covered = now.checked_sub(then).filter(|covered| !covered.is_zero())?;
    Some((after - before) / covered.as_secs_f64())
}

/// Tells of one window after the other until nobody listens.
pub(crate) async fn tell_windows(
    agent: Agent,
    length: Duration,
    told: mpsc::Sender<Result<v1::WatchWindowsResponse, Status>>,
) {
    let mut happenings = agent.turns.handle.watch();
    let mut account = Account::default();
    let mut ends = interval_at(Instant::now() + length, length);
    // A window that ended late is a longer one; none is made up for.
    ends.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut began, mut since, mut energy) = (Instant::now(), SystemTime::now(), drawn(&agent));
    loop {
        tokio::select! {
            happened = happenings.recv() => match happened {
                Ok(happened) => account.happened(&happened),
                Err(RecvError::Lagged(missed)) => account.missed += missed,
                Err(RecvError::Closed) => return,
            },
            _ = ends.tick() => {
                let took = began.elapsed();
                began += took;
                let now = drawn(&agent);
                let mut window = account.end(agent.turns.handle.standing().values(), took);
                window.mean_power_watts = mean_power(energy, now);
                {
                    let plan = agent.turns.plan().await;
                    window.generation = plan.generation();
                    let answer = plan.following.as_ref().and_then(Following::holds_to);
                    window.answer_hertz = answer.unwrap_or(0.0);
                }
                let standing = agent.control.standing().await;
                let space = agent.described.now().space.clone();
                let newer = standing.guard_actions.iter().filter(|action| action.time >= since);
                window.guard_actions = newer.map(|action| guarded(&space, action)).collect();
                (energy, since) = (now, SystemTime::now());
                let window = v1::WatchWindowsResponse { window: Some(window) };
                if told.send(Ok(window)).await.is_err() {
                    return;
                }
            }
            () = told.closed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use fulcrum_interleave::{Minibatch, Moment, Ran};

    use super::*;

    fn turn(latencies: &[u64], late: u32) -> Happening {
        let began = Moment::START;
        let ended = began + Duration::from_millis(10);
        let latencies = latencies.iter().map(|&ms| Duration::from_millis(ms)).collect();
        let ran = Ran::new(1, 1, Minibatch { began, ended, requests: 0 });
        Happening::Ran(Turn { workload: Workload::infer("a"), ran: Ran { latencies, late, ..ran } })
    }

    #[test]
    fn windows_add_up_to_what_happened() {
        let mut account = Account::default();
        let arrived =
            Happening::Arrived { workload: Workload::infer("a"), at: vec![Moment::START; 3] };
        let second = Duration::from_secs(1);
        account.happened(&arrived);
        account.happened(&turn(&[20, 30], 1));
        let first = account.end(std::iter::empty(), second);
        account.happened(&turn(&[5], 0));
        let then = account.end(std::iter::empty(), second);
        let nothing = account.end(std::iter::empty(), second);
        let (first, then) = (&first.workloads[0], &then.workloads[0]);
        assert_eq!((first.arrived, first.requests, first.late_requests), (3, 2, 1));
        assert_eq!(first.longest_latency.unwrap().nanos, 30_000_000);
        assert_eq!((then.arrived, then.requests, then.minibatches), (0, 1, 1));
        assert!(nothing.workloads.is_empty());
    }

    #[test]
    fn power_that_was_not_read_is_not_zero() {
        let at = |joules, seconds| Some((joules, Duration::from_secs(seconds)));
        assert_eq!(mean_power(at(10.0, 1), at(40.0, 2)), Some(30.0));
        assert_eq!(mean_power(at(10.0, 1), at(10.0, 1)), None);
        assert_eq!(mean_power(None, at(10.0, 1)), None);
    }
}
