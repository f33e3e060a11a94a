//! Measuring a workload: sets the mode, runs a worker until time and power are steady, and goes on
//! until enough was counted.

use std::sync::Arc;

use fulcrum_board::{Clock, Moment, Quantity, Sensor};
use fulcrum_domain::{BatchSize, Failure, ModeId, ModeSpace, Workload};

use crate::board_thread::BoardGone;
use crate::control::{Control, ControlError};
use crate::measuring::{Demand, Measured, Measuring, Phase, State};
use crate::sampler::{Reading, Sampler, hottest};
use crate::workers::{Worker, WorkerPool};

/// What is to be measured.
pub(crate) struct Order {
    pub(crate) token: String,
    pub(crate) workload: Workload,
    pub(crate) batch: BatchSize,
    pub(crate) mode: ModeId,
    pub(crate) demand: Demand,
}

/// How far a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The phase; none while the mode is being set.
    pub(crate) phase: Option<Phase>,
    pub(crate) minibatches: u32,
    pub(crate) power_samples: u32,
}

/// What a measurement gave.
pub(crate) type Measurement = Result<(Measured, std::time::Duration), Failure>;

/// What a measurement works with.
pub(crate) struct Instruments<'a> {
    pub(crate) control: &'a Control,
    pub(crate) sampler: &'a Sampler,
    pub(crate) workers: &'a dyn WorkerPool,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) sensors: &'a [Sensor],
    pub(crate) space: &'a ModeSpace,
}

impl Instruments<'_> {
    /// Measures. Dropping the future cancels it: the worker ends with it.
    pub(crate) async fn measure(
        &self,
        order: &Order,
        mut progress: impl FnMut(Progress),
    ) -> Result<Measurement, ControlError> {
        let began = self.clock.now();
        progress(Progress { phase: None, minibatches: 0, power_samples: 0 });
        let change = self.control.set(&order.token, self.space, order.mode).await?;
        if !change.holds() {
            tracing::warn!(overrides = ?change.overrides, "the mode to measure at does not hold");
            return Ok(Err(Failure::Throttled));
        }
        let mut worker = match self.workers.start(&order.workload, order.batch).await {
            Ok(worker) => worker,
            Err(failure) => return Ok(Err(failure)),
        };
        let found = self.run(order, &mut *worker, began, &mut progress).await?;
        Ok(found.map(|measured| (measured, self.clock.now().since(began))))
    }

    async fn run(
        &self,
        order: &Order,
        worker: &mut dyn Worker,
        began: Moment,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Result<Measured, Failure>, ControlError> {
        let started = self.clock.now();
        let refresh = self.sampler.power_refresh();
        let mut measuring = Measuring::new(order.demand.clone(), began, refresh);
        let mut samples = self.sampler.watch();
        let mut over_current: Option<f64> = None;
        let mut told = None;
        loop {
            let left = order.demand.timeout.saturating_sub(self.clock.now().since(began));
            let minibatch = tokio::time::timeout(self.clock.real(left), worker.minibatch());
            match minibatch.await {
                Err(_late) => return Ok(Err(Failure::TimedOut)),
                Ok(Err(failure)) => return Ok(Err(failure)),
                Ok(Ok(time)) => measuring.minibatch(time.get(), self.clock.now()),
            }
            if samples.has_changed().map_err(|_| BoardGone)? {
                let reading = samples.borrow_and_update().clone();
                if let Some(reading) = reading.filter(|reading| reading.sample.at > started) {
                    measuring.power(reading.sample.at, &reading.sample.total_power);
                    measuring.temperature(&hottest(self.sensors, &reading.sample));
                    let events = self.over_current(&reading);
                    if events.zip(over_current).is_some_and(|(now, before)| now > before) {
                        measuring.throttled();
                    }
                    over_current = events;
                }
                self.control.renew(&order.token).await?;
                let standing = self.control.standing().await;
                if standing.wanted != Some(order.mode) || !standing.overrides.is_empty() {
                    measuring.throttled();
                }
            }
            match measuring.state(self.clock.now()) {
                State::Running { phase, minibatches, power_samples } => {
                    let now = Progress { phase: Some(phase), minibatches, power_samples };
                    if told != Some(now) {
                        told = Some(now);
                        progress(now);
                    }
                }
                State::Done(measured) => return Ok(Ok(measured)),
                State::Failed(failure) => return Ok(Err(failure)),
            }
        }
    }

    /// How often the board was throttled for over-current since it started; none where it does not
    /// say.
    fn over_current(&self, reading: &Reading) -> Option<f64> {
        let counts =
            self.sensors.iter().zip(&reading.sample.values).filter_map(|(s, value)| {
                value.as_ref().ok().filter(|_| s.quantity == Quantity::Count)
            });
        counts.copied().reduce(|a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fulcrum_board::{Board, Noise, Offer, SimulatedBoard, SystemClock};
    use fulcrum_domain::Seconds;

    use super::*;
    use crate::board_thread::BoardHandle;
    use crate::guard::GuardLimits;
    use crate::journal::Journal;
    use crate::limits::Limits;
    use crate::workers::Later;

    /// Workers that run so many minibatches and then fail.
    struct Failing {
        after: u32,
        with: Failure,
    }

    impl WorkerPool for Failing {
        fn offers(&self) -> Vec<Offer> {
            Vec::new()
        }

        fn start<'a>(
            &'a self,
            _workload: &'a Workload,
            _batch: BatchSize,
        ) -> Later<'a, Result<Box<dyn Worker>, Failure>> {
            let Self { after, with } = *self;
            Box::pin(async move { Ok(Box::new(Self { after, with }) as Box<dyn Worker>) })
        }
    }

    impl Worker for Failing {
        fn minibatch(&mut self) -> Later<'_, Result<Seconds, Failure>> {
            let left = self.after.checked_sub(1).ok_or(self.with);
            self.after = left.unwrap_or(0);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                left.map(|_| Seconds::new(0.001))
            })
        }
    }

    #[tokio::test]
    async fn what_ends_a_worker_ends_its_measurement_by_name() {
        for with in [Failure::Crashed, Failure::OutOfMemory] {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            let board = SimulatedBoard::new(clock.clone(), Noise::NONE, 1);
            let (sensors, space) = (board.sensors().to_vec(), board.space().clone());
            let total = board.total_power().clone();
            let handle = BoardHandle::start(Box::new(board)).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let journal = Journal::within(folder.path()).unwrap();
            let control =
                Control::new(handle.clone(), journal, Limits::default(), GuardLimits::default());
            let interval = Duration::from_millis(100);
            let unaccounted = Box::new(|_: &_| ());
            let sampler =
                Sampler::new(handle, clock.clone(), interval, &sensors, &total, unaccounted);
            let token = "secret".to_owned();
            control.take("a test", Duration::from_mins(1), "", token.clone()).await.unwrap();
            let workers = Failing { after: 20, with };
            let instruments = Instruments {
                control: &control,
                sampler: &sampler,
                workers: &workers,
                clock: &clock,
                sensors: &sensors,
                space: &space,
            };
            let order = Order {
                token,
                workload: Workload::train("resnet18"),
                batch: BatchSize::ONE,
                mode: space.lowest(),
                demand: Demand::default(),
            };
            let found = instruments.measure(&order, |_| {}).await.unwrap();
            assert_eq!(found.unwrap_err(), with);
        }
    }
}
