//! The memory's clock: a cap, and a lock that the firmware follows where it likes the rate.

use super::errno::{EINVAL, Errno};
use super::{line, parse};

/// A file of the memory's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EmcFile {
    Cap,
    Rate,
    Lowest,
    Highest,
    Locked,
    Enabled,
    /// All rates in kHz, with the unit.
    Possible,
}

#[derive(Debug, Clone)]
pub(crate) struct Emc {
    /// The rates the firmware knows, in hertz, ascending.
    pub(crate) table: Vec<u64>,
    /// Where it stands by itself.
    pub(crate) idle_hz: u64,
    /// Whether no cap shows as zero (JetPack 4 and 5) or as the highest rate (6).
    pub(crate) none_is_zero: bool,
    pub(crate) cap: Option<u64>,
    pub(crate) locked: bool,
    pub(crate) lock_hz: u64,
}

impl Emc {
    pub(crate) fn new(table: Vec<u64>, idle_hz: u64, none_is_zero: bool) -> Self {
        let lock_hz = idle_hz;
        Self { table, idle_hz, none_is_zero, cap: None, locked: false, lock_hz }
    }

    pub(crate) fn top(&self) -> u64 {
        self.table.last().copied().unwrap_or(0)
    }

    /// The rate it runs at: the locked one or its own, never above the cap.
    pub(crate) fn rate(&self) -> u64 {
        let rate = if self.locked { self.lock_hz } else { self.idle_hz };
        rate.min(self.cap.unwrap_or(u64::MAX))
    }

    pub(crate) fn show(&self, file: EmcFile) -> String {
        match file {
            EmcFile::Cap => {
                line(self.cap.unwrap_or(if self.none_is_zero { 0 } else { self.top() }))
            }
            EmcFile::Rate => line(self.rate()),
            EmcFile::Lowest => line(self.table.first().copied().unwrap_or(0)),
            EmcFile::Highest => line(self.top()),
            EmcFile::Locked => line(u8::from(self.locked)),
            EmcFile::Enabled => line(1),
            EmcFile::Possible => {
                let rates: Vec<_> = self.table.iter().map(|hz| (hz / 1000).to_string()).collect();
                line(format!("{} (kHz)", rates.join(" ")))
            }
        }
    }

    pub(crate) fn store(&mut self, file: EmcFile, text: &str) -> Result<(), Errno> {
        match file {
            EmcFile::Cap => self.set_cap(text),
            EmcFile::Rate => {
                // The firmware takes any rate, and follows those that it knows.
                let rate = parse(text)?;
                if self.locked && self.table.contains(&rate) {
                    self.lock_hz = rate;
                }
                Ok(())
            }
            EmcFile::Locked => {
                let locked = parse(text)? != 0;
                if locked && !self.locked {
                    self.lock_hz = self.rate();
                }
                self.locked = locked;
                Ok(())
            }
            EmcFile::Enabled => parse(text).map(|_| ()),
            EmcFile::Lowest | EmcFile::Highest | EmcFile::Possible => Err(EINVAL),
        }
    }

    fn set_cap(&mut self, text: &str) -> Result<(), Errno> {
        // No cap: what nvpmodel writes for -1 is the largest int.
        if ["-1", "0", "2147483647"].contains(&text.trim()) {
            self.cap = None;
            return Ok(());
        }
        let cap = parse(text)?;
        if cap == self.top() && !self.none_is_zero {
            self.cap = None;
        } else if self.table.contains(&cap) {
            self.cap = Some(cap);
        }
        Ok(())
    }
}
