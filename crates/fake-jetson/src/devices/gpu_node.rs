//! Whether the GPU's driver is there, how busy it is, and whether it is powered.

use std::time::Duration;

#[derive(Debug, Clone, Default)]
pub(crate) struct GpuNode {
    /// Reads until the driver is there.
    pub(crate) due_reads: u64,
    /// Time until the driver is there.
    pub(crate) due: Duration,
    pub(crate) load_permille: u32,
    /// Whether it is switched off because nothing uses it.
    pub(crate) gated: bool,
}

impl GpuNode {
    pub(crate) fn present(&self) -> bool {
        self.due_reads == 0 && self.due.is_zero()
    }

    pub(crate) fn one_read(&mut self) {
        self.due_reads = self.due_reads.saturating_sub(1);
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        self.due = self.due.saturating_sub(time);
    }
}
