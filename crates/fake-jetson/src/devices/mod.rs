//! The devices behind the files: what they show, and what is made of what is written.

pub(crate) mod cpus;
pub(crate) mod devfreq;
pub(crate) mod emc;
pub(crate) mod errno;
pub(crate) mod fan;
pub(crate) mod gpu_node;
pub(crate) mod limits;
pub(crate) mod over_current;
pub(crate) mod power_chip;
pub(crate) mod thermal;

use std::time::Duration;

use cpus::{CpuFile, Cpus, PolicyFile};
use devfreq::{Devfreq, DevfreqFile};
use emc::{Emc, EmcFile};
use errno::{EINVAL, Errno};
use fan::Fan;
use gpu_node::GpuNode;
use over_current::OverCurrent;
use power_chip::{ChannelFile, PowerChip};
use thermal::Zone;

pub use limits::KernelProfile;

use crate::vendor_modes::VendorMode;

/// What a file comes and goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It is always there.
    Board,
    /// A core's link to its policy: there while the core is online.
    Core(usize),
    /// A policy's folder: there while one of its cores is online.
    Policy(usize),
    /// The GPU's driver, which may come late.
    Gpu,
    /// debugfs, if it is mounted.
    Debugfs,
    /// NVIDIA's `/sys/kernel/nvpmodel_*`, which other systems lack.
    Nvpmodel,
}

/// What a file shows.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// Just what was last written to it.
    Text(String),
    /// Nothing: every read fails.
    Fails(Errno),
    Cpu(CpuFile),
    Policy(usize, PolicyFile),
    Devfreq(usize, DevfreqFile),
    /// The GPU's load, in permille.
    GpuLoad,
    Emc(EmcFile),
    Channel {
        chip: usize,
        channel: usize,
        file: ChannelFile,
    },
    OverCurrent(usize),
    Zone(usize),
    FanDrive,
    FanSpeed,
}

pub(crate) struct Devices {
    pub(crate) now: Duration,
    pub(crate) cpus: Cpus,
    /// The GPU's first.
    pub(crate) devfreqs: Vec<Devfreq>,
    pub(crate) gpu_node: GpuNode,
    pub(crate) emc: Emc,
    pub(crate) chips: Vec<PowerChip>,
    pub(crate) over_current: OverCurrent,
    pub(crate) zones: Vec<Zone>,
    pub(crate) fan: Fan,
    pub(crate) debugfs_mounted: bool,
    pub(crate) nvpmodel_nodes: bool,
    pub(crate) vendor_modes: Vec<VendorMode>,
    /// The place of the vendor's mode in force.
    pub(crate) vendor_mode: usize,
    /// The lower limits that every one of the vendor's modes sets.
    pub(crate) cpu_min_khz: u64,
    pub(crate) gpu_min_hz: u64,
}

impl Devices {
    pub(crate) fn new(cpus: Cpus, emc: Emc) -> Self {
        Self {
            now: Duration::ZERO,
            cpus,
            devfreqs: Vec::new(),
            gpu_node: GpuNode::default(),
            emc,
            chips: Vec::new(),
            over_current: OverCurrent::default(),
            zones: Vec::new(),
            fan: Fan::default(),
            debugfs_mounted: true,
            nvpmodel_nodes: true,
            vendor_modes: Vec::new(),
            vendor_mode: 0,
            cpu_min_khz: 0,
            gpu_min_hz: 0,
        }
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        self.now += time;
        self.cpus.advance(time);
        self.gpu_node.advance(time);
        for chip in &mut self.chips {
            chip.advance(self.now);
        }
        self.over_current.advance(time);
        self.fan.advance(time);
    }

    pub(crate) fn present(&self, part: Part) -> bool {
        match part {
            Part::Board => true,
            Part::Core(core) => self.cpus.online(core),
            Part::Policy(policy) => self.cpus.policy_present(policy),
            Part::Gpu => self.gpu_node.present(),
            Part::Debugfs => self.debugfs_mounted,
            Part::Nvpmodel => self.nvpmodel_nodes,
        }
    }

    pub(crate) fn show(&self, role: &Role) -> Result<String, Errno> {
        Ok(match role {
            Role::Text(text) => text.clone(),
            Role::Fails(code) => return Err(*code),
            Role::Cpu(file) => self.cpus.show(*file),
            Role::Policy(policy, file) => self.cpus.show_policy(*policy, *file),
            Role::Devfreq(index, file) => self.devfreqs[*index].show(*file),
            Role::GpuLoad => line(self.gpu_node.load_permille),
            Role::Emc(file) => self.emc.show(*file),
            Role::Channel { chip, channel, file } => self.chips[*chip].show(*channel, *file)?,
            Role::OverCurrent(index) => line(self.over_current.shown[*index]),
            Role::Zone(index) => self.zones[*index].show(self.gpu_node.gated)?,
            Role::FanDrive => line(self.fan.drive),
            Role::FanSpeed => line(self.fan.speed()),
        })
    }

    pub(crate) fn store(&mut self, role: &mut Role, text: &str) -> Result<(), Errno> {
        match role {
            Role::Text(old) => {
                let text = text.trim_end();
                // A kernel's attributes end in a line; a device tree's texts cannot be written.
                *old = format!("{text}\n");
                Ok(())
            }
            Role::Cpu(file) => self.cpus.store(*file, text),
            Role::Policy(policy, file) => self.cpus.store_policy(*policy, *file, text),
            Role::Devfreq(index, file) => self.devfreqs[*index].store(*file, text),
            Role::Emc(file) => self.emc.store(*file, text),
            Role::FanDrive => {
                self.fan.drive = parse(text).and_then(|d| u8::try_from(d).map_err(|_| EINVAL))?;
                Ok(())
            }
            _ => Err(EINVAL),
        }
    }
}

/// A number as a kernel shows it.
pub(crate) fn line(number: impl std::fmt::Display) -> String {
    format!("{number}\n")
}

/// A number as a kernel takes it.
pub(crate) fn parse(text: &str) -> Result<u64, Errno> {
    text.trim().parse().map_err(|_| EINVAL)
}
