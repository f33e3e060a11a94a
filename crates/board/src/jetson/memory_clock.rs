//! The memory's clock (EMC), which the boot firmware owns: there are a cap for everyone to read
//! and, in the kernel's debug files, the rate itself and a lock.

use std::path::{Path, PathBuf};

use crate::files::Files;
use crate::linux::kernel_text::{number, table, text, whole};
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

/// The caps of newer and older kernels, in hertz; 0 and -1 are no cap.
const CAPS: [&str; 2] =
    ["/sys/kernel/nvpmodel_clk_cap/emc", "/sys/kernel/nvpmodel_emc_cap/emc_iso_cap"];

/// Thor's limits, as of any clock.
const LIMITS: &str = "/sys/class/devfreq/bwmgr";

const RATE: &str = "/sys/kernel/debug/bpmp/debug/clk/emc";
const RATES: [&str; 2] = [
    "/sys/kernel/debug/bpmp/debug/emc/possible_rates",
    "/sys/kernel/debug/bpmp/debug/clk/emc/possible_rates",
];

/// How busy the memory is, in the kilohertz of its clock, of Orin, Thor and older boards.
const ACTIVITIES: [&str; 3] = [
    "/sys/kernel/debug/cactmon/mc_all",
    "/sys/kernel/debug/bpmp/debug/actmon/mc_all_avg_activity",
    "/sys/kernel/actmon_avg_activity/mc_all",
];

/// The rates of an Orin's memory, for where the firmware's own list may not be read.
const ORIN_KHZ: [u64; 4] = [204_000, 665_600, 2_133_000, 3_199_000];

/// What sets the memory's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct MemoryClock {
    /// The cap.
    pub(super) cap: Option<PathBuf>,
    /// The folder of the limits `min_freq` and `max_freq`.
    pub(super) limits: Option<PathBuf>,
    /// The folder of the rate and its lock, where it may be read.
    pub(super) lock: Option<PathBuf>,
    /// The file that says whether the clock runs, where there is one beside the lock.
    pub(super) state: Option<PathBuf>,
}

impl MemoryClock {
    pub(super) fn find(files: &dyn Files) -> Self {
        let there = |path: &str| Some(PathBuf::from(path)).filter(|path| files.exists(path));
        let locks = ["mrq_rate_locked", "rate"].map(|name| Path::new(RATE).join(name));
        let may_lock = locks.iter().all(|path| whole(files, path).is_ok());
        let state = Path::new(RATE).join("state");
        Self {
            cap: CAPS.iter().find_map(|path| there(path)),
            limits: there(LIMITS),
            lock: may_lock.then(|| RATE.into()),
            state: Some(state).filter(|path| may_lock && whole(files, path).is_ok()),
        }
    }

    /// The levels in kHz: the firmware's list, or else what is known of it. `caps` are those that
    /// the vendor's power modes name, in hertz.
    pub(super) fn levels(&self, files: &dyn Files, soc: &str, caps: &[u64]) -> Vec<u64> {
        if let Some(folder) = &self.limits {
            return listed(files, folder);
        }
        if self.cap.is_none() && self.lock.is_none() {
            return Vec::new();
        }
        let rates = RATES.iter().find_map(|path| text(files, Path::new(path)).ok());
        let rates = table(&rates.unwrap_or_default());
        if !rates.is_empty() {
            return rates;
        }
        let highest = whole(files, &Path::new(RATE).join("max_rate")).ok();
        let highest = highest.and_then(|hertz| u64::try_from(hertz).ok()).map(|hertz| hertz / 1000);
        let known: &[u64] = if soc == "tegra234" { &ORIN_KHZ } else { &[] };
        let mut levels: Vec<u64> = caps.iter().map(|hertz| hertz / 1000).collect();
        levels.extend(known);
        levels.retain(|&khz| khz > 0 && highest.is_none_or(|highest| khz <= highest));
        levels.extend(highest.filter(|_| !levels.is_empty()));
        levels.sort_unstable();
        levels.dedup();
        levels
    }
}

fn listed(files: &dyn Files, folder: &Path) -> Vec<u64> {
    let levels = text(files, &folder.join("available_frequencies"));
    let mut levels = table(&levels.unwrap_or_default());
    if levels.is_empty() {
        let ends = ["min_freq", "max_freq"].map(|name| whole(files, &folder.join(name)));
        levels = ends.into_iter().filter_map(|hertz| u64::try_from(hertz.ok()?).ok()).collect();
        levels.dedup();
    }
    levels.into_iter().map(|hertz| hertz / 1000).filter(|&khz| khz > 0).collect()
}

/// The rate at which the memory runs, and how busy it is.
#[derive(Debug)]
pub(super) struct MemoryRate {
    path: PathBuf,
    activity: PathBuf,
}

impl MemoryRate {
    /// Where it may not be read, reading says why.
    pub(super) fn new(files: &dyn Files, clock: &MemoryClock) -> Self {
        let path = match &clock.limits {
            Some(folder) => folder.join("cur_freq"),
            None => Path::new(RATE).join("rate"),
        };
        let activity = ACTIVITIES.iter().find(|path| files.exists(Path::new(path)));
        Self { path, activity: activity.unwrap_or(&ACTIVITIES[0]).into() }
    }
}

impl SensorGroup for MemoryRate {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |quantity| Sensor { part: "emc".into(), quantity, refresh: None };
        vec![sensor(Quantity::Clock), sensor(Quantity::Load)]
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        let hertz = number(files, &self.path);
        let busy = number(files, &self.activity);
        let load = match (&busy, &hertz) {
            (Ok(busy_khz), Ok(hertz)) if *hertz > 0.0 => Ok((busy_khz * 1e3 / hertz).min(1.0)),
            (Ok(_), Ok(_)) => Err(Absence::Gated),
            (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        };
        values.extend([hertz, load]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Rooted;

    #[test]
    fn the_memory_is_as_busy_as_the_part_of_its_clock_that_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(&path[1..]);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let read = || {
            let files = Rooted::new(folder.path());
            let mut values = Vec::new();
            MemoryRate::new(&files, &MemoryClock::default()).read(&files, &mut values);
            values
        };
        assert_eq!(read(), [Err(Absence::Missing), Err(Absence::Missing)]);
        write(&format!("{RATE}/rate"), "2133000000\n");
        write(ACTIVITIES[2], "533250\n");
        assert_eq!(read(), [Ok(2_133_000_000.0), Ok(0.25)]);
        write(&format!("{RATE}/rate"), "0\n");
        assert_eq!(read(), [Ok(0.0), Err(Absence::Gated)]);
    }
}
