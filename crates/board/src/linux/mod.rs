//! What every Linux kernel shows of a machine: cores and their clocks, loads, memory,
//! temperatures. The boards that run Linux are built from these.

pub(crate) mod cpu;
pub(crate) mod kernel_text;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod numbered_files;
pub(crate) mod sensor_group;
pub(crate) mod sensors;
pub(crate) mod thermal;
