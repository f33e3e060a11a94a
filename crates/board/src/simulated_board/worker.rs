//! Simulated processes that train or infer on the simulated board.

use std::sync::{Arc, Mutex};

use fulcrum_domain::{BatchSize, Workload};

use crate::clock::Clock;
use crate::profiler::Offer;
use crate::simulated::offers;
use crate::simulated_board::at_present;
use crate::simulated_board::device::Device;

/// The workloads that can run on a simulated board.
pub struct SimulatedWorkers {
    clock: Arc<dyn Clock>,
    device: Arc<Mutex<Device>>,
    offers: Vec<Offer>,
}

impl SimulatedWorkers {
    pub(super) fn new(clock: Arc<dyn Clock>, device: Arc<Mutex<Device>>) -> Self {
        Self { clock, device, offers: offers() }
    }

    /// The workloads, by kind, then name.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// Starts a workload; none where the board does not have it at this batch size.
    pub fn start(&self, workload: &Workload, batch_size: BatchSize) -> Option<SimulatedWorker> {
        let id = at_present(&self.device, &*self.clock).start(workload, batch_size)?;
        Some(SimulatedWorker { clock: self.clock.clone(), device: self.device.clone(), id })
    }
}

/// A workload that runs until this is dropped.
pub struct SimulatedWorker {
    clock: Arc<dyn Clock>,
    device: Arc<Mutex<Device>>,
    id: u64,
}

impl SimulatedWorker {
    /// The times, in seconds, of the minibatches that ended since this was last asked.
    pub fn finished(&mut self) -> Vec<f64> {
        at_present(&self.device, &*self.clock).take_finished(self.id)
    }
}

impl Drop for SimulatedWorker {
    fn drop(&mut self) {
        at_present(&self.device, &*self.clock).end(self.id);
    }
}
