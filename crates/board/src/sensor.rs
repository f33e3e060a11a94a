//! Sensors: what a board can tell of itself, and why it sometimes cannot.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::clock::Moment;

/// What a sensor's number counts, which is also its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// Power, in watts.
    Power,
    /// Voltage, in volts.
    Voltage,
    /// Current, in amperes.
    Current,
    /// Temperature, in degrees Celsius.
    Temperature,
    /// A clock, in hertz.
    Clock,
    /// How busy a part is, from 0 to 1.
    Load,
    /// A fan's drive, from 0 to 1.
    FanDrive,
    /// A fan's speed, in revolutions per minute.
    FanSpeed,
    /// How often something happened since the board started; it only grows.
    Count,
    /// An amount of memory, in bytes.
    Memory,
    /// Energy drawn since the counter began, in joules; it only grows.
    Energy,
}

impl Quantity {
    /// The unit, as a suffix of names: `watts`.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Power => "watts",
            Self::Voltage => "volts",
            Self::Current => "amperes",
            Self::Temperature => "celsius",
            Self::Clock => "hertz",
            Self::Load | Self::FanDrive => "ratio",
            Self::FanSpeed => "rpm",
            Self::Count => "total",
            Self::Memory => "bytes",
            Self::Energy => "joules",
        }
    }
}

/// One thing that a board can tell of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sensor {
    /// What it is of, as the board calls it: `VDD_GPU_SOC`, `tj`, `gpu`, `cpu0`, `oc1`.
    pub part: String,
    /// What its number counts.
    pub quantity: Quantity,
    /// How often it has a new value, where it does not at every read: an INA3221 about every
    /// 430 ms.
    pub refresh: Option<Duration>,
}

impl fmt::Display for Sensor {
    /// `VDD_IN watts`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.part, self.quantity.unit())
    }
}

/// Why a sensor has no value. Ignorance is never a zero.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Absence {
    /// The board does not have it, or not now.
    #[error("missing")]
    Missing,
    /// What it says is older than it should be.
    #[error("stale")]
    Stale,
    /// This process may not read it.
    #[error("denied")]
    Denied,
    /// The part is switched off.
    #[error("gated")]
    Gated,
    /// The board has it, but this kernel does not offer it.
    #[error("unsupported")]
    Unsupported,
    /// It says something that is no value.
    #[error("unreadable: `{0}`")]
    Unreadable(String),
}

impl Absence {
    /// What the failure to read a kernel's file says of the sensor behind it.
    pub fn of(error: &io::Error) -> Self {
        /// "No data available": an INA3221 channel that is disabled.
        const ENODATA: i32 = 61;
        /// "No such device (or address)": the device went away under an open folder.
        const GONE: [i32; 2] = [6, 19];
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::NotFound, _) => Self::Missing,
            (_, Some(code)) if GONE.contains(&code) => Self::Missing,
            (io::ErrorKind::PermissionDenied, _) => Self::Denied,
            // A thermal zone of a part that is switched off answers EAGAIN; trying again hangs.
            (io::ErrorKind::WouldBlock, _) | (_, Some(ENODATA)) => Self::Gated,
            (io::ErrorKind::Unsupported, _) => Self::Unsupported,
            _ => Self::Unreadable(error.to_string()),
        }
    }

    /// The reason in one word, for labels and programs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Denied => "denied",
            Self::Gated => "gated",
            Self::Unsupported => "unsupported",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// What a sensor says: a number in its quantity's unit, or why there is none.
pub type SensorValue = Result<f64, Absence>;

/// What all sensors of a board said when they were last read, in the order of its sensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When the reading was done.
    pub at: Moment,
    /// One value a sensor.
    pub values: Vec<SensorValue>,
    /// The board's total power in watts, by its [`TotalPower`] rule. It is absent where one of its
    /// parts is: a sum without one of them would be a wrong one.
    pub total_power: SensorValue,
}

/// How a board's total power comes about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TotalPower {
    /// The power sensors that are added up, by part; none where total power is not known.
    pub parts: Vec<String>,
    /// What is drawn beside that: the carrier board, what no rail covers.
    pub leaves_out: String,
}
