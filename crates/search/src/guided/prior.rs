//! What is believed of every operating point before anything is measured.
//!
//! The sample mean and covariance of many draws from the [`family`](super::family), kept as a mean
//! and a few features a cell (the draws' principal components). A cell is one thing that could be
//! measured: a role at a mode and a batch size.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use fulcrum_domain::{Measurement, ModeId, ModeSpace, Role, Setting};
use nalgebra::{DMatrix, SymmetricEigen};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::family::{BoardDraw, Clocks, WorkloadDraw};
use super::lattice::Lattice;
use super::surface::Surface;
use super::widths::{POWER, TIME, Widths};
use crate::task::Relative;

/// How many models are drawn, and how many principal components of them are kept.
const DRAWS: usize = 320;
const FEATURES: usize = 28;
/// How far a workload strays from those that are known, as a share of how far any may.
const VARIES: f64 = 0.4;
/// The covariance is found on at most so many cells, spread evenly; more would not change it.
const PIVOTS: usize = 360;

/// A quantity over the cells: its expected logarithm and how the cells vary together.
#[derive(Debug, Default)]
pub(super) struct Expectation {
    pub(super) mean: Vec<f64>,
    /// One row of [`FEATURES`] a cell.
    pub(super) features: Vec<f64>,
    /// What the features leave open.
    pub(super) widths: Widths,
}

impl Expectation {
    pub(super) fn features_of(&self, cell: usize) -> &[f64] {
        &self.features[cell * FEATURES..(cell + 1) * FEATURES]
    }

    /// Adds a cell that lies between cells of another one, by shares.
    fn push_between(&mut self, other: &Self, cells: impl Iterator<Item = (usize, f64)>) {
        let mut mean = 0.0;
        let mut features = [0.0; FEATURES];
        for (cell, share) in cells {
            mean += share * other.mean[cell];
            for (own, feature) in features.iter_mut().zip(other.features_of(cell)) {
                *own += share * feature;
            }
        }
        self.mean.push(mean);
        self.features.extend(features);
    }
}

/// The cells of a setting and what is expected of them.
#[derive(Debug)]
pub struct Prior {
    pub(super) setting: Arc<Setting>,
    pub(super) roles: &'static [Role],
    /// What it knows of other workloads.
    relatives: Arc<[Relative]>,
    /// The modes that are considered, ascending.
    pub(crate) modes: Vec<ModeId>,
    lattice: Lattice,
    /// Each knob's place on a logarithmic scale from 0 to 1, one row a mode.
    pub(super) coordinates: Vec<f64>,
    pub(super) time: Expectation,
    pub(super) power: Expectation,
}

/// Priors that were made lately, to be shared by the searches of one board.
static MADE: Mutex<Vec<Arc<Prior>>> = Mutex::new(Vec::new());
/// So many are kept.
const KEPT: usize = 16;

