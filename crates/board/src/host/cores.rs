//! How many cores the placed processes may run on.
//!
//! A host has no governor of its own: its cores stay on for everyone else, and a mode keeps just
//! the processes that were placed to the first of them.

use std::io;

use super::processes::Processes;
use crate::board::SetError;
use crate::linux::kernel_text::processors;

/// A process that is kept to the mode's cores.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    process: u32,
    started: u64,
    /// The cores it could run on before.
    found: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct Cores {
    processes: Box<dyn Processes>,
    /// The cores that this process may give away, ascending.
    usable: Vec<u32>,
    /// How many of them the mode allows; none while no mode is set.
    limit: Option<usize>,
    placed: Vec<Placed>,
}

/// Threads that come up while others are being kept to their cores have to be found as well.
const ROUNDS: usize = 4;

const LIMIT: &str = "cpu_cores";
const ALLOWED: &str = "allowed_cores";

impl Cores {
    /// The cores that are on and that this process may use itself: a container has not all of them.
    pub(super) fn new(processes: Box<dyn Processes>, online: &[u32]) -> Self {
        let own = processes.allowed(processes.own()).unwrap_or_default();
        let both = |core: &u32| own.is_empty() || own.contains(core);
        let mut usable: Vec<u32> = online.iter().copied().filter(both).collect();
        if usable.is_empty() {
            usable = if own.is_empty() { vec![0] } else { own };
        }
        Self { processes, usable, limit: None, placed: Vec::new() }
    }

    /// The knob's levels.
    pub(super) fn counts(&self) -> impl Iterator<Item = f64> {
        (1..=self.usable.len()).map(|count| count as f64)
    }

    /// How many cores the placed processes may use: the mode's, or what one of them was given
    /// since by someone else.
    pub(super) fn shown(&self) -> f64 {
        let wanted = self.in_force();
        let threads = self.alive().flat_map(|placed| self.processes.threads(placed.process));
        let mut allowed = threads.filter_map(|thread| self.processes.allowed(thread).ok());
        let other = allowed.find(|allowed| self.limit.is_some() && allowed != wanted);
        other.map_or(wanted.len(), |allowed| allowed.len()) as f64
    }

    fn in_force(&self) -> &[u32] {
        &self.usable[..self.limit.unwrap_or(usize::MAX).min(self.usable.len())]
    }

    fn alive(&self) -> impl Iterator<Item = &Placed> {
        let same = |it: &&Placed| self.processes.started(it.process) == Some(it.started);
        self.placed.iter().filter(same)
    }

    pub(super) fn set(&mut self, count: usize) -> Result<(), SetError> {
        self.limit = Some(count.clamp(1, self.usable.len()));
        self.forget_the_dead();
        for placed in &self.placed {
            self.keep(placed.process, self.in_force())?;
        }
        Ok(())
    }

    /// Keeps a process to the mode's cores, from now on and through later modes. One that is gone
    /// already, or that is someone else's, stays as it is.
    pub(super) fn place(&mut self, process: u32) {
        self.forget_the_dead();
        if !self.placed.iter().any(|placed| placed.process == process) {
            let Some(started) = self.processes.started(process) else { return };
            let Ok(found) = self.processes.allowed(process) else { return };
            self.placed.push(Placed { process, started, found });
        }
        if self.limit.is_some() && self.keep(process, self.in_force()).is_err() {
            self.placed.retain(|placed| placed.process != process);
        }
    }

    fn forget_the_dead(&mut self) {
        let alive: Vec<Placed> = self.alive().cloned().collect();
        self.placed = alive;
    }

    fn keep(&self, process: u32, cores: &[u32]) -> Result<(), SetError> {
        for _ in 0..ROUNDS {
            let mut all = true;
            for thread in self.processes.threads(process) {
                if self.processes.allowed(thread).is_ok_and(|allowed| allowed == cores) {
                    continue;
                }
                all = false;
                match self.processes.allow(thread, cores) {
                    Err(error) if !gone(&error) => return Err(refused(process, cores, &error)),
                    _ => {}
                }
            }
            if all {
                break;
            }
        }
        Ok(())
    }

    /// The limit, and the cores that each placed process had.
    pub(super) fn found(&self) -> Vec<(String, String)> {
        let limit = self.limit.map_or("all".to_owned(), |limit| limit.to_string());
        let placed = self.alive().map(|placed| {
            let cores: Vec<String> = placed.found.iter().map(u32::to_string).collect();
            (format!("{ALLOWED} {} {}", placed.process, placed.started), cores.join(","))
        });
        [(LIMIT.to_owned(), limit)].into_iter().chain(placed).collect()
    }

    /// Puts the limit back, and each process to the cores it had, be it that it was placed since or
    /// that another agent placed it before it ended. Says what could not be put back.
    pub(super) fn restore(&mut self, controls: &[(String, String)]) -> Vec<String> {
        let limit = controls.iter().find(|(key, _)| key == LIMIT);
        self.limit = limit.and_then(|(_, limit)| limit.parse().ok());
        self.forget_the_dead();
        let found: Vec<Placed> = controls.iter().filter_map(placed_in).collect();
        let since = std::mem::take(&mut self.placed).into_iter();
        let (known, since): (Vec<Placed>, Vec<Placed>) = since.partition(|it| found.contains(it));
        self.placed = known;
        let mut left = Vec::new();
        for placed in found.iter().chain(&since) {
            if self.processes.started(placed.process) != Some(placed.started) {
                continue;
            }
            let kept = self.limit.is_some() && self.placed.contains(placed);
            let cores = if kept { self.in_force() } else { &placed.found };
            left.extend(self.keep(placed.process, cores).err());
        }
        left.iter().map(SetError::to_string).collect()
    }
}

/// `allowed_cores 4373 204922` with `0,1`.
fn placed_in((key, cores): &(String, String)) -> Option<Placed> {
    let (process, started) = key.strip_prefix(ALLOWED)?.trim().split_once(' ')?;
    let found = processors(cores);
    Some(Placed { process: process.parse().ok()?, started: started.parse().ok()?, found })
}

fn gone(error: &io::Error) -> bool {
    /// "No such process".
    const ESRCH: i32 = 3;
    error.raw_os_error() == Some(ESRCH)
}

fn refused(process: u32, cores: &[u32], error: &io::Error) -> SetError {
    let path = format!("the cores of process {process}");
    match error.kind() {
        io::ErrorKind::PermissionDenied => SetError::Denied { path },
        _ => SetError::Refused { path, value: format!("{cores:?}"), reason: error.to_string() },
    }
}
