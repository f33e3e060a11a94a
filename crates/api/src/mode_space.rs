//! Mode spaces: knobs with their levels, and the modes where not every combination is one.

use fulcrum_domain::{Knob, ModeSpace};

use crate::malformed::Malformed;
use crate::v1;

/// More modes than any board has; a larger space is refused before it is built.
const MOST_MODES: usize = 4_000_000;

/// A mode space as the wire has it.
pub fn mode_space_to_wire(space: &ModeSpace) -> v1::ModeSpace {
    let combinations: usize = space.knobs().iter().map(|knob| knob.levels().len()).product();
    let holes = combinations != space.len();
    let points = space.ids().filter(|_| holes).flat_map(|mode| space.point(mode));
    v1::ModeSpace {
        knobs: space
            .knobs()
            .iter()
            .map(|knob| v1::Knob { name: knob.name().into(), levels: knob.levels().to_vec() })
            .collect(),
        points: points.map(|&place| u32::from(place)).collect(),
    }
}

/// A mode space from the wire.
///
/// # Errors
/// When a knob is none, a point names a level that a knob does not have, or a level is in no point.
pub fn mode_space_from_wire(space: &v1::ModeSpace) -> Result<ModeSpace, Malformed> {
    let knobs: Vec<Knob> = space
        .knobs
        .iter()
        .enumerate()
        .map(|(i, knob)| {
            let field = format!("knobs[{i}].levels");
            let made = Knob::new(knob.name.clone(), knob.levels.iter().copied())
                .map_err(|error| Malformed::new(&field, format!("is wrong: {error}")))?;
            if made.levels() == knob.levels {
                Ok(made)
            } else {
                Err(Malformed::new(field, "has to ascend"))
            }
        })
        .collect::<Result<_, _>>()?;
    let size = knobs.iter().try_fold(1usize, |size, knob| size.checked_mul(knob.levels().len()));
    if size.is_none_or(|size| size > MOST_MODES) {
        return Err(Malformed::new("knobs", format!("span more than {MOST_MODES} modes")));
    }
    if space.points.is_empty() {
        let fail = |error| Malformed::new("knobs", format!("span no mode space: {error}"));
        return ModeSpace::full_grid(knobs).map_err(fail);
    }
    with_holes(&knobs, &space.points)
}

fn with_holes(knobs: &[Knob], points: &[u32]) -> Result<ModeSpace, Malformed> {
    let fail = |problem: String| Malformed::new("points", problem);
    if knobs.is_empty() || !points.len().is_multiple_of(knobs.len()) {
        return Err(fail(format!("has {} places for {} knobs", points.len(), knobs.len())));
    }
    let rows: Vec<Vec<f64>> = points
        .chunks_exact(knobs.len())
        .map(|point| {
            let levels = knobs.iter().zip(point);
            levels.map(|(knob, &place)| knob.levels().get(place as usize).copied()).collect()
        })
        .collect::<Option<_>>()
        .ok_or_else(|| fail("names a level that a knob does not have".into()))?;
    let names: Vec<String> = knobs.iter().map(|knob| knob.name().to_owned()).collect();
    let space = ModeSpace::from_modes(&names, &rows)
        .map_err(|error| fail(format!("makes no mode space: {error}")))?;
    if space.knobs() == knobs {
        Ok(space)
    } else {
        Err(fail("leaves out a level of a knob".into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_mode_space_survives_the_wire(
            levels in proptest::collection::vec(1..6usize, 1..4),
            keep in proptest::collection::vec(any::<bool>(), 216),
        ) {
            let knobs = levels.iter().enumerate().map(|(i, &count)| {
                Knob::new(format!("knob{i}_khz"), (0..count).map(|l| l as f64)).unwrap()
            });
            let grid = ModeSpace::full_grid(knobs.collect()).unwrap();
            prop_assert_eq!(&mode_space_from_wire(&mode_space_to_wire(&grid)).unwrap(), &grid);

            let names: Vec<String> = grid.knobs().iter().map(|k| k.name().to_owned()).collect();
            let rows: Vec<Vec<f64>> = grid
                .ids()
                .zip(&keep)
                .filter(|(mode, keep)| **keep || mode.index() == 0)
                .map(|(mode, _)| grid.levels(mode).collect())
                .collect();
            let holes = ModeSpace::from_modes(&names, &rows).unwrap();
            prop_assert_eq!(mode_space_from_wire(&mode_space_to_wire(&holes)).unwrap(), holes);
        }
    }

    #[test]
    fn what_is_no_mode_space_is_refused_by_its_field() {
        let knob = |levels: &[f64]| v1::Knob { name: "gpu_khz".into(), levels: levels.to_vec() };
        let field = |knobs: Vec<v1::Knob>, points: &[u32]| {
            let space = v1::ModeSpace { knobs, points: points.to_vec() };
            mode_space_from_wire(&space).unwrap_err().field
        };
        assert_eq!(field(vec![], &[]), "knobs");
        assert_eq!(field(vec![knob(&[])], &[]), "knobs[0].levels");
        assert_eq!(field(vec![knob(&[2.0, 1.0])], &[]), "knobs[0].levels");
        assert_eq!(field(vec![knob(&[1.0, f64::NAN])], &[]), "knobs[0].levels");
        assert_eq!(field(vec![knob(&[1.0, 2.0])], &[2]), "points");
        assert_eq!(field(vec![knob(&[1.0, 2.0])], &[0]), "points");
        let many: Vec<f64> = (0..3000).map(f64::from).collect();
        assert_eq!(field(vec![knob(&many), knob(&many)], &[]), "knobs");
    }
}
