//! A board's description.

use std::sync::Arc;

use fulcrum_board::{Identity, Offer, Preset, Sensor, TotalPower};
use fulcrum_domain::ModeSpace;

use crate::malformed::Malformed;
use crate::mode_space::{mode_space_from_wire, mode_space_to_wire};
use crate::power_mode::{mode_from_wire, mode_to_wire};
use crate::sensor::{sensor_from_wire, sensor_to_wire};
use crate::v1;
use crate::workload::{offer_from_wire, offer_to_wire};

/// Everything that an agent says of its board.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardDescription {
    /// What it is.
    pub identity: Identity,
    /// Its power modes.
    pub space: Arc<ModeSpace>,
    /// Its vendor's power modes, from the smallest to the largest.
    pub presets: Vec<Preset>,
    /// What it can tell of itself, in the order of a sample's values.
    pub sensors: Vec<Sensor>,
    /// How its total power comes about.
    pub total_power: TotalPower,
    /// The workloads that can be measured there.
    pub offers: Vec<Offer>,
    /// Counts how often the description has changed since the agent started.
    pub generation: u64,
}

impl BoardDescription {
    /// The description as the wire has it.
    pub fn to_wire(&self) -> v1::Board {
        let preset = |preset: &Preset| v1::Preset {
            name: preset.name.clone(),
            mode: Some(mode_to_wire(&self.space, preset.mode)),
        };
        v1::Board {
            kind: self.identity.kind.into(),
            model: self.identity.model.clone(),
            compatible: self.identity.compatible.clone(),
            software: self.identity.software.clone(),
            mode_space: Some(mode_space_to_wire(&self.space)),
            presets: self.presets.iter().map(preset).collect(),
            sensors: self.sensors.iter().map(sensor_to_wire).collect(),
            total_power: Some(v1::TotalPower {
                parts: self.total_power.parts.clone(),
                leaves_out: self.total_power.leaves_out.clone(),
            }),
            offers: self.offers.iter().map(offer_to_wire).collect(),
            generation: self.generation,
        }
    }

    /// A description from the wire.
    ///
    /// # Errors
    /// When the mode space, a preset, a sensor or an offer is not one.
    pub fn from_wire(board: &v1::Board) -> Result<Self, Malformed> {
        let space = board.mode_space.as_ref().ok_or_else(|| Malformed::missing("mode_space"))?;
        let space = mode_space_from_wire(space).map_err(|error| error.within("mode_space"))?;
        let preset = |preset: &v1::Preset| {
            let mode = preset.mode.as_ref().ok_or_else(|| Malformed::missing("mode"))?;
            let mode = mode_from_wire(&space, mode)
                .map_err(|error| Malformed::new("mode", format!("is none: {error}")))?;
            Ok(Preset { name: preset.name.clone(), mode })
        };
        let total_power = board.total_power.clone().unwrap_or_default();
        Ok(Self {
            identity: Identity {
                kind: kind(&board.kind),
                model: board.model.clone(),
                compatible: board.compatible.clone(),
                software: board.software.clone(),
            },
            presets: each(&board.presets, "presets", preset)?,
            sensors: each(&board.sensors, "sensors", sensor_from_wire)?,
            total_power: TotalPower {
                parts: total_power.parts,
                leaves_out: total_power.leaves_out,
            },
            offers: each(&board.offers, "offers", offer_from_wire)?,
            generation: board.generation,
            space: Arc::new(space),
        })
    }
}

/// The kinds of board that are known here; a newer agent may have another.
fn kind(text: &str) -> &'static str {
    const KINDS: [&str; 3] = ["jetson", "host", "simulated"];
    KINDS.into_iter().find(|kind| *kind == text).unwrap_or("unknown")
}

/// Converts each of a repeated field, and says which one is wrong.
fn each<W, T>(
    items: &[W],
    field: &str,
    convert: impl Fn(&W) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let items = items.iter().enumerate();
    items.map(|(i, item)| convert(item).map_err(|e| e.within(&format!("{field}[{i}]")))).collect()
}

#[cfg(test)]
mod tests {
    use fulcrum_board::{Profiler as _, Quantity, SimulatedOrin};

    use super::*;

    fn description() -> BoardDescription {
        let orin = SimulatedOrin::exact();
        BoardDescription {
            identity: Identity {
                kind: "simulated",
                model: "a model".into(),
                compatible: vec!["p3701-0005".into(), "tegra234".into()],
                software: "none".into(),
            },
            space: orin.space().clone(),
            presets: orin.presets().to_vec(),
            sensors: vec![Sensor {
                part: "tj".into(),
                quantity: Quantity::Temperature,
                refresh: None,
            }],
            total_power: TotalPower {
                parts: vec!["VDD_IN".into()],
                leaves_out: "the carrier".into(),
            },
            offers: orin.offers().to_vec(),
            generation: 3,
        }
    }

    #[test]
    fn a_description_survives_the_wire() {
        let description = description();
        assert_eq!(BoardDescription::from_wire(&description.to_wire()), Ok(description));
    }

    #[test]
    fn what_is_wrong_with_a_description_is_named_by_its_field() {
        let refused = |spoil: fn(&mut v1::Board)| {
            let mut wire = description().to_wire();
            spoil(&mut wire);
            BoardDescription::from_wire(&wire).unwrap_err().field
        };
        assert_eq!(refused(|board| board.mode_space = None), "mode_space");
        assert_eq!(refused(|board| board.presets[2].mode = None), "presets[2].mode");
        assert_eq!(refused(|board| board.sensors[0].quantity = 99), "sensors[0].quantity");
        assert_eq!(refused(|board| board.offers[1].kind = 0), "offers[1].kind");
        assert_eq!(refused(|board| board.offers[1].batch_sizes.clear()), "offers[1].batch_sizes");
    }
}
