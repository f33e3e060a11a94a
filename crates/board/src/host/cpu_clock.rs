//! The clock of all cores, where cpufreq has a table and its limits may be written.

use std::path::{Path, PathBuf};

use crate::board::SetError;
use crate::files::Files;
use crate::linux::cpu::FOLDER;
use crate::linux::kernel_text::{numbered, table, text, whole};
use crate::sensor::{Absence, SensorValue};

#[derive(Debug)]
pub(super) struct CpuClock {
    policies: Vec<PathBuf>,
    /// The clocks there are, in kHz, ascending.
    pub(super) levels: Vec<u64>,
}

const MIN: &str = "scaling_min_freq";
const MAX: &str = "scaling_max_freq";

impl CpuClock {
    /// None unless every policy has the same table, and limits that may be written: a knob that
    /// moves some of the cores would be a lie.
    pub(super) fn find(files: &dyn Files) -> Option<Self> {
        let folders = numbered(files, &Path::new(FOLDER).join("cpufreq"), "policy");
        let policies: Vec<PathBuf> = folders.into_iter().map(|(_, folder)| folder).collect();
        let levels = |folder: &PathBuf| -> Option<Vec<u64>> {
            let writable = [MIN, MAX].iter().all(|name| files.writable(&folder.join(name)));
            let text = text(files, &folder.join("scaling_available_frequencies")).ok()?;
            Some(table(&text)).filter(|levels| writable && !levels.is_empty())
        };
        let first = levels(policies.first()?)?;
        let alike = policies.iter().all(|policy| levels(policy).as_ref() == Some(&first));
        alike.then_some(Self { policies, levels: first })
    }

    /// The clock that all cores are held at or below; the lowest where they differ.
    pub(super) fn shown(&self, files: &dyn Files) -> SensorValue {
        let highest = self.policies.iter().map(|policy| khz(files, &policy.join(MAX)));
        let highest: Vec<u64> = highest.collect::<Result<_, _>>()?;
        highest.into_iter().min().map(|khz| khz as f64).ok_or(Absence::Missing)
    }

    /// What is shown where a limit is not at this clock; nothing if all are.
    pub(super) fn deviation(&self, files: &dyn Files, wanted: u64) -> Option<SensorValue> {
        let limits = self.limits();
        let shown = limits.map(|limit| khz(files, &limit));
        let mut other = shown.filter(|shown| *shown != Ok(wanted));
        other.next().map(|shown| shown.map(|khz| khz as f64))
    }

    /// Pins every policy to a clock.
    pub(super) fn set(&self, files: &dyn Files, wanted: u64) -> Result<(), SetError> {
        self.policies.iter().try_for_each(|policy| pin(files, policy, wanted, wanted))
    }

    pub(super) fn found(&self, files: &dyn Files) -> Result<Vec<(String, String)>, SetError> {
        let found = self.limits().map(|limit| {
            let value = files.read(&limit).map_err(|error| failed(&limit, "", &error))?;
            Ok((limit.display().to_string(), value.trim().to_owned()))
        });
        found.collect()
    }

    /// Puts limits back, and says what did not go back.
    pub(super) fn restore(&self, files: &dyn Files, controls: &[(String, String)]) -> Vec<String> {
        let value = |limit: &Path| -> Option<u64> {
            let key = limit.display().to_string();
            controls.iter().find(|(k, _)| *k == key)?.1.parse().ok()
        };
        let mut left = Vec::new();
        for policy in &self.policies {
            let (min, max) = (policy.join(MIN), policy.join(MAX));
            let (Some(low), Some(high)) = (value(&min), value(&max)) else { continue };
            left.extend(pin(files, policy, low, high).err().map(|error| error.to_string()));
            for (limit, wanted) in [(min, low), (max, high)] {
                match khz(files, &limit) {
                    Ok(shown) if shown == wanted => {}
                    Ok(shown) => left.push(format!("{}: {shown}, not {wanted}", limit.display())),
                    Err(why) => left.push(format!("{}: {why}, not {wanted}", limit.display())),
                }
            }
        }
        left
    }

    fn limits(&self) -> impl Iterator<Item = PathBuf> {
        self.policies.iter().flat_map(|policy| [policy.join(MIN), policy.join(MAX)])
    }
}

/// Writes both limits in the order in which they never cross: kernels before 5.3 refuse a lower
/// limit above the upper one.
fn pin(files: &dyn Files, policy: &Path, low: u64, high: u64) -> Result<(), SetError> {
    let (min, max) = (policy.join(MIN), policy.join(MAX));
    let raises = khz(files, &max).is_ok_and(|now| low > now);
    let writes = [(&min, low), (&max, high)];
    let order = if raises { [writes[1], writes[0]] } else { writes };
    for (path, khz) in order {
        let value = khz.to_string();
        files.write(path, &value).map_err(|error| failed(path, &value, &error))?;
    }
    Ok(())
}

fn khz(files: &dyn Files, path: &Path) -> Result<u64, Absence> {
    let khz = whole(files, path)?;
    u64::try_from(khz).map_err(|_| Absence::Unreadable(khz.to_string()))
}

pub(super) fn failed(path: &Path, value: &str, error: &std::io::Error) -> SetError {
    let path = path.display().to_string();
    match Absence::of(error) {
        Absence::Denied => SetError::Denied { path },
        Absence::Missing => SetError::Missing { path },
        _ => SetError::Refused { path, value: value.to_owned(), reason: error.to_string() },
    }
}
