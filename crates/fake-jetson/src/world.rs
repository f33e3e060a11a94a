//! Everything behind a tree: its nodes, its devices, who asks, and what goes wrong.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::{Clock, Moment};

use crate::devices::Devices;
use crate::devices::errno::{EACCES, EISDIR, ENOENT, Errno};
use crate::faults::{Fault, Faults};
use crate::log::Log;
use crate::nodes::{Node, Nodes};

/// Mounted for root only, as a folder of mode 0700.
pub(crate) const DEBUGFS: &str = "/sys/kernel/debug";

pub(crate) struct World {
    pub(crate) nodes: Nodes,
    pub(crate) devices: Devices,
    pub(crate) log: Log,
    pub(crate) faults: Option<Faults>,
    /// Whether it is root who asks.
    pub(crate) root: bool,
    /// Paths of which, and below which, nothing is allowed.
    pub(crate) refused: BTreeSet<String>,
    clock: Option<(Arc<dyn Clock>, Moment)>,
}

impl World {
    pub(crate) fn new(nodes: Nodes, devices: Devices) -> Self {
        Self {
            nodes,
            devices,
            log: Log::default(),
            faults: None,
            root: true,
            refused: BTreeSet::new(),
            clock: None,
        }
    }

    /// Lets time pass as it does on a clock.
    pub(crate) fn follow(&mut self, clock: Arc<dyn Clock>) {
        let now = clock.now();
        self.clock = Some((clock, now));
    }

    fn catch_up(&mut self) {
        if let Some((clock, seen)) = &mut self.clock {
            let now = clock.now();
            let passed = now.since(*seen);
            *seen = now;
            if passed > Duration::ZERO {
                self.devices.advance(passed);
            }
        }
    }

    pub(crate) fn read(&mut self, path: &str) -> Result<String, Errno> {
        self.catch_up();
        self.devices.gpu_node.one_read();
        let answer = match self.faults.as_mut().and_then(Faults::on_read) {
            Some(Fault::Error(code)) => Err(code),
            Some(Fault::Text(text)) => Ok(text),
            None => self.look(path),
        };
        self.log.served(path, &answer);
        answer
    }

    /// What a file holds, for whoever asks, without a trace.
    pub(crate) fn look(&self, path: &str) -> Result<String, Errno> {
        self.allow(path, 0o444)?;
        self.devices.show(&self.node(path)?.role)
    }

    pub(crate) fn write(&mut self, path: &str, text: &str) -> Result<(), Errno> {
        self.catch_up();
        let fault = self.faults.as_mut().and_then(Faults::on_write);
        let answer = match fault {
            // It took the value before it failed.
            Some(Fault::Text(_)) => self.store(path, text).and(Err(5)),
            Some(Fault::Error(code)) => Err(code),
            None => self.store(path, text),
        };
        self.log.written(path, text, answer);
        answer
    }

    fn store(&mut self, path: &str, text: &str) -> Result<(), Errno> {
        self.allow(path, 0o222)?;
        let real = self.nodes.resolve(path, &self.devices);
        let devices = &mut self.devices;
        let Some(node) = self.nodes.files.get_mut(&real).filter(|n| devices.present(n.part)) else {
            return Err(self.why_no_file(path));
        };
        if node.mode & 0o222 == 0 {
            return Err(EACCES);
        }
        devices.store(&mut node.role, text)
    }

    pub(crate) fn list(&mut self, folder: &str) -> Result<Vec<String>, Errno> {
        self.catch_up();
        if let Some(Fault::Error(code)) = self.faults.as_mut().and_then(Faults::on_list) {
            return Err(code);
        }
        self.enter(folder)?;
        let names = self.nodes.list(folder, &self.devices);
        if names.is_empty() { Err(ENOENT) } else { Ok(names) }
    }

    pub(crate) fn exists(&mut self, path: &str) -> bool {
        self.catch_up();
        if self.faults.as_mut().and_then(Faults::on_list).is_some() {
            return false;
        }
        self.enter(path).is_ok() && self.nodes.exists(path, &self.devices)
    }

    pub(crate) fn writable(&mut self, path: &str) -> bool {
        self.catch_up();
        let fault = self.faults.as_mut().and_then(Faults::on_list);
        let writable = |node: &Node| node.mode & 0o222 != 0;
        fault.is_none() && self.allow(path, 0o222).is_ok() && self.node(path).is_ok_and(writable)
    }

    fn node(&self, path: &str) -> Result<&Node, Errno> {
        let real = self.nodes.resolve(path, &self.devices);
        let node = self.nodes.files.get(&real);
        node.filter(|n| self.devices.present(n.part)).ok_or_else(|| self.why_no_file(path))
    }

    fn why_no_file(&self, path: &str) -> Errno {
        if self.nodes.exists(path, &self.devices) { EISDIR } else { ENOENT }
    }

    /// Whether whoever asks may look into a path's folder.
    fn enter(&self, path: &str) -> Result<(), Errno> {
        let below = |top: &str| {
            path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let real = self.nodes.resolve(path, &self.devices);
        let refused = self.refused.iter().any(|top| below(top) || real.starts_with(top.as_str()));
        if refused || (!self.root && below(DEBUGFS)) { Err(EACCES) } else { Ok(()) }
    }

    /// Whether whoever asks may read or write a file.
    fn allow(&self, path: &str, bits: u32) -> Result<(), Errno> {
        self.enter(path)?;
        let mode = self.node(path)?.mode;
        if self.root || mode & bits & 0o007 != 0 { Ok(()) } else { Err(EACCES) }
    }
}
