//! The sampler: reads all sensors at a steady rate, counts energy, keeps a history, and shows
//! everyone the latest sample. It works on the board's thread, so that a sample that nobody waits
//! for wakes nobody else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use fulcrum_api::RemoteSample;
use fulcrum_board::{Absence, Clock, Quantity, Sample, Sensor, TotalPower};
use tokio::sync::watch;

use crate::board_thread::{BoardGone, BoardHandle};
use crate::energy::EnergyCounter;
use crate::history::History;

/// How far back the history reaches.
pub(crate) const HISTORY: Duration = Duration::from_mins(10);
/// However fast a clock runs, sensors are not read more often in real time.
const FASTEST: Duration = Duration::from_millis(2);

/// A sample, with the energy until then.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) sample: Sample,
    pub(crate) time: SystemTime,
    pub(crate) joules: f64,
    pub(crate) covered: Duration,
    pub(crate) distinct: u64,
}

impl Reading {
    /// The reading as it goes over the wire.
    pub(crate) fn to_remote(&self) -> RemoteSample {
        RemoteSample {
            time: self.time,
            values: self.sample.values.clone(),
            total_power: self.sample.total_power.clone(),
            energy_joules: self.joules,
            energy_covered: self.covered,
            energy_samples: self.distinct,
        }
    }
}

/// Reads the sensors and shows what they say.
pub(crate) struct Sampler {
    board: BoardHandle,
    clock: Arc<dyn Clock>,
    interval: Duration,
    kept: Mutex<Kept>,
    latest: watch::Sender<Option<Arc<Reading>>>,
    account: Account,
}

/// Who keeps account of every sample, on the board's thread.
pub(crate) type Account = Box<dyn Fn(&Reading) + Send + Sync>;

/// The energy counted until a sample.
#[derive(Debug, Clone, Copy)]
struct Energy {
    joules: f64,
    covered: Duration,
    distinct: u64,
}

struct Kept {
    energy: EnergyCounter,
    history: History<Energy>,
    /// How often the total power has a new value.
    refresh: Option<Duration>,
}

impl Sampler {
    pub(crate) fn new(
        board: BoardHandle,
        clock: Arc<dyn Clock>,
        interval: Duration,
        sensors: &[Sensor],
        total: &TotalPower,
        account: Account,
    ) -> Self {
        let kept = Kept {
            energy: EnergyCounter::default(),
            history: History::new(HISTORY, sensors.len()),
            refresh: power_refresh(sensors, total),
        };
        let (latest, _) = watch::channel(None);
        Self { board, clock, interval, kept: Mutex::new(kept), latest, account }
    }

    /// The board is described anew: another number of sensors starts another history.
    pub(crate) fn described(&self, sensors: &[Sensor], total: &TotalPower) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.history = History::new(HISTORY, sensors.len());
        kept.refresh = power_refresh(sensors, total);
    }

    /// How often the total power has a new value.
    pub(crate) fn power_refresh(&self) -> Option<Duration> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).refresh
    }

    /// The latest sample, and those to come.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Arc<Reading>>> {
        self.latest.subscribe()
    }

    /// The samples of this long before now, the oldest first, with the wall clock's times.
    pub(crate) fn history(&self, span: Duration) -> Vec<RemoteSample> {
        let (now, wall) = (self.clock.now(), SystemTime::now());
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let from = now - span;
        let remote = |(sample, energy): (Sample, Energy)| RemoteSample {
            time: wall.checked_sub(self.clock.real(now.since(sample.at))).unwrap_or(wall),
            values: sample.values,
            total_power: sample.total_power,
            energy_joules: energy.joules,
            energy_covered: energy.covered,
            energy_samples: energy.distinct,
        };
        kept.history.since(from).map(remote).collect()
    }

    /// Reads now, and from then on at the sampler's interval, but at least so often in real time.
    pub(crate) fn start(self: &Arc<Self>, longest: Duration) -> Result<(), BoardGone> {
        let sampler = self.clone();
        self.board.repeat(move |board| {
            let began = sampler.clock.now();
            sampler.take(board.sense());
            let passed = sampler.clock.now().since(began);
            let left = sampler.clock.real(sampler.interval.saturating_sub(passed));
            left.max(FASTEST).min(longest)
        })
    }

    /// Keeps a sample and shows it.
    fn take(&self, sample: Sample) {
        let reading = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let refresh = kept.refresh;
            kept.energy.add(sample.at, &sample.total_power, refresh);
            let energy = Energy {
                joules: kept.energy.joules(),
                covered: kept.energy.covered(),
                distinct: kept.energy.distinct(),
            };
            kept.history.push(&sample, energy);
            let Energy { joules, covered, distinct } = energy;
            Arc::new(Reading { time: SystemTime::now(), joules, covered, distinct, sample })
        };
        (self.account)(&reading);
        self.latest.send_replace(Some(reading));
    }
}

/// How often the sensors of the total power have a new value: the slowest of them.
fn power_refresh(sensors: &[Sensor], total: &TotalPower) -> Option<Duration> {
    let parts =
        sensors.iter().filter(|s| s.quantity == Quantity::Power && total.parts.contains(&s.part));
    parts.filter_map(|sensor| sensor.refresh).max()
}

/// The hottest of the temperatures; absent where there is none.
pub(crate) fn hottest(sensors: &[Sensor], sample: &Sample) -> Result<f64, Absence> {
    let celsius = sensors.iter().zip(&sample.values).filter_map(|(sensor, value)| {
        value.as_ref().ok().filter(|_| sensor.quantity == Quantity::Temperature)
    });
    celsius.copied().max_by(f64::total_cmp).ok_or(Absence::Missing)
}
