//! The chips that measure rails: an INA3221 with three channels, an INA238 with one.

use std::time::Duration;

use super::errno::{ENODATA, Errno};
use super::line;

/// How often an INA3221 has new values with the settings of NVIDIA's boot script: 2 × 140 µs for
/// each of 3 channels, 512 times.
pub(crate) const REFRESH: Duration = Duration::from_millis(430);

/// An INA3221 counts volts in steps of 8 mV.
const STEP_MV: u64 = 8;

/// A file of a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChannelFile {
    Millivolts,
    Milliamperes,
    /// The old driver has it beside the others.
    Milliwatts,
    /// The INA238 has it.
    Microwatts,
    ShuntMicrovolts,
    /// The sum of all channels' currents.
    SumMilliamperes,
    /// The sum of all channels' shunt voltages.
    SumMicrovolts,
}

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) label: &'static str,
    pub(crate) millivolts: u64,
    /// Where its current stays about.
    pub(crate) milliamperes: u64,
    /// What it shows now.
    shown: u64,
    pub(crate) enabled: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct PowerChip {
    pub(crate) channels: Vec<Channel>,
    /// The steps of its current: 40 µV over its shunt.
    pub(crate) step_ma: u64,
    refreshed: u64,
    /// How many channels are in the sums: an AGX Orin leaves its third out.
    pub(crate) summed: usize,
    /// Whether its currents sway, or stay where they are put.
    pub(crate) sways: bool,
}

impl PowerChip {
    /// Channels of a label, millivolts and milliamperes each.
    pub(crate) fn new(channels: &[(&'static str, u64, u64)], step_ma: u64) -> Self {
        let channel = |&(label, millivolts, milliamperes): &(&'static str, u64, u64)| Channel {
            label,
            millivolts,
            milliamperes,
            shown: milliamperes,
            enabled: true,
        };
        let channels = channels.iter().map(channel).collect();
        Self { channels, step_ma, refreshed: 0, summed: 3, sways: true }
    }

    /// The resistance of its shunts: 40 µV is one step.
    pub(crate) fn shunt_microohms(&self) -> u64 {
        40_000 / self.step_ma
    }

    pub(crate) fn advance(&mut self, now: Duration) {
        let refreshes = (now.as_millis() / REFRESH.as_millis()) as u64;
        if refreshes == self.refreshed {
            return;
        }
        self.refreshed = refreshes;
        for (index, channel) in self.channels.iter_mut().enumerate() {
            channel.shown = channel.milliamperes;
            if self.sways && channel.milliamperes > 0 {
                // A sway of a step up or down that never repeats itself at once.
                let up = (refreshes + index as u64) % 3 * self.step_ma;
                channel.shown = (channel.milliamperes + up).saturating_sub(self.step_ma);
            }
        }
    }

    /// From the next refresh on this current flows, to the step.
    pub(crate) fn draw(&mut self, channel: usize, milliamperes: u64) {
        self.channels[channel].milliamperes =
            (milliamperes + self.step_ma / 2) / self.step_ma * self.step_ma;
    }

    pub(crate) fn show(&self, channel: usize, file: ChannelFile) -> Result<String, Errno> {
        let it = &self.channels[channel];
        if !it.enabled {
            return Err(ENODATA);
        }
        let summed = || self.channels.iter().take(self.summed).filter(|c| c.enabled);
        let sum = || summed().map(|c| c.shown).sum::<u64>();
        Ok(line(match file {
            ChannelFile::Millivolts => it.millivolts,
            ChannelFile::Milliamperes => it.shown,
            ChannelFile::Milliwatts => it.millivolts * it.shown / 1000,
            ChannelFile::Microwatts => it.millivolts * it.shown,
            ChannelFile::ShuntMicrovolts => it.shown * self.shunt_microohms() / 1000,
            ChannelFile::SumMilliamperes => sum(),
            ChannelFile::SumMicrovolts => sum() * self.shunt_microohms() / 1000,
        }))
    }

    /// Whether all it shows are whole steps, as a real one's values are.
    pub(crate) fn in_steps(&self) -> bool {
        let whole = |c: &Channel| {
            c.millivolts.is_multiple_of(STEP_MV) && c.shown.is_multiple_of(self.step_ma)
        };
        self.channels.iter().all(whole)
    }
}
