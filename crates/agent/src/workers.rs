//! Workers: what runs a workload while it is measured.
//!
//! A pool hands out a worker for a workload and a batch size. Simulated workers run on a simulated
//! board; worker processes are to come, behind the same traits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use fulcrum_board::{Clock, Offer, SimulatedBoard, SimulatedWorker};
use fulcrum_domain::{BatchSize, Failure, Seconds, Workload};

/// Something that will be there later.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs a workload, one minibatch after the other, from when it is handed out until it is dropped.
pub(crate) trait Worker: Send {
    /// Runs a minibatch and says how long it took.
    fn minibatch(&mut self) -> Later<'_, Result<Seconds, Failure>>;
}

/// Hands out workers.
pub(crate) trait WorkerPool: Send + Sync {
    /// The workloads that there are workers for, by kind, then name.
    fn offers(&self) -> &[Offer];

    /// A worker that runs a workload at a batch size.
    fn start<'a>(
        &'a self,
        workload: &'a Workload,
        batch: BatchSize,
    ) -> Later<'a, Result<Box<dyn Worker>, Failure>>;
}

/// No workers at all: a board that is only watched and set.
pub(crate) struct NoWorkers;

impl WorkerPool for NoWorkers {
    fn offers(&self) -> &[Offer] {
        &[]
    }

    fn start<'a>(
        &'a self,
        _workload: &'a Workload,
        _batch: BatchSize,
    ) -> Later<'a, Result<Box<dyn Worker>, Failure>> {
        Box::pin(async { Err(Failure::Unavailable) })
    }
}

/// Workers of a simulated board.
pub(crate) struct SimulatedWorkers {
    board: SimulatedBoard,
    clock: Arc<dyn Clock>,
}

impl SimulatedWorkers {
    pub(crate) fn new(board: SimulatedBoard, clock: Arc<dyn Clock>) -> Self {
        Self { board, clock }
    }
}

impl WorkerPool for SimulatedWorkers {
    fn offers(&self) -> &[Offer] {
        self.board.offers()
    }

    fn start<'a>(
        &'a self,
        workload: &'a Workload,
        batch: BatchSize,
    ) -> Later<'a, Result<Box<dyn Worker>, Failure>> {
        Box::pin(async move {
            let worker = self.board.worker(workload, batch).ok_or(Failure::Unavailable)?;
            let clock = self.clock.clone();
            Ok(Box::new(Simulated { worker, clock }) as Box<dyn Worker>)
        })
    }
}

struct Simulated {
    worker: SimulatedWorker,
    clock: Arc<dyn Clock>,
}

impl Worker for Simulated {
    fn minibatch(&mut self) -> Later<'_, Result<Seconds, Failure>> {
        Box::pin(async move {
            let time = self.worker.minibatch();
            let wait = std::time::Duration::from_secs_f64(time.get());
            tokio::time::sleep(self.clock.real(wait)).await;
            Ok(time)
        })
    }
}
