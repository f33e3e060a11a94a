//! `/sys/devices/system/cpu`.

use super::{Builder, CONTROL, READ, ROOT_READ};
use crate::devices::cpus::{CpuFile, GOVERNORS, PolicyFile};
use crate::devices::{Part, Role};

const CPU: &str = "/sys/devices/system/cpu";

const POLICY_FILES: [(&str, PolicyFile, u32); 10] = [
    ("scaling_min_freq", PolicyFile::Min, CONTROL),
    ("scaling_max_freq", PolicyFile::Max, CONTROL),
    ("scaling_cur_freq", PolicyFile::Current, READ),
    ("cpuinfo_cur_freq", PolicyFile::Measured, ROOT_READ),
    ("cpuinfo_min_freq", PolicyFile::LowestPossible, READ),
    ("cpuinfo_max_freq", PolicyFile::HighestPossible, READ),
    ("scaling_available_frequencies", PolicyFile::Available, READ),
    ("affected_cpus", PolicyFile::Affected, READ),
    ("related_cpus", PolicyFile::Related, READ),
    ("scaling_governor", PolicyFile::Governor, CONTROL),
];

impl Builder {
    /// The cores and their policies; `first_can_go` says whether core 0 has an `online` file, and
    /// `sleep` names the deeper idle state.
    pub(crate) fn cpus(&mut self, first_can_go: bool, sleep: &str) {
        let count = self.devices.cpus.len();
        self.node(format!("{CPU}/online"), Role::Cpu(CpuFile::AllOnline), READ, Part::Board);
        self.node(format!("{CPU}/offline"), Role::Cpu(CpuFile::AllOffline), READ, Part::Board);
        self.node("/proc/stat", Role::Cpu(CpuFile::Stat), READ, Part::Board);
        let all = format!("0-{}", count - 1);
        self.line(format!("{CPU}/possible"), &all);
        self.line(format!("{CPU}/present"), &all);
        for core in 0..count {
            let folder = format!("{CPU}/cpu{core}");
            if core > 0 || first_can_go {
                let role = Role::Cpu(CpuFile::Online(core));
                self.node(format!("{folder}/online"), role, CONTROL, Part::Board);
            }
            for (state, name) in ["WFI", sleep].into_iter().enumerate() {
                self.line(format!("{folder}/cpuidle/state{state}/name"), name);
                self.control(format!("{folder}/cpuidle/state{state}/disable"), "0", Part::Board);
            }
        }
        let policies = self.devices.cpus.policies.clone();
        for (index, policy) in policies.into_iter().enumerate() {
            self.policy(index, policy.cores);
        }
    }

    fn policy(&mut self, index: usize, cores: std::ops::Range<usize>) {
        let folder = format!("{CPU}/cpufreq/policy{}", cores.start);
        let part = Part::Policy(index);
        for (name, file, mode) in POLICY_FILES {
            self.node(format!("{folder}/{name}"), Role::Policy(index, file), mode, part);
        }
        let plain = |text: &str| Role::Text(format!("{text}\n"));
        let governors = plain(&GOVERNORS.join(" "));
        self.node(format!("{folder}/scaling_available_governors"), governors, READ, part);
        self.node(format!("{folder}/scaling_driver"), plain("tegra194"), READ, part);
        for core in cores {
            self.link(format!("{CPU}/cpu{core}/cpufreq"), folder.clone(), Part::Core(core));
        }
    }
}
