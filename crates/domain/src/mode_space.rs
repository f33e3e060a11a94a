//! Power modes: the points of a space of knobs.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::knob::{Knob, KnobError};

/// A power mode, by its place in its [`ModeSpace`]. Modes are numbered in the lexicographic order
/// of their levels, so equal sets of modes number them alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModeId(u32);

impl ModeId {
    /// The place, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// All power modes of a board: a product of knobs, possibly with holes.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeSpace {
    knobs: Vec<Knob>,
    /// One row a mode, one level index a knob.
    points: Vec<u16>,
    /// Where there are holes: each mode by its number among all combinations. Where there are none,
    /// the number is the place.
    by_rank: Option<HashMap<u64, ModeId>>,
}

impl ModeSpace {
    /// Every combination of the knobs' levels.
    ///
    /// # Errors
    /// When there is no knob, or more combinations than 2³².
    pub fn full_grid(knobs: Vec<Knob>) -> Result<Self, ModeSpaceError> {
        let size = product(&knobs)?;
        let mut points = Vec::with_capacity(size as usize * knobs.len());
        for rank in 0..size {
            let mut rest = rank;
            let start = points.len();
            for knob in knobs.iter().rev() {
                points.push((rest % knob.levels().len() as u64) as u16);
                rest /= knob.levels().len() as u64;
            }
            points[start..].reverse();
        }
        Self::from_sorted_points(knobs, points)
    }

    /// The modes that are listed, each with one level a knob in the order of `names`; repetitions
    /// are folded. The knobs' levels are those that occur.
    ///
    /// # Errors
    /// When there is no knob or no mode, or a row has another number of levels than there are
    /// names.
    pub fn from_modes<R: AsRef<[f64]>>(
        names: &[String],
        rows: &[R],
    ) -> Result<Self, ModeSpaceError> {
        if rows.is_empty() {
            return Err(ModeSpaceError::NoMode);
        }
        if let Some(row) = rows.iter().find(|row| row.as_ref().len() != names.len()) {
            let (levels, knobs) = (row.as_ref().len(), names.len());
            return Err(ModeSpaceError::Ragged { levels, knobs });
        }
        let knobs = names
            .iter()
            .enumerate()
            .map(|(k, name)| Knob::new(name.clone(), distinct(rows.iter().map(|r| r.as_ref()[k]))))
            .collect::<Result<Vec<_>, _>>()?;
        product(&knobs)?;
        let mut points: Vec<Vec<u16>> = rows
            .iter()
            .map(|row| {
                let indices = knobs.iter().zip(row.as_ref());
                indices.map(|(knob, &level)| knob.index_of(level).unwrap_or(0)).collect()
            })
            .collect();
        points.sort_unstable();
        points.dedup();
        Self::from_sorted_points(knobs, points.concat())
    }

    fn from_sorted_points(knobs: Vec<Knob>, points: Vec<u16>) -> Result<Self, ModeSpaceError> {
        let combinations = product(&knobs)?;
        let modes = points.chunks_exact(knobs.len());
        let by_rank = (modes.len() as u64 != combinations).then(|| {
            modes.enumerate().map(|(i, point)| (rank(&knobs, point), ModeId(i as u32))).collect()
        });
        Ok(Self { knobs, points, by_rank })
    }

    /// The knobs, in the order of a mode's levels.
    pub fn knobs(&self) -> &[Knob] {
        &self.knobs
    }

    /// How many modes there are; never zero.
    #[expect(clippy::len_without_is_empty, reason = "a mode space is never empty")]
    pub fn len(&self) -> usize {
        self.points.len() / self.knobs.len()
    }

