//! Workers: what runs a workload while it is measured.
//!
//! A pool hands out a worker for a workload and a batch size: a simulated one on a simulated board,
//! elsewhere a process that has attached to take turns ([`crate::attached_workers`]).

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
    fn offers(&self) -> Vec<Offer>;

    /// A worker that runs a workload at a batch size.
    fn start<'a>(
        &'a self,
        workload: &'a Workload,
        batch: BatchSize,
    ) -> Later<'a, Result<Box<dyn Worker>, Failure>>;
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
    fn offers(&self) -> Vec<Offer> {
        self.board.offers().to_vec()
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
