//! Running average power limit: the energy counters of Intel's and AMD's processors.
//!
//! `/sys/class/powercap/intel-rapl:0` is a package, `psys` the whole platform, and
//! `intel-rapl:0:1` a part of a package or the memory beside it. The counters are in microjoules
//! and start over at `max_energy_range_uj`; newer kernels show them to root only.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::files::Files;
use crate::linux::kernel_text::{text, whole};
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

const FOLDER: &str = "/sys/class/powercap";

/// The hardware counts about every millisecond: over less than this, power would be mostly noise.
const LEAST: Duration = Duration::from_millis(20);

/// No package draws more: what a counter's range lasts at this is the longest time over which it
/// has started over at most once.
const MOST_WATTS: f64 = 1000.0;

/// The counters of a machine.
pub(super) struct Rapl {
    clock: Arc<dyn Clock>,
    domains: Vec<Domain>,
}

impl Rapl {
    /// The packages, their parts, and the platform, as far as the kernel shows them.
    pub(super) fn find(files: &dyn Files, clock: Arc<dyn Clock>) -> Self {
        let names = files.list(Path::new(FOLDER)).unwrap_or_default();
        let domains = names.iter().filter_map(|name| Domain::find(files, name)).collect();
        Self { clock, domains }
    }
}

impl fmt::Debug for Rapl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rapl").field("domains", &self.domains).finish_non_exhaustive()
    }
}

impl SensorGroup for Rapl {
    fn sensors(&self) -> Vec<Sensor> {
        let both = |domain: &Domain| {
            [Quantity::Power, Quantity::Energy].map(|quantity| Sensor {
                part: domain.part.clone(),
                quantity,
                refresh: None,
            })
        };
        self.domains.iter().flat_map(both).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        for domain in &mut self.domains {
            // Each has a moment of its own: what is read in between takes a while.
            let now = self.clock.now();
            match whole(files, &domain.counter) {
                Ok(count) if count >= 0 => {
                    domain.learn(now, count as u64);
                    values.extend([domain.watts.ok_or(Absence::Missing), Ok(domain.joules)]);
                }
                Ok(count) => {
                    let why = Absence::Unreadable(count.to_string());
                    values.extend([Err(why.clone()), Err(why)]);
                }
                Err(why) => values.extend([Err(why.clone()), Err(why)]),
            }
        }
    }
}

#[derive(Debug)]
struct Domain {
    part: String,
    counter: PathBuf,
    /// Where it starts over, in microjoules; zero if that is not known.
    range: u64,
    before: Option<(Moment, u64)>,
    /// What was counted since the first reading. Over a time without readings in which the counter
    /// may have started over more than once, it is the least that it can have been.
    joules: f64,
    /// Not known until it has been read twice.
    watts: Option<f64>,
}

impl Domain {
    /// `intel-rapl:0` or `intel-rapl:0:1`; the same counters through memory (`intel-rapl-mmio`)
    /// are left out.
    fn find(files: &dyn Files, name: &str) -> Option<Self> {
        let numbers = name.strip_prefix("intel-rapl:")?;
        let folder = Path::new(FOLDER).join(name);
        let kind = text(files, &folder.join("name")).ok()?;
        let part = match numbers.split_once(':') {
            Some((package, _)) => format!("{kind}-{package}"),
            None => kind,
        };
        let range = whole(files, &folder.join("max_energy_range_uj")).unwrap_or(0);
        Some(Self {
            part,
            counter: folder.join("energy_uj"),
            range: u64::try_from(range).unwrap_or(0),
            before: None,
            joules: 0.0,
            watts: None,
        })
    }

    fn learn(&mut self, now: Moment, count: u64) {
        let Some((at, old)) = self.before else {
            self.before = Some((now, count));
            return;
        };
        let time = now.since(at).as_secs_f64();
        if time < LEAST.as_secs_f64() {
            return;
        }
        let drawn = match count.checked_sub(old) {
            Some(drawn) => Some(drawn),
            None => self.range.checked_sub(old).map(|rest| rest + count),
        };
        let joules = drawn.map(|microjoules| microjoules as f64 * 1e-6);
        self.joules += joules.unwrap_or(0.0);
        let once = self.range == 0 || time < self.range as f64 * 1e-6 / MOST_WATTS;
        self.watts = joules.filter(|_| once).map(|joules| joules / time);
        self.before = Some((now, count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain() -> Domain {
        Domain {
            part: "package-0".into(),
            counter: PathBuf::new(),
            range: 262_143_328_850,
            before: None,
            joules: 0.0,
            watts: None,
        }
    }

    fn after(seconds: f64) -> Moment {
        Moment::after(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn power_is_what_was_counted_between_two_readings() {
        let mut domain = domain();
        domain.learn(after(1.0), 5_000_000);
        assert_eq!(domain.watts, None);
        domain.learn(after(3.0), 35_000_000);
        assert_eq!((domain.watts, domain.joules), (Some(15.0), 30.0));
        domain.learn(after(3.001), 36_000_000);
        assert_eq!(domain.watts, Some(15.0), "too soon to say anything new");
        domain.learn(after(4.0), 45_000_000);
        assert_eq!((domain.watts, domain.joules), (Some(10.0), 40.0));
    }

    #[test]
    fn a_counter_that_starts_over_loses_nothing() {
        let mut domain = domain();
        domain.learn(after(0.0), domain.range - 4_000_000);
        domain.learn(after(1.0), 6_000_000);
        assert_eq!((domain.watts, domain.joules), (Some(10.0), 10.0));
    }

    #[test]
    fn after_a_long_gap_power_is_not_known() {
        let mut domain = domain();
        domain.learn(after(0.0), 0);
        domain.learn(after(3600.0), 9_000_000);
        assert_eq!((domain.watts, domain.joules), (None, 9.0));
        domain.learn(after(3601.0), 19_000_000);
        assert_eq!(domain.watts, Some(10.0));
    }

    #[test]
    fn a_counter_without_a_range_that_goes_back_gives_no_power() {
        let mut domain = Domain { range: 0, ..domain() };
        domain.learn(after(0.0), 5_000_000);
        domain.learn(after(1.0), 1_000_000);
        assert_eq!((domain.watts, domain.joules), (None, 0.0));
    }
}
