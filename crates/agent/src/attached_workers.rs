//! Measuring the processes that have attached to take turns: one of them has the device to itself
//! and runs one minibatch after the other, of the size that is to be measured.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulcrum_board::Offer;
use fulcrum_domain::{BatchSize, Failure, Seconds, Workload};
use fulcrum_interleave::{Moment, WorkerId};
use fulcrum_worker::monotonic::now_ns;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::turns::{Happening, Reservation, TurnsHandle};
use crate::workers::{Later, Worker, WorkerPool};

/// The workers that have attached.
pub(crate) struct AttachedWorkers(pub(crate) TurnsHandle);

impl WorkerPool for AttachedWorkers {
    fn offers(&self) -> Vec<Offer> {
        let standing = self.0.standing();
        let measurable = standing.values().filter(|standing| standing.measurable);
        let mut offers: BTreeMap<Workload, Offer> = BTreeMap::new();
        for standing in measurable {
            let sizes = standing.batch_sizes.iter().filter_map(|&size| BatchSize::new(size));
            let workload = standing.workload.clone();
            let offer = offers.entry(workload.clone()).or_insert_with(|| Offer {
                workload,
                batch_sizes: Vec::new(),
                fingerprint: standing.fingerprint.clone(),
            });
            // Of several versions at a time, the first that attached is the one that is measured.
            if offer.fingerprint == standing.fingerprint {
                offer.batch_sizes.extend(sizes);
            }
        }
        let sorted = |mut offer: Offer| {
            offer.batch_sizes.sort_unstable();
            offer.batch_sizes.dedup();
            offer
        };
        offers.into_values().map(sorted).collect()
    }

    fn start<'a>(
        &'a self,
        workload: &'a Workload,
        batch: BatchSize,
    ) -> Later<'a, Result<Box<dyn Worker>, Failure>> {
        Box::pin(async move {
            // Watched before it is reserved, so that nothing that it runs is missed.
            let happenings = self.0.watch();
            let runs_it = |standing: &crate::turns::WorkerStanding| {
                standing.measurable
                    && standing.workload == *workload
                    && standing.batch_sizes.contains(&batch.get())
            };
            let found =
                self.0.standing().iter().find(|(_, standing)| runs_it(standing)).map(|w| *w.0);
            let worker = found.ok_or(Failure::Unavailable)?;
            let reservation = self.0.reserve(worker, batch.get());
            let since = Moment::at_ns(now_ns());
            Ok(Box::new(Attached { worker, since, happenings, _reservation: reservation })
                as Box<dyn Worker>)
        })
    }
}

/// One of them, while it is measured.
struct Attached {
    worker: WorkerId,
    since: Moment,
    happenings: Receiver<Arc<Happening>>,
    _reservation: Reservation,
}

impl Worker for Attached {
    fn minibatch(&mut self) -> Later<'_, Result<Seconds, Failure>> {
        Box::pin(async move {
            loop {
                match self.happenings.recv().await.as_deref() {
                    // What began before may have had another size, or the device not to itself.
                    Ok(Happening::Ran(turn))
                        if turn.ran.worker == self.worker
                            && turn.ran.minibatch.began >= self.since =>
                    {
                        let time = turn.ran.minibatch.ended.since(turn.ran.minibatch.began);
                        return Ok(Seconds::new(time.as_secs_f64()));
                    }
                    Ok(Happening::Left { worker } | Happening::Fenced { worker, .. })
                        if *worker == self.worker =>
                    {
                        return Err(Failure::Crashed);
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(Failure::Crashed),
                }
            }
        })
    }
}
