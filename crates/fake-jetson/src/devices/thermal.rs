//! Thermal zones: a temperature, or what stands there when the part is switched off.

use super::errno::{EAGAIN, Errno};
use super::line;

/// How a zone of a part that is switched off answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenGated {
    /// JetPack 6: `EAGAIN`.
    Again,
    /// JetPack 5 and before: -256 °C.
    Offline,
}

/// What a zone's part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZonePart {
    /// Always on.
    On,
    /// The GPU, which may be gated.
    Gpu,
    /// Switched off, as the CV blocks are while nothing uses them.
    Off,
}

#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) name: &'static str,
    pub(crate) millicelsius: i64,
    pub(crate) part: ZonePart,
    pub(crate) when_gated: WhenGated,
}

impl Zone {
    pub(crate) fn show(&self, gpu_gated: bool) -> Result<String, Errno> {
        let off = match self.part {
            ZonePart::On => false,
            ZonePart::Gpu => gpu_gated,
            ZonePart::Off => true,
        };
        match (off, self.when_gated) {
            (false, _) => Ok(line(self.millicelsius)),
            (true, WhenGated::Again) => Err(EAGAIN),
            (true, WhenGated::Offline) => Ok(line(-256_000)),
        }
    }
}
