//! What the process itself costs, as far as the kernel says.

use crate::metric::Metric;
use crate::snapshot::Snapshot;

static CPU: Metric =
    Metric::counter("fulcrum_process_cpu_seconds", &[], "Processor time that the process has used");
static RESIDENT: Metric =
    Metric::gauge("fulcrum_process_resident_memory_bytes", &[], "Resident memory of the process");
static BUILD: Metric = Metric::gauge(
    "fulcrum_build_info",
    &["process", "version"],
    "Which process of which version this is; always 1",
);

/// Which process tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its name: agent, optimizer, scheduler.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What every process tells of itself.
pub static PROCESS: &[&Metric] = &[&CPU, &RESIDENT, &BUILD];

impl Snapshot {
    /// Adds what the process itself costs.
    pub fn process(&mut self, process: Process) {
        self.set_known(&CPU, [], own_cpu_seconds());
        self.set_known(&RESIDENT, [], own_resident_bytes());
        self.set(&BUILD, [process.name, process.version], 1.0);
    }
}

fn own_cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold anything, and is the only field in parentheses.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / rustix::param::clock_ticks_per_second() as f64)
}

fn own_resident_bytes() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}
