//! Processes in memory, for hosts that are not this machine.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use fulcrum_board::Processes;

#[derive(Debug, Clone)]
struct Process {
    started: u64,
    /// The cores of each thread.
    threads: BTreeMap<u32, Vec<u32>>,
    theirs: bool,
}

/// Processes by number. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeProcesses(Arc<Mutex<BTreeMap<u32, Process>>>);

/// The process that asks.
pub(crate) const OWN: u32 = 1;

impl FakeProcesses {
    /// A machine where this process may use so many cores.
    pub(crate) fn new(cores: u32) -> Self {
        let processes = Self::default();
        processes.start(OWN, 10, &(0..cores).collect::<Vec<_>>());
        processes
    }

    /// Starts a process with a main thread and two more.
    pub(crate) fn start(&self, process: u32, started: u64, cores: &[u32]) {
        let threads = [process, process + 1, process + 2].map(|thread| (thread, cores.to_vec()));
        let process_ = Process { started, threads: threads.into(), theirs: false };
        self.0.lock().unwrap().insert(process, process_);
    }

    #[allow(dead_code, reason = "not every suite ends processes")]
    pub(crate) fn end(&self, process: u32) {
        self.0.lock().unwrap().remove(&process);
    }

    /// Makes a process someone else's.
    #[allow(dead_code, reason = "not every suite has others' processes")]
    pub(crate) fn give_away(&self, process: u32) {
        self.0.lock().unwrap().get_mut(&process).unwrap().theirs = true;
    }

    /// The cores of a process's threads.
    #[allow(dead_code, reason = "not every suite looks")]
    pub(crate) fn cores(&self, process: u32) -> Vec<Vec<u32>> {
        self.0.lock().unwrap()[&process].threads.values().cloned().collect()
    }
}

impl Processes for FakeProcesses {
    fn started(&self, process: u32) -> Option<u64> {
        self.0.lock().unwrap().get(&process).map(|process| process.started)
    }

    fn threads(&self, process: u32) -> Vec<u32> {
        let processes = self.0.lock().unwrap();
        processes.get(&process).map(|it| it.threads.keys().copied().collect()).unwrap_or_default()
    }

    fn allowed(&self, thread: u32) -> io::Result<Vec<u32>> {
        let processes = self.0.lock().unwrap();
        let cores = processes.values().find_map(|process| process.threads.get(&thread));
        cores.cloned().ok_or_else(|| io::Error::from_raw_os_error(3))
    }

    fn allow(&self, thread: u32, cores: &[u32]) -> io::Result<()> {
        let mut processes = self.0.lock().unwrap();
        let owner = processes.values_mut().find(|process| process.threads.contains_key(&thread));
        let owner = owner.ok_or_else(|| io::Error::from_raw_os_error(3))?;
        if owner.theirs {
            return Err(io::Error::from_raw_os_error(1));
        }
        owner.threads.insert(thread, cores.to_vec());
        Ok(())
    }

    fn own(&self) -> u32 {
        OWN
    }
}
