//! The fan, and the daemon that may hold it.

use std::time::Duration;

#[derive(Debug, Clone, Default)]
pub(crate) struct Fan {
    /// 0 to 255.
    pub(crate) drive: u8,
    pub(crate) full_rpm: u32,
    /// What `nvfancontrol` writes about every second while it runs.
    pub(crate) daemon: Option<u8>,
    since_daemon: Duration,
}

impl Fan {
    pub(crate) fn new(drive: u8, full_rpm: u32) -> Self {
        Self { drive, full_rpm, daemon: Some(drive), since_daemon: Duration::ZERO }
    }

    pub(crate) fn speed(&self) -> u32 {
        self.full_rpm * u32::from(self.drive) / 255
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        self.since_daemon += time;
        if self.since_daemon >= Duration::from_secs(1) {
            self.since_daemon = Duration::ZERO;
            self.drive = self.daemon.unwrap_or(self.drive);
        }
    }
}
