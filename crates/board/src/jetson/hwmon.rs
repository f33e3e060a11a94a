//! Chips of the kernel's hardware monitor, by what they say they are.

use std::path::{Path, PathBuf};

use crate::files::Files;
use crate::linux::kernel_text::{numbered, text};

/// The folders of all chips of a name, in the order of their numbers, which differ between boots.
pub(super) fn chips(files: &dyn Files, name: &str) -> Vec<PathBuf> {
    let folders = numbered(files, Path::new("/sys/class/hwmon"), "hwmon");
    of_name(files, folders, name)
}

/// The folders of all chips of a name on an I²C bus, in the order of their addresses. A path
/// through the bus never leads to another chip when the numbers change.
pub(super) fn chips_on_bus(files: &dyn Files, name: &str) -> Vec<PathBuf> {
    let bus = Path::new("/sys/bus/i2c/devices");
    let devices = files.list(bus).unwrap_or_default();
    let folders =
        devices.iter().flat_map(|device| numbered(files, &bus.join(device).join("hwmon"), "hwmon"));
    let folders: Vec<(u32, PathBuf)> = folders.collect();
    of_name(files, folders, name)
}

fn of_name(files: &dyn Files, folders: Vec<(u32, PathBuf)>, name: &str) -> Vec<PathBuf> {
    let folders = folders.into_iter().map(|(_, folder)| folder);
    folders.filter(|folder| text(files, &folder.join("name")).as_deref() == Ok(name)).collect()
}