impl Prior {
    /// What is expected of a setting, made once and shared by later searches of the same modes,
    /// roles, batch sizes and relatives. What is known of other workloads on such a board, its
    /// relatives, makes half of it: the physics alone the other half.
    pub fn shared(
        setting: &Arc<Setting>,
        roles: &'static [Role],
        relatives: &Arc<[Relative]>,
    ) -> Arc<Self> {
        // Whoever comes second waits for the first, instead of making it again.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut find_or_make = |relatives: &Arc<[Relative]>, make: &dyn Fn() -> Self| {
            let same =
                |prior: &&Arc<Self>| prior.serves(setting, roles) && prior.relatives == *relatives;
            if let Some(prior) = made.iter().find(same) {
                return prior.clone();
            }
            let prior = Arc::new(make());
            if made.len() == KEPT {
                made.remove(0);
            }
            made.push(prior.clone());
            prior
        };
        let physical = find_or_make(&Arc::default(), &|| Self::new(setting, roles));
        let of_use: Arc<[Relative]> = relatives
            .iter()
            .filter(|r| roles.contains(&r.role) && !r.profiles.is_empty())
            .cloned()
            .collect();
        if of_use.is_empty() {
            return physical;
        }
        find_or_make(&of_use, &|| Self::like(&physical, &of_use))
    }

    fn serves(&self, setting: &Arc<Setting>, roles: &[Role]) -> bool {
        Arc::ptr_eq(&self.setting.space, &setting.space)
            && self.roles == roles
            && self.setting.background_batch == setting.background_batch
            && self.setting.urgent_batches == setting.urgent_batches
            && self.setting.presets == setting.presets
    }

    /// Nothing but that neighbours are alike: the prior of a search that knows no physics.
    pub fn plain(setting: &Arc<Setting>, roles: &'static [Role]) -> Self {
        let mut prior = Self::blank(setting, roles);
        let nothing = || Expectation {
            mean: vec![0.0; prior.cells()],
            features: vec![0.0; prior.cells() * FEATURES],
            widths: Widths { residual: 1.0, length: 0.5, ..TIME },
        };
        (prior.time, prior.power) = (nothing(), nothing());
        prior.power.widths = Widths { residual: 0.5, length: 0.5, ..POWER };
        prior
    }

    /// What is expected of a setting. It depends on the modes and the batch sizes alone, so it
    /// serves every problem of a board.
    pub fn new(setting: &Arc<Setting>, roles: &'static [Role]) -> Self {
        let mut prior = Self::blank(setting, roles);
        let (time, power) = prior.draws(DRAWS);
        prior.time = expectation(time, TIME);
        prior.power = expectation(power, POWER);
        prior
    }

    /// The same, but that half of the draws are like workloads that are known: a mixture of what
    /// is believed of them, which a physical draw makes vary.
    fn like(physical: &Arc<Self>, relatives: &Arc<[Relative]>) -> Self {
        let mut prior = Self::blank(&physical.setting, physical.roles);
        let (mut time, mut power) = prior.draws(DRAWS);
        for &role in prior.roles {
            let believed: Vec<Curves> = relatives
                .iter()
                .filter(|relative| relative.role == role)
                .map(|relative| believed_of(physical, relative))
                .collect();
            if believed.is_empty() {
                continue;
            }
            let (first, count) = prior.cells_of(role);
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            for draw in (1..DRAWS).step_by(2) {
                // Shares that are uniform among all that add up to one.
                let shares: Vec<f64> =
                    believed.iter().map(|_| -rng.random_range(f64::EPSILON..1.0).ln()).collect();
                let whole: f64 = shares.iter().sum();
                for cell in 0..count {
                    let at = (draw, first + cell);
                    let (mut like_time, mut like_power) = (0.0, 0.0);
                    for (curves, share) in believed.iter().zip(&shares) {
                        like_time += curves.time[cell] * share / whole;
                        like_power += curves.power[cell] * share / whole;
                    }
                    let expected = (physical.time.mean[at.1], physical.power.mean[at.1]);
                    time[at] = like_time + VARIES * (time[at] - expected.0);
                    power[at] = like_power + VARIES * (power[at] - expected.1);
                }
            }
        }
        prior.relatives = relatives.clone();
        prior.time = expectation(time, TIME);
        prior.power = expectation(power, POWER);
        prior
    }

    /// Logarithms of time and power over the cells, one draw of the family a row. The level of a
    /// workload's time is free, so that only its shape is kept of a draw.
    fn draws(&self, count: usize) -> (DMatrix<f64>, DMatrix<f64>) {
        let (setting, cells) = (&self.setting, self.cells());
        let clocks: Vec<Clocks> =
            self.modes.iter().map(|&mode| Clocks::of(&setting.space, mode)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut time = DMatrix::zeros(count, cells);
        let mut power = DMatrix::zeros(count, cells);
        for draw in 0..count {
            let board = BoardDraw::new(&mut rng);
            for &role in self.roles {
                let workload = WorkloadDraw::new(&mut rng);
                for (b, batch) in setting.batches(role).iter().enumerate() {
                    for (m, clocks) in clocks.iter().enumerate() {
                        let (t, p) = workload.at(&board, clocks, batch.as_f64());
                        let cell = self.cell(role, m, b);
                        time[(draw, cell)] = t;
                        power[(draw, cell)] = p;
                    }
                }
            }
        }
        for &role in self.roles {
            let (start, count) = self.cells_of(role);
            let mut block = time.columns_mut(start, count);
            for mut row in block.row_iter_mut() {
                let mean = row.mean();
                row.add_scalar_mut(-mean);
            }
        }
        (time, power)
    }

    fn blank(setting: &Arc<Setting>, roles: &'static [Role]) -> Self {
        let space = &setting.space;
        let lattice = Lattice::over(space);
        let mut modes = lattice.modes(space);
        modes.extend(&setting.presets);
        modes.extend([space.lowest(), space.middle(), space.highest()]);
        let modes: Vec<ModeId> = modes.into_iter().collect();
        let (time, power) = (Expectation::default(), Expectation::default());
        let coordinates = coordinates(space, &modes);
        let relatives = Arc::default();
        let setting = setting.clone();
        Self { setting, roles, relatives, modes, lattice, coordinates, time, power }
    }

    /// The modes of a finer lattice around one.
    pub(super) fn around(&self, mode: ModeId, time: u32) -> BTreeSet<ModeId> {
        let space = &self.setting.space;
        self.lattice.around(space, mode, time).modes(space)
    }

    /// The same with further modes: models are smooth, so what is expected there lies between what
    /// is expected of the modes of the lattice around them. None if there is no further mode.
    pub(super) fn with(&self, more: impl Iterator<Item = ModeId>) -> Option<Self> {
        let space = &self.setting.space;
        let known = |mode: ModeId| self.modes.binary_search(&mode).ok();
        let level = |k: usize, level: u16| {
            let knob = &space.knobs()[k];
            place(knob, knob.levels()[usize::from(level)])
        };
        let mut blends: BTreeMap<ModeId, Vec<(usize, f64)>> = BTreeMap::new();
        for mode in more.filter(|&mode| known(mode).is_none()) {
            let Some(corners) = self.lattice.corners(space, mode, level) else { continue };
            let corners = corners.into_iter().map(|(corner, share)| Some((known(corner)?, share)));
            if let Some(corners) = corners.collect() {
                blends.insert(mode, corners);
            }
        }
        if blends.is_empty() {
            return None;
        }
        blends.extend(self.modes.iter().enumerate().map(|(i, &mode)| (mode, vec![(i, 1.0)])));
        let modes: Vec<ModeId> = blends.keys().copied().collect();
        let blended = |own: &Expectation| {
            let mut blended = Expectation { widths: own.widths, ..Expectation::default() };
            for &role in self.roles {
                for blend in blends.values() {
                    for batch in 0..self.setting.batches(role).len() {
                        let cells = blend.iter().map(|&(i, w)| (self.cell(role, i, batch), w));
                        blended.push_between(own, cells);
                    }
                }
            }
            blended
        };
        Some(Self {
            setting: self.setting.clone(),
            roles: self.roles,
            relatives: self.relatives.clone(),
            lattice: self.lattice.clone(),
            coordinates: coordinates(space, &modes),
            time: blended(&self.time),
            power: blended(&self.power),
            modes,
        })
    }

    /// How many cells there are.
    pub(super) fn cells(&self) -> usize {
        self.modes.len() * self.roles.iter().map(|&r| self.setting.batches(r).len()).sum::<usize>()
    }

    /// The first cell of a role, and how many it has.
    pub(super) fn cells_of(&self, role: Role) -> (usize, usize) {
        let count = self.modes.len() * self.setting.batches(role).len();
        let after_background = role == Role::Urgent && self.roles.contains(&Role::Background);
        (if after_background { self.modes.len() } else { 0 }, count)
    }

    /// The cell of a role, the place of a mode among the modes and of a batch among the batches.
    pub(super) fn cell(&self, role: Role, mode: usize, batch: usize) -> usize {
        self.cells_of(role).0 + mode * self.setting.batches(role).len() + batch
    }

    /// The cell of a measurement, unless its mode or batch is not considered.
    pub(super) fn cell_of(&self, measurement: &Measurement) -> Option<usize> {
        if !self.roles.contains(&measurement.role) {
            return None;
        }
        let mode = self.modes.binary_search(&measurement.mode).ok()?;
        let batches = self.setting.batches(measurement.role);
        let batch = batches.binary_search(&measurement.batch_size).ok()?;
        Some(self.cell(measurement.role, mode, batch))
    }
}

