//! Workers of a simulated board that take turns: threads that attach to the agent's own socket, as
//! any program would, and sleep as long as a minibatch would take there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fulcrum_board::SimulatedBoard;
use fulcrum_domain::{BatchSize, Seconds, Workload, WorkloadKind};
use fulcrum_interleave::Moment;
use fulcrum_interleave::simulate::Arrivals;
use fulcrum_worker::{Batcher, Options, Trainer};

/// A worker to simulate.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedJob {
    pub(crate) workload: Workload,
    pub(crate) arrivals: Option<Arrivals>,
}

/// Simulated workers, which end when this is dropped.
pub(crate) struct SimulatedWorkers {
    stop: Arc<AtomicBool>,
}

impl Drop for SimulatedWorkers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Whether a board can simulate these.
///
/// # Errors
/// Names the workload that the board does not offer, or that lacks a rate.
pub(crate) fn can_simulate(board: &SimulatedBoard, jobs: &[SimulatedJob]) -> Result<(), String> {
    for job in jobs {
        sizes(board, &job.workload)?;
        if job.workload.kind == WorkloadKind::Infer && job.arrivals.is_none() {
            return Err(format!("{} needs an arrival rate", job.workload));
        }
    }
    Ok(())
}

/// Starts workers on a simulated board, which [can simulate](can_simulate) them.
///
/// # Errors
/// When a thread cannot be started.
pub(crate) fn simulate(
    board: &SimulatedBoard,
    socket: &Path,
    jobs: &[SimulatedJob],
) -> Result<SimulatedWorkers, String> {
    let workers = SimulatedWorkers { stop: Arc::new(AtomicBool::new(false)) };
    for (place, job) in jobs.iter().enumerate() {
        let sizes = sizes(board, &job.workload)?;
        let one = One {
            board: board.clone(),
            workload: job.workload.clone(),
            sizes,
            socket: socket.to_owned(),
            stop: workers.stop.clone(),
        };
        let started = match (&job.arrivals, job.workload.kind) {
            (_, WorkloadKind::Train) => {
                thread::Builder::new().name("simulated".into()).spawn(move || one.train())
            }
            (Some(arrivals), WorkloadKind::Infer) => {
                let arrivals = arrivals.clone();
                let seed = place as u64;
                thread::Builder::new()
                    .name("simulated".into())
                    .spawn(move || one.infer(arrivals, seed))
            }
            (None, WorkloadKind::Infer) => continue,
        };
        started.map_err(|error| format!("no thread for {}: {error}", job.workload))?;
    }
    Ok(workers)
}

fn sizes(board: &SimulatedBoard, workload: &Workload) -> Result<Vec<BatchSize>, String> {
    let offer = board.offers().iter().find(|offer| offer.workload == *workload);
    offer.map(|offer| offer.batch_sizes.clone()).ok_or_else(|| {
        let known: Vec<String> = board.offers().iter().map(|o| o.workload.to_string()).collect();
        format!("this board does not simulate {workload}; it has {}", known.join(", "))
    })
}

struct One {
    board: SimulatedBoard,
    workload: Workload,
    sizes: Vec<BatchSize>,
    socket: PathBuf,
    stop: Arc<AtomicBool>,
}

impl One {
    fn options(&self) -> Options {
        let sizes = self.sizes.iter().map(|size| size.get());
        Options::new(self.workload.name.to_string(), sizes).socket(&self.socket)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn train(self) {
        let size = self.sizes.last().copied().unwrap_or(BatchSize::ONE);
        let Some(mut worker) = self.board.worker(&self.workload, size) else { return };
        worker.rest();
        let mut trainer = Trainer::attach(self.options());
        while !self.stopped() {
            trainer.minibatch(|| {
                worker.resume();
                sleep(worker.minibatch());
                worker.rest();
            });
        }
    }

    fn infer(self, arrivals: Arrivals, seed: u64) {
        let mut workers: Vec<_> = self
            .sizes
            .iter()
            .filter_map(|&size| Some((size.get(), self.board.worker(&self.workload, size)?)))
            .collect();
        for (_, worker) in &mut workers {
            worker.rest();
        }
        let infer = move |requests: Vec<()>| {
            // A minibatch that is smaller than those that were measured takes as long as the next.
            let fits = workers.iter().position(|(size, _)| *size as usize >= requests.len());
            let place = fits.unwrap_or(workers.len() - 1);
            let (_, worker) = &mut workers[place];
            worker.resume();
            sleep(worker.minibatch());
            worker.rest();
            requests
        };
        let Ok(batcher) = Batcher::start(self.options(), infer) else { return };
        let began = Instant::now();
        for arrival in arrivals.moments(seed) {
            let at = began + arrival.since(Moment::START);
            while Instant::now() < at {
                if self.stopped() {
                    return;
                }
                thread::sleep(at.saturating_duration_since(Instant::now()).min(STOPPING));
            }
            drop(batcher.submit(()));
        }
    }
}

/// How often an idle worker looks whether it is to stop.
const STOPPING: Duration = Duration::from_millis(100);

fn sleep(time: Seconds) {
    thread::sleep(Duration::from_secs_f64(time.get()));
}