    /// All modes, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = ModeId> + ExactSizeIterator + use<> {
        (0..self.len() as u32).map(ModeId)
    }

    /// The mode at a place, if there is one.
    pub fn id(&self, index: usize) -> Option<ModeId> {
        (index < self.len()).then_some(ModeId(index as u32))
    }

    /// The mode's levels, as places among each knob's levels.
    pub fn point(&self, mode: ModeId) -> &[u16] {
        let start = mode.index() * self.knobs.len();
        &self.points[start..start + self.knobs.len()]
    }

    /// The mode's level of one knob.
    pub fn level(&self, mode: ModeId, knob: usize) -> f64 {
        self.knobs[knob].levels()[usize::from(self.point(mode)[knob])]
    }

    /// The mode's levels, in the order of the knobs.
    pub fn levels(&self, mode: ModeId) -> impl Iterator<Item = f64> + '_ {
        self.knobs.iter().zip(self.point(mode)).map(|(knob, &i)| knob.levels()[usize::from(i)])
    }

    /// The mode with exactly these places, unless there is a hole.
    pub fn find(&self, point: &[u16]) -> Option<ModeId> {
        let fits = point.len() == self.knobs.len()
            && point.iter().zip(&self.knobs).all(|(&i, knob)| i <= knob.top());
        if !fits {
            return None;
        }
        let rank = rank(&self.knobs, point);
        match &self.by_rank {
            Some(modes) => modes.get(&rank).copied(),
            None => Some(ModeId(rank as u32)),
        }
    }

    /// The mode with exactly these levels, unless there is none.
    pub fn find_levels(&self, levels: &[f64]) -> Option<ModeId> {
        if levels.len() != self.knobs.len() {
            return None;
        }
        let point: Option<Vec<u16>> =
            self.knobs.iter().zip(levels).map(|(knob, &level)| knob.index_of(level)).collect();
        self.find(&point?)
    }

    /// The mode nearest to a point that may be a hole: least in the sum of the squared distances,
    /// each as a share of its knob's range of places; the first of equals.
    pub fn nearest(&self, point: &[u16]) -> ModeId {
        self.find(point).unwrap_or_else(|| {
            let distance = |mode: &ModeId| -> f64 {
                let knobs = self.knobs.iter().zip(self.point(*mode).iter().zip(point));
                knobs
                    .map(|(knob, (&a, &b))| {
                        let range = f64::from(knob.top().max(1));
                        ((f64::from(a) - f64::from(b)) / range).powi(2)
                    })
                    .sum()
            };
            self.ids().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(ModeId(0))
        })
    }

    /// The mode with every knob at its highest level (MAXN on a Jetson), or the nearest there is.
    pub fn highest(&self) -> ModeId {
        self.nearest(&self.knobs.iter().map(Knob::top).collect::<Vec<_>>())
    }

    /// The mode with every knob at its lowest level, or the nearest there is.
    pub fn lowest(&self) -> ModeId {
        self.nearest(&vec![0; self.knobs.len()])
    }

    /// The mode with every knob at its middle level, or the nearest there is.
    pub fn middle(&self) -> ModeId {
        self.nearest(&self.knobs.iter().map(|knob| knob.top() / 2).collect::<Vec<_>>())
    }

    /// Whether every knob of `a` stands no higher than that of `b`.
    pub fn at_most(&self, a: ModeId, b: ModeId) -> bool {
        self.point(a).iter().zip(self.point(b)).all(|(a, b)| a <= b)
    }

    /// The mode as something that can leave the space: named knobs with their levels.
    pub fn power_mode(&self, mode: ModeId) -> PowerMode {
        let named = self.knobs.iter().zip(self.levels(mode));
        PowerMode { levels: named.map(|(knob, level)| (knob.name().into(), level)).collect() }
    }

    /// The mode for people: `12 cpu cores, cpu 2.20GHz, gpu 1.30GHz, mem 3.20GHz`.
    pub fn describe(&self, mode: ModeId) -> String {
        let named = self.knobs.iter().zip(self.levels(mode));
        let parts: Vec<String> =
            named.map(|(knob, level)| knob.describe(level).to_string()).collect();
        parts.join(", ")
    }
}

/// A power mode by itself: one level for every knob, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerMode {
    /// The knobs' names and levels, in the order of their space.
    pub levels: Vec<(Arc<str>, f64)>,
}

impl fmt::Display for PowerMode {
    /// `cpu_cores=12 cpu_khz=2201600`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, level)) in self.levels.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            write!(f, "{gap}{name}={level}")?;
        }
        Ok(())
    }
}

/// The distinct values, so that a million rows need not be sorted to find seven levels.
fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut seen = std::collections::HashSet::new();
    values.filter(|value| seen.insert((value + 0.0).to_bits())).collect()
}

/// The number of combinations of the knobs' levels.
fn product(knobs: &[Knob]) -> Result<u64, ModeSpaceError> {
    if knobs.is_empty() {
        return Err(ModeSpaceError::NoKnob);
    }
    knobs
        .iter()
        .try_fold(1u64, |size, knob| size.checked_mul(knob.levels().len() as u64))
        .filter(|&size| u32::try_from(size).is_ok())
        .ok_or(ModeSpaceError::TooLarge)
}

/// A point's number among all combinations.
fn rank(knobs: &[Knob], point: &[u16]) -> u64 {
    knobs
        .iter()
        .zip(point)
        .fold(0, |rank, (knob, &i)| rank * knob.levels().len() as u64 + u64::from(i))
}

/// Why a mode space cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModeSpaceError {
    /// Nothing can be set.
    #[error("a mode space needs at least one knob")]
    NoKnob,
    /// There is nothing to choose from.
    #[error("a mode space needs at least one power mode")]
    NoMode,
    /// A mode does not have a level for every knob.
    #[error("a power mode has {levels} levels where there are {knobs} knobs")]
    Ragged {
        /// The levels of the mode.
        levels: usize,
        /// The knobs of the space.
        knobs: usize,
    },
    /// The knobs span more combinations than can be numbered.
    #[error("the knobs span more than 2^32 combinations of levels")]
    TooLarge,
    /// One of the knobs is not right.
    #[error(transparent)]
    Knob(#[from] KnobError),
}
