//! A device with a clock of its own: the GPU, Thor's memory.

use super::cpus::table;
use super::errno::{EINVAL, Errno};
use super::limits::Limits;
use super::{line, parse};

/// A file of a devfreq device.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DevfreqFile {
    Min,
    Max,
    Current,
    Available,
    Governor,
    Governors,
}

#[derive(Debug, Clone)]
pub(crate) struct Devfreq {
    pub(crate) limits: Limits,
    pub(crate) governor: String,
    pub(crate) governors: &'static [&'static str],
    /// Where its clock stands when nothing runs.
    pub(crate) idle_hz: u64,
}

impl Devfreq {
    pub(crate) fn clock(&self) -> u64 {
        match self.governor.as_str() {
            "performance" => self.limits.max(),
            _ => self.limits.run(self.idle_hz),
        }
    }

    pub(crate) fn show(&self, file: DevfreqFile) -> String {
        match file {
            DevfreqFile::Min => line(self.limits.min()),
            DevfreqFile::Max => line(self.limits.max()),
            DevfreqFile::Current => line(self.clock()),
            DevfreqFile::Available => {
                // Unlike cpufreq, no space before the end of the line.
                table(&self.limits.table).replace(" \n", "\n")
            }
            DevfreqFile::Governor => line(&self.governor),
            DevfreqFile::Governors => line(self.governors.join(" ")),
        }
    }

    pub(crate) fn store(&mut self, file: DevfreqFile, text: &str) -> Result<(), Errno> {
        match file {
            DevfreqFile::Min => self.limits.set_min(parse(text)?),
            // Zero: do not care.
            DevfreqFile::Max => match parse(text)? {
                0 => self.limits.set_max(self.limits.top()),
                hz => self.limits.set_max(hz),
            },
            DevfreqFile::Governor if self.governors.contains(&text.trim()) => {
                text.trim().clone_into(&mut self.governor);
                Ok(())
            }
            _ => Err(EINVAL),
        }
    }
}