/// Each knob's place on a logarithmic scale, one row a mode.
fn coordinates(space: &ModeSpace, modes: &[ModeId]) -> Vec<f64> {
    let row = |&mode: &ModeId| {
        space.knobs().iter().zip(space.levels(mode)).map(|(knob, level)| place(knob, level))
    };
    modes.iter().flat_map(row).collect()
}

/// A level's place on a logarithmic scale from 0, the lowest, to 1, the highest.
fn place(knob: &fulcrum_domain::Knob, level: f64) -> f64 {
    let (low, high) = (knob.levels()[0], knob.levels()[knob.levels().len() - 1]);
    if high <= low {
        0.5
    } else if low > 0.0 {
        (level / low).ln() / (high / low).ln()
    } else {
        (level - low) / (high - low)
    }
}

/// Logarithms over the cells of a role, as high as what is expected there.
struct Curves {
    time: Vec<f64>,
    power: Vec<f64>,
}

/// What is believed of a known workload in the cells of its role.
fn believed_of(physical: &Arc<Prior>, relative: &Relative) -> Curves {
    let mut time = Surface::new(physical.clone(), |prior| &prior.time);
    let mut power = Surface::new(physical.clone(), |prior| &prior.power);
    for (measurement, profile) in &relative.profiles {
        if let Some(cell) = physical.cell_of(measurement) {
            time.observe(cell, profile.minibatch.get().ln(), profile.error);
            power.observe(cell, profile.power.get().ln(), profile.error);
        }
    }
    let (first, count) = physical.cells_of(relative.role);
    let shape = |surface: &Surface, expected: &[f64]| {
        let curve: Vec<f64> = (first..first + count).map(|c| surface.guess(c).mean).collect();
        // Levels are free.
        let off = curve.iter().zip(&expected[first..]).map(|(own, mean)| own - mean).sum::<f64>();
        curve.iter().map(|value| value - off / count as f64).collect()
    };
    Curves { time: shape(&time, &physical.time.mean), power: shape(&power, &physical.power.mean) }
}

/// Mean and principal components of the draws (one a row).
fn expectation(mut draws: DMatrix<f64>, widths: Widths) -> Expectation {
    let (count, cells) = draws.shape();
    let mean: Vec<f64> = draws.column_iter().map(|column| column.mean()).collect();
    for (mut column, mean) in draws.column_iter_mut().zip(&mean) {
        column.add_scalar_mut(-mean);
    }
    draws /= (count as f64).sqrt();
    let step = cells.div_ceil(PIVOTS).max(1);
    let pivots: Vec<usize> = (0..cells).step_by(step).collect();
    let sample = draws.select_columns(&pivots);
    // ΦΦᵀ of all cells is nearly that of the draws projected on the leading directions in which
    // the sampled cells vary.
    let eigen = SymmetricEigen::new(&sample * sample.transpose());
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let leading = eigen.eigenvectors.select_columns(&order[..FEATURES]);
    let projected = leading.transpose() * draws;
    Expectation { mean, features: projected.as_slice().to_vec(), widths }
}

pub(super) const fn feature_count() -> usize {
    FEATURES
}
