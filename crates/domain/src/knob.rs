//! Knobs: what can be set on a board, each with its ordered levels.

use std::fmt;

/// One thing that can be set on a board, with its levels in ascending order: the number of CPU
/// cores, a clock in kHz, a power limit in W.
///
/// The name says the unit by its ending (`cpu_khz`, `power_limit_w`), as in a profile table.
#[derive(Debug, Clone, PartialEq)]
pub struct Knob {
    name: String,
    levels: Vec<f64>,
}

impl Knob {
    /// A knob with these levels, which are sorted and freed of repetitions.
    ///
    /// # Errors
    /// When there is no level, one is not a finite number, or there are more than 65,536.
    pub fn new(
        name: impl Into<String>,
        levels: impl IntoIterator<Item = f64>,
    ) -> Result<Self, KnobError> {
        let name = name.into();
        // Adding 0.0 turns a negative zero into zero, so that one level is one bit pattern.
        let mut levels: Vec<f64> = levels.into_iter().map(|level| level + 0.0).collect();
        if levels.is_empty() {
            return Err(KnobError::NoLevel { knob: name });
        }
        if let Some(&level) = levels.iter().find(|level| !level.is_finite()) {
            return Err(KnobError::NotFinite { knob: name, level });
        }
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        if levels.len() > usize::from(u16::MAX) + 1 {
            return Err(KnobError::TooManyLevels { knob: name, count: levels.len() });
        }
        Ok(Self { name, levels })
    }

    /// The name, with the unit as its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All levels, ascending.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// The place of a level among the levels, if it is one.
    pub fn index_of(&self, level: f64) -> Option<u16> {
        self.levels.binary_search_by(|l| l.total_cmp(&(level + 0.0))).ok().map(|i| i as u16)
    }

    /// The highest place.
    pub fn top(&self) -> u16 {
        (self.levels.len() - 1) as u16
    }

    /// A level for people: `cpu 2.2GHz`, `12 cpu cores`, `1 cpu core`, `power limit 150W`.
    pub fn describe(&self, level: f64) -> impl fmt::Display + use<> {
        let clock = |khz: f64, label: &str| {
            if khz >= 1e6 {
                format!("{} {:.2}GHz", spaced(label), khz / 1e6)
            } else {
                format!("{} {:.0}MHz", spaced(label), khz / 1e3)
            }
        };
        if let Some(label) = self.name.strip_suffix("_khz") {
            clock(level, label)
        } else if let Some(label) = self.name.strip_suffix("_w") {
            format!("{} {level}W", spaced(label))
        } else if self.name.ends_with("cores") {
            let name = spaced(&self.name);
            let one = name.strip_suffix('s').filter(|_| level == 1.0);
            format!("{level} {}", one.unwrap_or(&name))
        } else {
            format!("{} {level}", spaced(&self.name))
        }
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// Why a knob cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KnobError {
    /// A knob that cannot be set to anything.
    #[error("knob `{knob}` has no level")]
    NoLevel {
        /// The knob's name.
        knob: String,
    },
    /// A level that is no number.
    #[error("knob `{knob}` has the level {level}, which is not a finite number")]
    NotFinite {
        /// The knob's name.
        knob: String,
        /// The level.
        level: f64,
    },
    /// More levels than a power mode can point at.
    #[error("knob `{knob}` has {count} levels; at most 65536 are supported")]
    TooManyLevels {
        /// The knob's name.
        knob: String,
        /// How many there are.
        count: usize,
    },
}
