//! The modes to choose the next one from: all of a small space, a coarse grid of a large one.

use fulcrum_domain::{ModeId, ModeSpace};

/// Spaces of up to this size are looked at mode by mode.
const LARGEST: usize = 1000;

/// Modes from all over the space, and those around `best`: one knob moved by a level, or two.
pub(super) fn neighbourhood(space: &ModeSpace, best: Option<ModeId>) -> Vec<ModeId> {
    if space.len() <= LARGEST {
        return space.ids().collect();
    }
    let mut modes = coarse_grid(space);
    if let Some(best) = best {
        add_neighbours(space, best, &mut modes);
    }
    modes.sort_unstable();
    modes.dedup();
    modes
}

/// Levels evenly spread over each knob, as many as keep the grid small.
fn coarse_grid(space: &ModeSpace) -> Vec<ModeId> {
    let mut counts: Vec<usize> = space.knobs().iter().map(|knob| knob.levels().len()).collect();
    let mut product: f64 = counts.iter().map(|&count| count as f64).product();
    while product > LARGEST as f64 {
        let Some(most) = counts.iter_mut().max() else { break };
        if *most <= 1 {
            break;
        }
        product *= (*most - 1) as f64 / *most as f64;
        *most -= 1;
    }
    let levels: Vec<Vec<u16>> = space
        .knobs()
        .iter()
        .zip(&counts)
        .map(|(knob, &count)| {
            let top = usize::from(knob.top());
            let gaps = count.saturating_sub(1).max(1);
            // Where one level is left it is the middle.
            let place = |i: usize| if count == 1 { top / 2 } else { (i * top + gaps / 2) / gaps };
            (0..count).map(|i| place(i) as u16).collect()
        })
        .collect();
    let mut points: Vec<Vec<u16>> = vec![Vec::new()];
    for own in &levels {
        points = points
            .iter()
            .flat_map(|point| own.iter().map(|&place| [point.as_slice(), &[place]].concat()))
            .collect();
    }
    let mut modes: Vec<ModeId> = points.iter().filter_map(|point| space.find(point)).collect();
    if modes.len() < LARGEST / 4 {
        // Holes took most of the grid: every so many modes will do as well.
        modes.extend(space.ids().step_by(space.len().div_ceil(LARGEST)));
    }
    modes
}

fn add_neighbours(space: &ModeSpace, best: ModeId, modes: &mut Vec<ModeId>) {
    let knobs = space.knobs().len();
    let moves: Vec<(usize, i32)> = (0..knobs)
        .flat_map(|knob| [(knob, -2), (knob, -1), (knob, 0), (knob, 1), (knob, 2)])
        .collect();
    for &(a, by_a) in &moves {
        for &(b, by_b) in moves.iter().filter(|(b, _)| *b > a || knobs == 1) {
            let mut point = space.point(best).to_vec();
            let mut fits = true;
            for (knob, by) in [(a, by_a), (b, by_b)] {
                match u16::try_from(i32::from(space.point(best)[knob]) + by) {
                    Ok(place) => point[knob] = place,
                    Err(_) => fits = false,
                }
            }
            if fits && let Some(mode) = space.find(&point) {
                modes.push(mode);
            }
        }
    }
}
