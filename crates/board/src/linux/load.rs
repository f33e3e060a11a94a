//! How busy the cores are, from the times that the kernel counts.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::cpu::Core;
use super::sensor_group::SensorGroup;
use crate::files::Files;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

/// The kernel counts in hundredths of a second: a load over fewer of them says little.
const LEAST_TICKS: u64 = 10;
const REFRESH: Duration = Duration::from_millis(100);

/// What a core has done since the board started, in hundredths of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Times {
    busy: u64,
    idle: u64,
}

/// The cores' loads since they were read before.
#[derive(Debug)]
pub(crate) struct CpuLoad {
    cores: Vec<u32>,
    before: BTreeMap<u32, Times>,
    loads: BTreeMap<u32, f64>,
}

impl CpuLoad {
    pub(crate) fn new(cores: &[Core]) -> Self {
        let cores = cores.iter().map(|core| core.number).collect();
        Self { cores, before: BTreeMap::new(), loads: BTreeMap::new() }
    }

    fn learn(&mut self, now: BTreeMap<u32, Times>) {
        // Counting starts anew with the set of cores that are on.
        if !now.keys().eq(self.before.keys()) {
            self.loads.clear();
            self.before = now;
            return;
        }
        for (core, now) in now {
            let Some(before) = self.before.get_mut(&core) else { continue };
            let (busy, idle) =
                (now.busy.checked_sub(before.busy), now.idle.checked_sub(before.idle));
            match (busy, idle) {
                (Some(busy), Some(idle)) if busy + idle >= LEAST_TICKS => {
                    self.loads.insert(core, busy as f64 / (busy + idle) as f64);
                    *before = now;
                }
                (Some(_), Some(_)) => {}
                // Counters that go back tell nothing.
                _ => {
                    self.loads.remove(&core);
                    *before = now;
                }
            }
        }
    }

    fn value(&self, core: u32) -> SensorValue {
        match self.loads.get(&core) {
            Some(load) => Ok(*load),
            // Not known until it has been read twice.
            None if self.before.contains_key(&core) => Err(Absence::Missing),
            None => Err(Absence::Gated),
        }
    }
}

/// The times of each core that is on: `cpu3 user nice system idle iowait irq softirq steal …`.
fn times(stat: &str) -> BTreeMap<u32, Times> {
    let cores = stat.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let core = words.next()?.strip_prefix("cpu")?.parse().ok()?;
        // Guests' times are within those of user and nice.
        let times: Vec<u64> = words.take(8).map_while(|word| word.parse().ok()).collect();
        let idle = times.get(3)? + times.get(4).unwrap_or(&0);
        Some((core, Times { busy: times.iter().sum::<u64>() - idle, idle }))
    });
    cores.collect()
}

impl SensorGroup for CpuLoad {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |core: &u32| Sensor {
            part: format!("cpu{core}"),
            quantity: Quantity::Load,
            refresh: Some(REFRESH),
        };
        self.cores.iter().map(sensor).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        match files.read(Path::new("/proc/stat")) {
            Ok(stat) => {
                self.learn(times(&stat));
                values.extend(self.cores.iter().map(|&core| self.value(core)));
            }
            Err(error) => {
                let why = Absence::of(&error);
                values.extend(self.cores.iter().map(|_| Err(why.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(stats: &[&str]) -> Vec<SensorValue> {
        let cores = [0, 1].map(|number| Core { number, switchable: true });
        let mut load = CpuLoad::new(&cores);
        for stat in stats {
            load.learn(times(stat));
        }
        vec![load.value(0), load.value(1)]
    }

    const FIRST: &str = "cpu  0 0 0 0\ncpu0 10 0 10 80 0 0 0\ncpu1 0 0 0 100 0 0 0\n";

    #[test]
    fn a_load_is_known_once_it_has_been_read_twice() {
        assert_eq!(load(&[FIRST]), [Err(Absence::Missing), Err(Absence::Missing)]);
        let second = "cpu0 20 0 20 140 0 0 0\ncpu1 75 0 0 125 0 0 0\n";
        assert_eq!(load(&[FIRST, second]), [Ok(0.25), Ok(0.75)]);
    }

    #[test]
    fn a_core_that_is_off_is_gated_and_counting_starts_anew() {
        let off = "cpu0 20 0 20 140 0 0 0\n";
        assert_eq!(load(&[FIRST, off]), [Err(Absence::Missing), Err(Absence::Gated)]);
        let on = "cpu0 30 0 30 200 0 0 0\ncpu1 0 0 0 5 0 0 0\n";
        assert_eq!(load(&[FIRST, off, on]), [Err(Absence::Missing), Err(Absence::Missing)]);
    }

    #[test]
    fn counters_that_go_back_give_no_load() {
        let back = "cpu0 5 0 5 40 0 0 0\ncpu1 0 0 0 200 0 0 0\n";
        assert_eq!(load(&[FIRST, back]), [Err(Absence::Missing), Ok(0.0)]);
    }

    #[test]
    fn a_few_ticks_are_gathered_before_they_count() {
        let soon = "cpu0 11 0 10 80 0 0 0\ncpu1 0 0 0 101 0 0 0\n";
        assert_eq!(load(&[FIRST, soon]), [Err(Absence::Missing), Err(Absence::Missing)]);
        let later = "cpu0 15 0 10 85 0 0 0\ncpu1 0 0 0 110 0 0 0\n";
        assert_eq!(load(&[FIRST, soon, later]), [Ok(0.5), Ok(0.0)]);
    }
}
