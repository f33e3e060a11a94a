//! Cores that come and go, and the policies that clock them.

use std::fmt::Write as _;
use std::time::Duration;

use super::errno::{EINVAL, EPERM, Errno};
use super::limits::Limits;
use super::{line, parse};

/// A file of the cores.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CpuFile {
    Online(usize),
    AllOnline,
    AllOffline,
    Stat,
}

/// A file of a policy.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PolicyFile {
    Min,
    Max,
    /// What was asked of the hardware.
    Current,
    /// What the hardware does.
    Measured,
    LowestPossible,
    HighestPossible,
    Available,
    Affected,
    Related,
    Governor,
}

#[derive(Debug, Clone)]
struct Core {
    online: bool,
    busy: Duration,
    idle: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) cores: std::ops::Range<usize>,
    pub(crate) limits: Limits,
    pub(crate) governor: String,
    /// Where its clock stands when nothing runs.
    pub(crate) idle_khz: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Cpus {
    cores: Vec<Core>,
    pub(crate) policies: Vec<Policy>,
    /// The share of the time that online cores are busy, 0 to 1.
    pub(crate) load: f64,
    /// Whether over-current throttling halves the clock that the hardware runs at.
    pub(crate) throttled: bool,
}

impl Cpus {
    pub(crate) fn new(policies: Vec<Policy>) -> Self {
        let count = policies.iter().map(|policy| policy.cores.end).max().unwrap_or(0);
        let core = |index: usize| Core {
            online: true,
            busy: Duration::from_millis(41_000 + 370 * index as u64),
            idle: Duration::from_hours(1),
        };
        let cores = (0..count).map(core).collect();
        Self { cores, policies, load: 0.05, throttled: false }
    }

    pub(crate) fn len(&self) -> usize {
        self.cores.len()
    }

    pub(crate) fn online(&self, core: usize) -> bool {
        self.cores.get(core).is_some_and(|core| core.online)
    }

    pub(crate) fn policy_present(&self, policy: usize) -> bool {
        self.policies[policy].cores.clone().any(|core| self.online(core))
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        for core in self.cores.iter_mut().filter(|core| core.online) {
            let busy = time.mul_f64(self.load);
            core.busy += busy;
            core.idle += time.saturating_sub(busy);
        }
    }

    pub(crate) fn switch(&mut self, core: usize, on: bool) -> Result<(), Errno> {
        if core == 0 && !on {
            return Err(EPERM);
        }
        let policy = self.policies.iter().position(|p| p.cores.contains(&core)).ok_or(EINVAL)?;
        if on && !self.policy_present(policy) {
            // A cluster that comes back has forgotten its limits.
            self.policies[policy].limits.reset();
        }
        self.cores[core].online = on;
        Ok(())
    }

    pub(crate) fn show(&self, file: CpuFile) -> String {
        match file {
            CpuFile::Online(core) => line(u8::from(self.online(core))),
            CpuFile::AllOnline => self.ranges(true),
            CpuFile::AllOffline => self.ranges(false),
            CpuFile::Stat => self.stat(),
        }
    }

    pub(crate) fn store(&mut self, file: CpuFile, text: &str) -> Result<(), Errno> {
        match (file, text.trim()) {
            (CpuFile::Online(core), "0") => self.switch(core, false),
            (CpuFile::Online(core), "1") => self.switch(core, true),
            _ => Err(EINVAL),
        }
    }

    pub(crate) fn show_policy(&self, index: usize, file: PolicyFile) -> String {
        let policy = &self.policies[index];
        let limits = &policy.limits;
        let cores = |all: bool| {
            let cores = policy.cores.clone().filter(|&core| all || self.online(core));
            line(cores.map(|core| core.to_string()).collect::<Vec<_>>().join(" "))
        };
        match file {
            PolicyFile::Min => line(limits.min()),
            PolicyFile::Max => line(limits.max()),
            PolicyFile::Current => line(self.clock(policy)),
            PolicyFile::Measured => line(self.clock(policy) / if self.throttled { 2 } else { 1 }),
            PolicyFile::LowestPossible => line(limits.bottom()),
            PolicyFile::HighestPossible => line(limits.top()),
            PolicyFile::Available => table(&limits.table),
            PolicyFile::Affected => cores(false),
            PolicyFile::Related => cores(true),
            PolicyFile::Governor => line(&policy.governor),
        }
    }

    pub(crate) fn store_policy(
        &mut self,
        index: usize,
        file: PolicyFile,
        text: &str,
    ) -> Result<(), Errno> {
        let policy = &mut self.policies[index];
        match file {
            PolicyFile::Min => policy.limits.set_min(parse(text)?),
            PolicyFile::Max => policy.limits.set_max(parse(text)?),
            PolicyFile::Governor if GOVERNORS.contains(&text.trim()) => {
                text.trim().clone_into(&mut policy.governor);
                Ok(())
            }
            _ => Err(EINVAL),
        }
    }

    fn clock(&self, policy: &Policy) -> u64 {
        let limits = &policy.limits;
        match policy.governor.as_str() {
            "performance" => limits.max(),
            "powersave" => limits.min(),
            _ => limits.run(policy.idle_khz.max((limits.top() as f64 * self.load) as u64)),
        }
    }

    /// `0-3,6`; an empty line where there is none.
    fn ranges(&self, online: bool) -> String {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for core in (0..self.cores.len()).filter(|&core| self.online(core) == online) {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == core => *last = core,
                _ => runs.push((core, core)),
            }
        }
        let text = |(first, last): (usize, usize)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        line(runs.into_iter().map(text).collect::<Vec<_>>().join(","))
    }

    /// `/proc/stat`: hundredths of a second; a core that is offline has no line.
    fn stat(&self) -> String {
        let ticks = |time: Duration| time.as_millis() / 10;
        let online = || self.cores.iter().enumerate().filter(|(_, core)| core.online);
        let row = |name: &str, busy, idle| {
            format!("{name} {} 0 {} {} 12 0 3 0 0 0\n", busy - busy / 4, busy / 4, idle)
        };
        let busy = online().map(|(_, core)| ticks(core.busy)).sum();
        let mut text = row("cpu ", busy, online().map(|(_, core)| ticks(core.idle)).sum());
        for (index, core) in online() {
            text += &row(&format!("cpu{index}"), ticks(core.busy), ticks(core.idle));
        }
        let _ = write!(text, "intr 0\nctxt 1234567\nbtime 1700000000\nprocesses 4321\n");
        text
    }
}

pub(crate) const GOVERNORS: [&str; 6] =
    ["conservative", "ondemand", "userspace", "powersave", "performance", "schedutil"];

/// A table of clocks as kernels show it: a space after each.
pub(crate) fn table(clocks: &[u64]) -> String {
    let clocks: Vec<String> = clocks.iter().map(u64::to_string).collect();
    line(clocks.join(" ") + " ")
}
