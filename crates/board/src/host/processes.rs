//! The processes of the machine, and the cores that they may run on.

use std::fmt::Debug;
use std::io;

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

/// What a host needs to know of processes, and to do to them.
pub trait Processes: Send + Debug {
    /// When a process started, in the kernel's ticks since boot; none if there is no such process.
    /// With it, a process is told from a later one of the same number.
    fn started(&self, process: u32) -> Option<u64>;

    /// The threads of a process.
    fn threads(&self, process: u32) -> Vec<u32>;

    /// The cores that a thread may run on, ascending.
    ///
    /// # Errors
    /// `ESRCH` if it is gone.
    fn allowed(&self, thread: u32) -> io::Result<Vec<u32>>;

    /// Lets a thread run on these cores only.
    ///
    /// # Errors
    /// `ESRCH` if it is gone, `EPERM` if it is someone else's.
    fn allow(&self, thread: u32, cores: &[u32]) -> io::Result<()>;

    /// The number of this process.
    fn own(&self) -> u32;
}

/// The processes of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemProcesses;

impl Processes for SystemProcesses {
    fn started(&self, process: u32) -> Option<u64> {
        start_time(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    fn threads(&self, process: u32) -> Vec<u32> {
        let Ok(entries) = std::fs::read_dir(format!("/proc/{process}/task")) else {
            return Vec::new();
        };
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
    }

    fn allowed(&self, thread: u32) -> io::Result<Vec<u32>> {
        let set = sched_getaffinity(Some(pid(thread)?))?;
        Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).map(|core| core as u32).collect())
    }

    fn allow(&self, thread: u32, cores: &[u32]) -> io::Result<()> {
        let mut set = CpuSet::new();
        let known = cores.iter().map(|&core| core as usize).filter(|&core| core < CpuSet::MAX_CPU);
        known.for_each(|core| set.set(core));
        Ok(sched_setaffinity(Some(pid(thread)?), &set)?)
    }

    fn own(&self) -> u32 {
        std::process::id()
    }
}

fn pid(thread: u32) -> io::Result<Pid> {
    let number = i32::try_from(thread).ok().and_then(Pid::from_raw);
    number.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

/// The 22nd field of `/proc/PID/stat`. The second is the program's name in parentheses, which may
/// hold spaces and parentheses itself.
fn start_time(stat: &str) -> Option<u64> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_time_is_found_behind_any_name() {
        let stat =
            "4373 (a) b (c) R 4366 4366 16372 0 -1 4194304 101 0 0 0 0 0 0 0 20 0 1 0 204922 31";
        assert_eq!(start_time(stat), Some(204_922));
        assert_eq!(start_time("4373 (cat"), None);
    }

    #[test]
    fn this_process_can_be_kept_to_one_core_and_let_go() {
        let processes = SystemProcesses;
        let own = processes.own();
        assert!(processes.started(own).is_some());
        // The main thread does nothing but wait for the tests.
        assert!(processes.threads(own).contains(&own));
        let before = processes.allowed(own).unwrap();
        processes.allow(own, &before[..1]).unwrap();
        assert_eq!(processes.allowed(own).unwrap(), before[..1]);
        processes.allow(own, &before).unwrap();
        assert_eq!(processes.allowed(own).unwrap(), before);
        assert!(processes.allow(own, &[]).is_err(), "no core at all");
        assert!(processes.allowed(0).is_err());
    }
}
