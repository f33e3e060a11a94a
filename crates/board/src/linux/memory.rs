//! Memory, which processors and GPU share.

use std::path::Path;

use super::kernel_text::unreadable;
use super::sensor_group::SensorGroup;
use crate::files::Files;
use crate::sensor::{Absence, Quantity, Sensor, SensorValue};

/// What is told of the memory, and the kernel's word for it.
const PARTS: [(&str, &str); 4] = [
    ("memory_total", "MemTotal:"),
    ("memory_available", "MemAvailable:"),
    ("swap_total", "SwapTotal:"),
    ("swap_free", "SwapFree:"),
];

/// The memory.
#[derive(Debug)]
pub(crate) struct Memory;

impl SensorGroup for Memory {
    fn sensors(&self) -> Vec<Sensor> {
        let sensor =
            |part: &str| Sensor { part: part.into(), quantity: Quantity::Memory, refresh: None };
        PARTS.iter().map(|(part, _)| sensor(part)).collect()
    }

    fn read(&mut self, files: &dyn Files, values: &mut Vec<SensorValue>) {
        match files.read(Path::new("/proc/meminfo")) {
            Ok(text) => values.extend(PARTS.iter().map(|(_, word)| bytes(&text, word))),
            Err(error) => values.extend(PARTS.iter().map(|_| Err(Absence::of(&error)))),
        }
    }
}

/// `MemTotal:       65 kB`, in units of 1024 bytes.
fn bytes(text: &str, word: &str) -> SensorValue {
    let line = text.lines().find(|line| line.starts_with(word)).ok_or(Absence::Missing)?;
    let mut words = line[word.len()..].split_whitespace();
    match (words.next().and_then(|kib| kib.parse::<u64>().ok()), words.next()) {
        (Some(kib), Some("kB")) => Ok(kib as f64 * 1024.0),
        _ => Err(unreadable(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_in_bytes() {
        let text = "MemTotal:        7789952 kB\nMemFree: many\n";
        assert_eq!(bytes(text, "MemTotal:"), Ok(7_976_910_848.0));
        assert_eq!(bytes(text, "MemFree:"), Err(Absence::Unreadable("MemFree: many".into())));
        assert_eq!(bytes(text, "SwapFree:"), Err(Absence::Missing));
    }
}
