//! A worker of a simulated board: says how long each minibatch takes there.

use std::sync::{Arc, Mutex, PoisonError};

use fulcrum_domain::Seconds;

use super::state::State;
use crate::clock::Clock;
use crate::orin_agx_model::WorkloadModel;

/// The first minibatches after a disturbance take longer: caches fill, clocks settle.
const WARM_UP: [f64; 5] = [1.6, 1.4, 1.2, 1.1, 1.05];

/// Runs a workload on a simulated board, from when it is made until it is dropped.
pub struct SimulatedWorker {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    model: &'static WorkloadModel,
    number: u64,
    disturbed: u64,
    since: usize,
}

impl SimulatedWorker {
    pub(super) fn new(
        state: Arc<Mutex<State>>,
        clock: Arc<dyn Clock>,
        model: &'static WorkloadModel,
    ) -> Self {
        let (number, disturbed) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            (state.start(model, clock.now()), state.disturbed)
        };
        Self { state, clock, model, number, disturbed, since: 0 }
    }

    /// It has its turn: it runs again, and nothing else does.
    pub fn resume(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.resume(self.model, self.number, self.clock.now());
    }

    /// Its turn is over: nothing runs until another begins.
    pub fn rest(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stop(self.number, self.clock.now());
    }

    /// How long a minibatch takes that starts now. It does not wait: that is up to who asks.
    pub fn minibatch(&mut self) -> Seconds {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.disturbed != self.disturbed {
            self.disturbed = state.disturbed;
            self.since = 0;
        }
        let cold = WARM_UP.get(self.since).copied().unwrap_or(1.0);
        self.since += 1;
        let sigma = state.noise.time;
        let scatter = state.scatter(sigma);
        self.model.profile(state.clocks(self.clock.now())).minibatch * cold * scatter
    }
}

impl Drop for SimulatedWorker {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stop(self.number, self.clock.now());
    }
}
