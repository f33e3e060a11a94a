//! Where a Jetson's kernel puts what.

mod cpus;
mod gpu;
mod hwmon;
mod memory_clock;
mod system;
mod thermal;

pub(crate) use gpu::GpuPlace;
pub(crate) use hwmon::ChipPlace;
pub(crate) use system::Release;
pub(crate) use thermal::ZoneNames;

use crate::devices::{Devices, Part, Role};
use crate::nodes::{Link, Node, Nodes};
use crate::tree::FakeTree;
use crate::world::World;

/// Readable by everyone.
pub(crate) const READ: u32 = 0o444;
/// Readable by everyone, writable by root.
pub(crate) const CONTROL: u32 = 0o644;
/// Readable by root only.
pub(crate) const ROOT_READ: u32 = 0o400;
/// For root only.
pub(crate) const ROOT_CONTROL: u32 = 0o600;

/// A tree being built.
pub(crate) struct Builder {
    nodes: Nodes,
    pub(crate) devices: Devices,
}

impl Builder {
    pub(crate) fn new(devices: Devices) -> Self {
        Self { nodes: Nodes::default(), devices }
    }

    pub(crate) fn node(&mut self, path: impl Into<String>, role: Role, mode: u32, part: Part) {
        self.nodes.files.insert(path.into(), Node { role, mode, part });
    }

    /// A file that shows one line.
    pub(crate) fn line(&mut self, path: impl Into<String>, text: &str) {
        self.node(path, Role::Text(format!("{text}\n")), READ, Part::Board);
    }

    /// A file with exactly this text.
    pub(crate) fn text(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.node(path, Role::Text(text.into()), READ, Part::Board);
    }

    /// A file that shows what was last written to it.
    pub(crate) fn control(&mut self, path: impl Into<String>, text: &str, part: Part) {
        self.node(path, Role::Text(format!("{text}\n")), CONTROL, part);
    }

    pub(crate) fn link(&mut self, path: impl Into<String>, target: impl Into<String>, part: Part) {
        self.nodes.links.insert(path.into(), Link { target: target.into(), part });
    }

    pub(crate) fn finish(self) -> FakeTree {
        FakeTree::new(World::new(self.nodes, self.devices))
    }
}
