//! The GPU: where its clock is, how fast it runs and how busy it is.

use std::path::{Path, PathBuf};

use crate::files::Files;
use crate::linux::kernel_text::{number, table, text, whole};
use crate::linux::sensor_group::SensorGroup;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

/// What the device tree calls a GPU: Xavier, TX2, Orin, Thor, and newer kernels all.
const NODES: [&str; 5] = ["gv11b", "gp10b", "ga10b", "gb10b", "gpu"];

/// The clock of Thor's GPU, which is a PCI device of NVIDIA's desktop driver.
const PCI_CLOCK: &str = "gpu-gpc-0";

/// Where the GPU is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gpu {
    /// Its clock: `min_freq`, `max_freq`, `cur_freq` in hertz.
    pub(super) clock: PathBuf,
    /// Its load, where the kernel tells: thousandths.
    load: Option<PathBuf>,
    /// `on` keeps it powered, `auto` lets the kernel switch it off.
    pub(super) power: Option<PathBuf>,
    /// 1 where it may be cut off its rail while idle.
    pub(super) railgate: Option<PathBuf>,
}

impl Gpu {
    /// Finds it. It may not be there yet: its driver is among the last to come up.
    pub(super) fn find(files: &dyn Files) -> Option<Self> {
        let (clock, device) = by_class(files).or_else(|| by_device(files))?;
        let there = |path: PathBuf| files.exists(&path).then_some(path);
        Some(Self {
            load: there(device.join("load")),
            power: pci_power(files).or_else(|| there(device.join("power/control"))),
            railgate: there(device.join("railgate_enable")),
            clock,
        })
    }

    /// The clock's levels in kHz. Where the kernel has no table, those clocks that are known to be
    /// in it: the limits, and the caps that the vendor's power modes name, in hertz.
    pub(super) fn levels(&self, files: &dyn Files, caps: &[u64]) -> Vec<f64> {
        let listed = text(files, &self.clock.join("available_frequencies"));
        let mut hertz = table(&listed.unwrap_or_default());
        if hertz.is_empty() {
            let limits = ["min_freq", "max_freq"].map(|name| whole(files, &self.clock.join(name)));
            hertz.extend(limits.into_iter().filter_map(|hertz| u64::try_from(hertz.ok()?).ok()));
            hertz.extend(caps);
            hertz.retain(|&hertz| hertz > 0);
        }
        hertz.into_iter().map(|hertz| hertz as f64 / 1e3).collect()
    }
}

fn is_gpu(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, node)| NODES.contains(&node))
}

fn by_class(files: &dyn Files) -> Option<(PathBuf, PathBuf)> {
    let class = Path::new("/sys/class/devfreq");
    let names = files.list(class).ok()?;
    let named = |name: &&String| {
        let node = text(files, &class.join(name).join("device/of_node/name"));
        node.is_ok_and(|node| NODES.contains(&&*node)) || is_gpu(name)
    };
    let name = names.iter().find(|name| *name == PCI_CLOCK).or_else(|| names.iter().find(named))?;
    Some((class.join(name), class.join(name).join("device")))
}

/// Some kernels do not list the clock with the others.
fn by_device(files: &dyn Files) -> Option<(PathBuf, PathBuf)> {
    let folders = ["/sys/devices/platform/bus@0", "/sys/devices/platform", "/sys/devices"];
    folders.iter().find_map(|folder| {
        let names = files.list(Path::new(folder)).ok()?;
        names.iter().filter(|name| is_gpu(name)).find_map(|name| {
            let device = Path::new(folder).join(name);
            let clocks = [device.join("devfreq").join(name), device.join("devfreq_dev")];
            let clock = clocks.into_iter().find(|clock| files.exists(&clock.join("max_freq")))?;
            Some((clock, device))
        })
    })
}

fn pci_power(files: &dyn Files) -> Option<PathBuf> {
    let addresses = files.list(Path::new("/proc/driver/nvidia/gpus")).ok()?;
    let devices = Path::new("/sys/bus/pci/devices");
    let paths = addresses.iter().map(|address| devices.join(address).join("power/control"));
    paths.into_iter().find(|path| files.exists(path))
}

/// The GPU's clock and load.
#[derive(Debug)]
pub(super) struct GpuSensors {
    clock: PathBuf,
    load: Option<PathBuf>,
}

impl GpuSensors {
    pub(super) fn new(gpu: &Gpu) -> Self {
        Self { clock: gpu.clock.join("cur_freq"), load: gpu.load.clone() }
    }
}

impl SensorGroup for GpuSensors {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor = |quantity| Sensor { part: "gpu".into(), quantity, refresh: None };
        vec![sensor(Quantity::Clock), sensor(Quantity::Load)]
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        values.push(match number(files, &self.clock) {
            // The clock of a GPU that is switched off.
            Ok(0.0) => Err(Absence::Gated),
            value => value,
        });
        values.push(match &self.load {
            Some(path) => number(files, path).map(|permille| permille / 1e3),
            // Thor's driver tells it to its own library only.
            None => Err(Absence::Unsupported),
        });
    }

    fn find_again(&mut self, files: &dyn Files) {
        if let Some(gpu) = Gpu::find(files) {
            self.clock = gpu.clock.join("cur_freq");
            if gpu.load.is_some() {
                self.load = gpu.load;
            }
        }
    }
}
