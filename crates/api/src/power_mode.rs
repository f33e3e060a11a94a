//! Power modes by their levels.

use fulcrum_domain::{Knob, ModeId, ModeSpace};

use crate::v1;

/// A power mode as the wire has it.
pub fn mode_to_wire(space: &ModeSpace, mode: ModeId) -> v1::PowerMode {
    v1::PowerMode { levels: space.levels(mode).collect() }
}

/// The power mode with exactly these levels.
///
/// # Errors
/// When there is none: the knob and the levels that it has.
pub fn mode_from_wire(space: &ModeSpace, mode: &v1::PowerMode) -> Result<ModeId, ModeError> {
    let knobs = space.knobs();
    if mode.levels.len() != knobs.len() {
        return Err(ModeError::Count {
            given: mode.levels.len(),
            knobs: knobs.iter().map(|knob| knob.name().to_owned()).collect(),
        });
    }
    for (place, (knob, &level)) in knobs.iter().zip(&mode.levels).enumerate() {
        if knob.index_of(level).is_none() {
            let (knob, levels) = (knob.name().to_owned(), listed(knob));
            return Err(ModeError::Level { place, knob, level, levels });
        }
    }
    space.find_levels(&mode.levels).ok_or(ModeError::Hole)
}

/// The levels of a knob for people; of many the first, the last and how many there are.
fn listed(knob: &Knob) -> String {
    let texts: Vec<String> = knob.levels().iter().map(f64::to_string).collect();
    match texts.as_slice() {
        [first, second, .., last] if texts.len() > 16 => {
            format!("{first}, {second} ... {last} ({} levels)", texts.len())
        }
        _ => texts.join(", "),
    }
}

/// Levels that are no power mode of a board.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModeError {
    /// Not one level a knob.
    #[error("{given} levels were given for the {} knobs {}", knobs.len(), knobs.join(", "))]
    Count {
        /// How many there are.
        given: usize,
        /// The board's knobs.
        knobs: Vec<String>,
    },
    /// A level that a knob does not have.
    #[error("{knob} has no level {level}; it has {levels}")]
    Level {
        /// The place of the level.
        place: usize,
        /// The knob.
        knob: String,
        /// The level.
        level: f64,
        /// The levels that it has.
        levels: String,
    },
    /// Every level is one, but the board does not have them together.
    #[error("the board does not have these levels together")]
    Hole,
}

impl ModeError {
    /// The field within a power mode that is wrong: `levels[2]`.
    pub fn field(&self) -> String {
        match self {
            Self::Level { place, .. } => format!("levels[{place}]"),
            Self::Count { .. } | Self::Hole => "levels".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> ModeSpace {
        let names = ["cpu_cores".to_owned(), "gpu_khz".to_owned()];
        ModeSpace::from_modes(&names, &[[4.0, 1000.0], [4.0, 2000.0], [8.0, 2000.0]]).unwrap()
    }

    #[test]
    fn every_mode_survives_the_wire() {
        let space = space();
        for mode in space.ids() {
            assert_eq!(mode_from_wire(&space, &mode_to_wire(&space, mode)), Ok(mode));
        }
    }

    #[test]
    fn what_is_no_mode_is_refused_with_the_knob_and_its_levels() {
        let space = space();
        let refused = |levels: &[f64]| {
            let error =
                mode_from_wire(&space, &v1::PowerMode { levels: levels.to_vec() }).unwrap_err();
            (error.field(), error.to_string())
        };
        let (field, message) = refused(&[4.0, 1500.0]);
        assert_eq!(field, "levels[1]");
        assert_eq!(message, "gpu_khz has no level 1500; it has 1000, 2000");
        let (_, message) = refused(&[4.0]);
        assert_eq!(message, "1 levels were given for the 2 knobs cpu_cores, gpu_khz");
        assert_eq!(refused(&[8.0, 1000.0]).0, "levels");
        assert_eq!(refused(&[f64::NAN, 1000.0]).0, "levels[0]");
    }
}
