//! The processor time of the workers' control group, where there is one that may be written.
//!
//! Affinity says where workers run; the quota holds even those that were not placed.

use std::path::{Path, PathBuf};

use super::cpu_clock::failed;
use crate::board::SetError;
use crate::files::Files;

/// What the kernel takes by default, in microseconds.
const PERIOD: u64 = 100_000;

#[derive(Debug)]
pub(super) struct Quota {
    file: PathBuf,
}

impl Quota {
    /// None unless the group has a quota that may be written (cgroup v2).
    pub(super) fn find(files: &dyn Files, group: &Path) -> Option<Self> {
        let file = group.join("cpu.max");
        files.writable(&file).then_some(Self { file })
    }

    /// As much time as this many cores have; no bound where it is all of them.
    pub(super) fn set(&self, files: &dyn Files, cores: usize, all: bool) -> Result<(), SetError> {
        let time = if all { "max".to_owned() } else { (cores as u64 * PERIOD).to_string() };
        let value = format!("{time} {PERIOD}");
        files.write(&self.file, &value).map_err(|error| failed(&self.file, &value, &error))
    }

    pub(super) fn found(&self, files: &dyn Files) -> Result<(String, String), SetError> {
        let value = files.read(&self.file).map_err(|error| failed(&self.file, "", &error))?;
        Ok((self.key(), value.trim().to_owned()))
    }

    pub(super) fn restore(
        &self,
        files: &dyn Files,
        controls: &[(String, String)],
    ) -> Option<String> {
        let (_, value) = controls.iter().find(|(key, _)| *key == self.key())?;
        let written = files.write(&self.file, value);
        match written.and_then(|()| files.read(&self.file)) {
            Ok(shown) if shown.trim() == value => None,
            Ok(shown) => Some(format!("{}: {}, not {value}", self.key(), shown.trim())),
            Err(error) => Some(failed(&self.file, value, &error).to_string()),
        }
    }

    fn key(&self) -> String {
        self.file.display().to_string()
    }
}
