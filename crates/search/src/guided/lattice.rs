//! The modes that a search considers: all of a small space, an even lattice of a large one.

use std::collections::BTreeSet;

use fulcrum_domain::{Knob, ModeId, ModeSpace};

/// A search looks at no more than about so many modes at a time, so that its computing does not
/// grow with the space.
const MOST: usize = 700;

/// All modes of a small space. Of a large one the modes on an even lattice that keeps every knob's
/// lowest and highest level, and the ones named beside; ascending.
pub(super) fn lattice(space: &ModeSpace, beside: &[ModeId]) -> Vec<ModeId> {
    if space.len() <= MOST {
        return space.ids().collect();
    }
    let mut counts: Vec<usize> = space.knobs().iter().map(|knob| knob.levels().len()).collect();
    while counts.iter().product::<usize>() > MOST {
        let Some(largest) = counts.iter_mut().max() else { break };
        *largest -= 1;
    }
    let chosen: Vec<Vec<u16>> =
        space.knobs().iter().zip(&counts).map(|(knob, &count)| spread(knob, count)).collect();
    let mut modes: BTreeSet<ModeId> = beside.iter().copied().collect();
    modes.extend([space.lowest(), space.middle(), space.highest()]);
    let mut point = vec![0usize; chosen.len()];
    loop {
        let levels: Vec<u16> = point.iter().zip(&chosen).map(|(&i, levels)| levels[i]).collect();
        modes.extend(space.find(&levels));
        let Some(k) = (0..point.len()).rev().find(|&k| point[k] + 1 < chosen[k].len()) else {
            break;
        };
        point[k] += 1;
        point[k + 1..].fill(0);
    }
    modes.into_iter().collect()
}

/// So many of a knob's levels, evenly spread, the ends among them.
fn spread(knob: &Knob, count: usize) -> Vec<u16> {
    let top = f64::from(knob.top());
    if count <= 1 {
        return vec![knob.top()];
    }
    let step = top / (count - 1) as f64;
    (0..count).map(|i| (i as f64 * step).round() as u16).collect()
}
