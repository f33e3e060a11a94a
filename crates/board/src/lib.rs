//! Boards, and profiles that were recorded of them.
//!
//! A [`Board`] is a device with sensors and power modes. It reaches the kernel through [`Files`],
//! so that the real tree, a copy of one, and one that misbehaves on purpose are all the same to it.
//! [`JetsonBoard`] is an NVIDIA Jetson, [`HostBoard`] any Linux machine, [`SimulatedBoard`] needs
//! neither.
//!
//! A [`Profiler`] is whatever workloads can be profiled on. [`Replay`] answers from a
//! [`ProfileTable`], which [`read_tables`] reads from CSV files and [`write_table`] writes.
//! [`SimulatedOrin`] answers from a smooth model of a Jetson AGX Orin.

mod board;
mod clock;
mod files;
mod host;
mod jetson;
mod kept_open;
mod linux;
mod named;
mod orin_agx_model;
mod presets;
mod profile_table;
mod profiler;
mod reading_noise;
mod replay;
mod sensor;
mod simulated;
mod simulated_board;
mod table_columns;
mod table_error;
mod table_fields;
mod table_levels;
mod table_lines;
mod table_reader;
mod table_rows;
mod table_writer;

pub use board::{
    Board, FoundState, Identity, Levels, ModeChange, Override, RestoreError, SetError, Suspect,
};
pub use clock::{Clock, ManualClock, Moment, SystemClock};
pub use files::{Files, Rooted};
pub use host::{HostBoard, HostError, Processes, SystemProcesses};
pub use jetson::{JetsonBoard, PresetAfterReboot, ProbeError};
pub use named::{UnknownBoard, board_named, board_names};
pub use presets::presets;
pub use profile_table::ProfileTable;
pub use profiler::{Offer, Preset, Profiler, UnknownWorkload, setting};
pub use reading_noise::Noise;
pub use replay::Replay;
pub use sensor::{Absence, Quantity, Sample, Sensor, SensorValue, TotalPower};
pub use simulated::SimulatedOrin;
pub use simulated_board::{SimulatedBoard, SimulatedWorker};
pub use table_error::{Column, TableError, TableProblem};
pub use table_reader::{read_table, read_tables};
pub use table_writer::write_table;
