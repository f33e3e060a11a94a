//! The modes that a search considers: all of a small space; of a large one an even lattice, and
//! further ones where a plan is likely.

use std::collections::BTreeSet;

use fulcrum_domain::{ModeId, ModeSpace};

/// A search begins with no more than about so many modes, so that its computing does not grow with
/// the space.
const MOST: usize = 700;
/// It goes on with about so many further ones at a time.
const MOST_NEARBY: usize = 250;

/// Some levels of every knob, ascending, as places among all its levels: the modes that have them
/// are a lattice.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    levels: Vec<Vec<u16>>,
}

impl Lattice {
    /// All levels of a small space. Of a large one evenly spread ones, each knob's lowest and
    /// highest among them.
    pub(super) fn over(space: &ModeSpace) -> Self {
        let all: Vec<_> = space.knobs().iter().map(|knob| (0, knob.top())).collect();
        Self::within(&all, if space.len() <= MOST { usize::MAX } else { MOST })
    }

    /// A finer one around a mode: at first it reaches as far as this one's next levels, and half as
    /// far each further time.
    pub(super) fn around(&self, space: &ModeSpace, mode: ModeId, time: u32) -> Self {
        let reach = |k: usize, level: u16| {
            let top = space.knobs()[k].top();
            let steps = self.levels[k].len().saturating_sub(1).max(1);
            let reach = f64::from(top) / steps as f64 / f64::from(1u32 << time);
            let reach = reach.ceil() as u16;
            (level.saturating_sub(reach), (level + reach).min(top))
        };
        let point = space.point(mode);
        let near: Vec<_> = point.iter().enumerate().map(|(k, &level)| reach(k, level)).collect();
        Self::within(&near, MOST_NEARBY)
    }

    /// About so many modes within a range of every knob's levels.
    fn within(ranges: &[(u16, u16)], most: usize) -> Self {
        let mut counts: Vec<usize> =
            ranges.iter().map(|(low, high)| usize::from(high - low) + 1).collect();
        while counts.iter().product::<usize>() > most {
            let Some(largest) = counts.iter_mut().max() else { break };
            *largest -= 1;
        }
        let levels = ranges.iter().zip(&counts).map(|(range, &count)| spread(*range, count));
        Self { levels: levels.collect() }
    }

    /// The modes that have these levels, as far as the space has them.
    pub(super) fn modes(&self, space: &ModeSpace) -> BTreeSet<ModeId> {
        let mut points = vec![Vec::new()];
        for levels in &self.levels {
            let longer = |point: Vec<u16>| {
                levels.iter().map(move |&level| [point.as_slice(), &[level]].concat())
            };
            points = points.into_iter().flat_map(longer).collect();
        }
        points.iter().filter_map(|point| space.find(point)).collect()
    }

    /// The modes of the lattice between which a mode lies, with their shares by nearness; none if
    /// the space lacks one of them. `place` is a level's place on a scale of its knob.
    pub(super) fn corners(
        &self,
        space: &ModeSpace,
        mode: ModeId,
        place: impl Fn(usize, u16) -> f64,
    ) -> Option<Vec<(ModeId, f64)>> {
        let mut corners = vec![(Vec::new(), 1.0)];
        for (k, &level) in space.point(mode).iter().enumerate() {
            let above = self.levels[k].partition_point(|&own| own < level);
            let high = *self.levels[k].get(above)?;
            let low = if high == level { high } else { self.levels[k][above.checked_sub(1)?] };
            let width = place(k, high) - place(k, low);
            let share = if width > 0.0 { (place(k, level) - place(k, low)) / width } else { 1.0 };
            let split = |(point, weight): (Vec<u16>, f64)| {
                let part = |level: u16, share: f64| {
                    ([point.as_slice(), &[level]].concat(), weight * share)
                };
                [part(low, 1.0 - share), part(high, share)]
            };
            corners = corners.into_iter().flat_map(split).filter(|(_, w)| *w > 0.0).collect();
        }
        corners.iter().map(|(point, weight)| Some((space.find(point)?, *weight))).collect()
    }
}

/// So many of a range of levels, evenly spread, the ends among them.
fn spread((low, high): (u16, u16), count: usize) -> Vec<u16> {
    if count <= 1 {
        return vec![high];
    }
    let step = f64::from(high - low) / (count - 1) as f64;
    (0..count).map(|i| low + (i as f64 * step).round() as u16).collect()
}
