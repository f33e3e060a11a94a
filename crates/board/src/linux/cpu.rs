//! Processors, the clusters that share a clock, and their clocks.

use std::path::{Path, PathBuf};

use super::kernel_text::{number, numbered, processors, table, text, whole};
use super::sensor_group::SensorGroup;
use crate::files::Files;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

/// Where the kernel shows its processors.
pub(crate) const FOLDER: &str = "/sys/devices/system/cpu";

/// A processor core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Core {
    /// Its number.
    pub(crate) number: u32,
    /// Whether it can be switched off. The first core never is, whether or not it has a switch.
    pub(crate) switchable: bool,
}

/// A cluster: cores that share a clock. It vanishes while all its cores are off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Its number, which is that of its first core.
    pub(crate) number: u32,
    /// All its cores, on or off.
    pub(crate) cores: Vec<u32>,
    /// Its clock's levels, ascending; where the kernel has no table, the lowest and the highest.
    pub(crate) khz: Vec<u64>,
}

/// All cores, by number.
pub(crate) fn cores(files: &dyn Files) -> Vec<Core> {
    let listed = ["present", "possible"].iter().find_map(|name| {
        text(files, &Path::new(FOLDER).join(name)).ok().filter(|text| !text.is_empty())
    });
    let numbers = match listed {
        Some(text) => processors(&text),
        None => numbered(files, Path::new(FOLDER), "cpu").into_iter().map(|(n, _)| n).collect(),
    };
    let core = |number| Core { number, switchable: number != 0 && files.exists(&switch(number)) };
    numbers.into_iter().map(core).collect()
}

/// The clusters that are shown now.
pub(crate) fn policies(files: &dyn Files) -> Vec<Policy> {
    let folders = numbered(files, &Path::new(FOLDER).join("cpufreq"), "policy");
    folders
        .into_iter()
        .map(|(number, folder)| Policy {
            number,
            cores: text(files, &folder.join("related_cpus"))
                .map_or_else(|_| vec![number], |text| processors(&text)),
            khz: levels(files, &folder),
        })
        .collect()
}

fn levels(files: &dyn Files, folder: &Path) -> Vec<u64> {
    let levels = text(files, &folder.join("scaling_available_frequencies"));
    let levels = table(&levels.unwrap_or_default());
    if !levels.is_empty() {
        return levels;
    }
    let ends = ["cpuinfo_min_freq", "cpuinfo_max_freq"];
    let ends = ends.iter().filter_map(|name| whole(files, &folder.join(name)).ok());
    let mut ends: Vec<u64> = ends.filter_map(|khz| u64::try_from(khz).ok()).collect();
    ends.dedup();
    ends
}

/// The file that switches a core.
pub(crate) fn switch(core: u32) -> PathBuf {
    PathBuf::from(format!("{FOLDER}/cpu{core}/online"))
}

/// Whether a core with a switch is on.
pub(crate) fn is_on(files: &dyn Files, core: u32) -> Result<bool, Absence> {
    whole(files, &switch(core)).map(|on| on != 0)
}

/// The clocks of the clusters, as asked for by their governors. What hardware makes of it is
/// shown only by a file that stops the core for a millisecond, so it is not read.
#[derive(Debug)]
pub(crate) struct CpuClocks {
    clocks: Vec<(u32, PathBuf)>,
}

impl CpuClocks {
    /// One clock a cluster, by its first core. A core whose cluster is not shown, because it is
    /// off, stands for itself.
    pub(crate) fn new(cores: &[Core], policies: &[Policy]) -> Self {
        let follows = |core: u32| {
            let mut of = policies.iter().filter(|policy| policy.cores.contains(&core));
            of.any(|policy| policy.cores.first() != Some(&core))
        };
        let path = |core| format!("{FOLDER}/cpu{core}/cpufreq/scaling_cur_freq");
        let first = cores.iter().map(|core| core.number).filter(|&core| !follows(core));
        Self { clocks: first.map(|core| (core, path(core).into())).collect() }
    }
}

impl SensorGroup for CpuClocks {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |(core, _): &(u32, PathBuf)| Sensor {
            part: format!("cpu{core}"),
            quantity: Quantity::Clock,
            refresh: None,
        };
        self.clocks.iter().map(sensor).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        values.extend(self.clocks.iter().map(|(core, path)| match number(files, path) {
            Ok(khz) => Ok(khz * 1e3),
            Err(Absence::Missing) if is_on(files, *core) == Ok(false) => Err(Absence::Gated),
            Err(why) => Err(why),
        }));
    }
}
