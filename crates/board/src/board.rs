//! The Board trait: a device with sensors and power modes.
//!
//! A mode is set, read back, and put back. Whoever sets one says afterwards what was asked for,
//! what was written, and what the board then shows; and the state found before can be restored.

use std::fmt;
use std::sync::Arc;

use fulcrum_domain::{ModeId, ModeSpace};

use crate::profiler::Preset;
use crate::sensor::{Absence, Sample, Sensor, TotalPower};

/// What a board is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its kind: `jetson`, `host` or `simulated`.
    pub kind: &'static str,
    /// What it calls itself; carriers change it, so it is for people, not for comparing.
    pub model: String,
    /// What tells equal boards: a Jetson's module and system-on-chip (`p3701-0005`, `tegra234`).
    pub compatible: Vec<String>,
    /// The software that decides how it behaves: `L4T 36.4.3`, a kernel's release.
    pub software: String,
}

/// One level a knob as a board shows it, in the order of its knobs.
pub type Levels = Vec<Result<f64, Absence>>;

/// What came of setting a mode.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeChange {
    /// The mode that was asked for.
    pub requested: ModeId,
    /// What was written for each knob.
    pub applied: Vec<f64>,
    /// What the board shows for each knob after it was written.
    pub observed: Levels,
    /// Where the board does not show what was written.
    pub overrides: Vec<Override>,
}

impl ModeChange {
    /// Whether the board shows every knob as it was asked for.
    pub fn holds(&self) -> bool {
        self.overrides.is_empty()
    }
}

/// A knob that does not show what was written to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The knob.
    pub knob: String,
    /// What was written.
    pub wanted: f64,
    /// What it shows.
    pub shown: Result<f64, Absence>,
    /// Who is likely behind it.
    pub suspect: Suspect,
}

/// Who may have set a knob to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suspect {
    /// The kernel holds the value within a limit of its own.
    Kernel,
    /// The firmware took the value and did nothing.
    Firmware,
    /// A cooling device holds the clock down.
    Thermal,
    /// The vendor's power-mode service wrote its own mode.
    VendorMode,
    /// A clock lock (`jetson_clocks`) was set or wiped.
    ClockLock,
    /// Not known.
    Unknown,
}

impl Suspect {
    /// The suspect in words that fit after "by".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Firmware => "firmware",
            Self::Thermal => "thermal",
            Self::VendorMode => "vendor mode",
            Self::ClockLock => "clock lock",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a mode could not be set. The board may show part of it; restoring puts it back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// There is no such mode on this board.
    #[error("there is no mode {index} on this board; it has {count}")]
    Unknown {
        /// The place that was asked for.
        index: usize,
        /// How many modes there are.
        count: usize,
    },
    /// The board would have to be started anew; nothing was written.
    #[error("{what} takes effect only after a reboot, so it is never set from here")]
    NeedsReboot {
        /// What asks for it.
        what: String,
    },
    /// This process may not write a control.
    #[error(
        "not allowed to write {path}; run the agent with the rights that `fulcrum doctor` names"
    )]
    Denied {
        /// The control.
        path: String,
    },
    /// A control is not there.
    #[error("{path} is not there now")]
    Missing {
        /// The control.
        path: String,
    },
    /// The kernel refused a value.
    #[error("the kernel refused `{value}` for {path}: {reason}")]
    Refused {
        /// The control.
        path: String,
        /// What was written.
        value: String,
        /// What it said.
        reason: String,
    },
}

/// Everything that setting a mode may change, as it was found: enough to put it back, by this
/// process or by a later one. The board that made it knows what the keys mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundState {
    /// Controls with the texts they had, in the order in which they were read.
    pub controls: Vec<(String, String)>,
}

/// What could not be put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not put back: {}", .left.join("; "))]
pub struct RestoreError {
    /// One control each, with what it should show and what it shows or why it could not be written.
    pub left: Vec<String>,
}

/// A device with sensors and power modes.
///
/// Calls block as long as the device's files do: milliseconds. Nothing here waits for a clock to
/// settle; whoever measures does.
pub trait Board: Send {
    /// What it is.
    fn identity(&self) -> &Identity;

    /// Its power modes.
    fn space(&self) -> &Arc<ModeSpace>;

    /// Its vendor's power modes, from the smallest to the largest; those that take a reboot are
    /// left out. None if they are not known.
    fn presets(&self) -> &[Preset];

    /// What it can tell of itself. The order is that of a [`Sample`]'s values.
    fn sensors(&self) -> &[Sensor];

    /// How its total power comes about.
    fn total_power(&self) -> &TotalPower;

    /// Looks again for parts that were not there: a GPU whose driver came up late. Says whether
    /// anything that was described has changed. Not called while a mode is borrowed.
    fn probe_again(&mut self) -> bool {
        false
    }

    /// Reads all sensors once.
    fn sense(&mut self) -> Sample;

    /// What the knobs show now.
    fn levels(&mut self) -> Levels;

    /// Where the board does not show what was written when a mode was set, one value a knob. A knob
    /// that shows nothing now is no override: that it cannot be read says nothing of its level.
    fn overrides(&mut self, applied: &[f64]) -> Vec<Override> {
        let levels = self.levels();
        let knobs = self.space().knobs().iter().zip(applied.iter().zip(levels));
        knobs
            .filter(|(_, (wanted, shown))| shown.as_ref().is_ok_and(|shown| shown != *wanted))
            .map(|(knob, (&wanted, shown))| Override {
                knob: knob.name().to_owned(),
                wanted,
                shown,
                suspect: Suspect::Unknown,
            })
            .collect()
    }

    /// Sets a mode, and reads it back.
    ///
    /// # Errors
    /// When it could not be set whole. What was written until then stays until it is restored.
    fn set(&mut self, mode: ModeId) -> Result<ModeChange, SetError>;

    /// Reads everything that [`set`](Self::set) may change.
    ///
    /// # Errors
    /// When a control that would have to be put back cannot be read.
    fn found_state(&mut self) -> Result<FoundState, SetError>;

    /// Puts back what was found, whatever the board shows now, and reads it back. It goes on after
    /// a failure, so that as much as can be is put back.
    ///
    /// # Errors
    /// Names what could not be put back.
    fn restore(&mut self, found: &FoundState) -> Result<(), RestoreError>;

    /// Lets a process run within the mode in force, where the mode is a matter of processes: a host
    /// without a governor of its own keeps its workers to the mode's cores. Elsewhere it does
    /// nothing.
    fn place(&mut self, process: u32) {
        let _ = process;
    }
}
