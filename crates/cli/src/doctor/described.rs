//! What a board makes of the machine: the same probing as the agent's, so that the doctor sees what
//! the agent would.

use std::sync::Arc;

use fulcrum_board::{
    Absence, Board, Files, HostBoard, Identity, JetsonBoard, Preset, PresetAfterReboot, ProbeError,
    Quantity, Sample, Sensor, SensorValue, SystemClock, TotalPower,
};
use fulcrum_domain::ModeSpace;

/// A board as it describes itself, with one sample.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) identity: Identity,
    pub(super) space: Arc<ModeSpace>,
    pub(super) presets: Vec<Preset>,
    pub(super) after_reboot: Vec<PresetAfterReboot>,
    pub(super) total_power: TotalPower,
    sensors: Vec<Sensor>,
    sample: Sample,
}

/// Probes the machine as a Jetson or, where it is none, as any host.
pub(super) fn describe(files: &Arc<dyn Files>) -> Result<Described, String> {
    let clock = Arc::new(SystemClock::new());
    match JetsonBoard::probe(files.clone(), clock.clone()) {
        Ok(mut board) => {
            let after_reboot = board.presets_after_reboot().to_vec();
            Ok(Described { after_reboot, ..of(&mut board) })
        }
        Err(ProbeError::NotAJetson { .. }) => {
            let board = HostBoard::new(files.clone(), clock);
            board.map(|mut board| of(&mut board)).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn of(board: &mut dyn Board) -> Described {
    Described {
        sample: board.sense(),
        identity: board.identity().clone(),
        space: board.space().clone(),
        presets: board.presets().to_vec(),
        after_reboot: Vec::new(),
        total_power: board.total_power().clone(),
        sensors: board.sensors().to_vec(),
    }
}

impl Described {
    /// The sensors of a quantity with what they say.
    pub(super) fn readings(
        &self,
        quantity: Quantity,
    ) -> impl Iterator<Item = (&Sensor, &SensorValue)> {
        let all = self.sensors.iter().zip(&self.sample.values);
        all.filter(move |(sensor, _)| sensor.quantity == quantity)
    }

    /// The total power, in watts.
    pub(super) fn power(&self) -> &Result<f64, Absence> {
        &self.sample.total_power
    }
}
