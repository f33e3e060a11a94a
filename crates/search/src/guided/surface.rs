//! A Gaussian process over the cells of a prior, conditioned one observation at a time.
//!
//! Values are logarithms. The covariance is that of the prior's features, plus a free level, plus a
//! small smooth residual for what the family of models cannot say. Each observation appends one row
//! of the Cholesky factor's cross-covariance, which updates the mean and the variance of every
//! cell in one pass; nothing is ever solved from scratch.

use std::sync::Arc;

use fulcrum_domain::Role;
use nalgebra::{Cholesky, DMatrix};

use super::prior::{Expectation, Prior, feature_count};
use super::widths::Widths;

/// The logarithm of a quantity: what is expected, and how far it may be off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guess {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
    /// Whether there is a reading of the quantity itself.
    pub(crate) read: bool,
}

#[derive(Debug, Clone, Copy)]
struct Observation {
    cell: usize,
    value: f64,
    /// The variance of the reading.
    noise: f64,
    /// The factor on the variance that is expected here, for a value that cannot be believed.
    doubt: f64,
}

/// A quantity over all cells, as far as it is known.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    prior: Arc<Prior>,
    which: fn(&Prior) -> &Expectation,
    widths: Widths,
    mean: Vec<f64>,
    variance: Vec<f64>,
    observations: Vec<Observation>,
    /// The place of each cell's latest observation.
    read: Vec<Option<usize>>,
    /// The prior covariance of each observation's cell with every cell.
    prior_rows: Vec<Vec<f64>>,
    /// What each observation changed.
    rows: Vec<Row>,
}

/// A row of the Cholesky factor's cross-covariance.
#[derive(Debug, Clone)]
struct Row {
    values: Vec<f64>,
    /// How far the observation was off, in standard deviations of what was expected.
    innovation: f64,
}

impl Row {
    fn apply(&self, mean: &mut [f64], variance: &mut [f64]) {
        for ((mean, variance), value) in mean.iter_mut().zip(variance).zip(&self.values) {
            *mean += value * self.innovation;
            *variance -= value * value;
        }
    }
}

/// So many standard deviations off what all other observations say, an observation is doubted.
const OUTLIER: f64 = 3.5;
/// Before so many observations of a quantity there is nothing to doubt one by.
const ENOUGH: usize = 6;
/// Doubting one may clear another. After so many times they are left as they are.
const SETTLED: usize = 8;

impl Surface {
    pub(super) fn new(prior: Arc<Prior>, which: fn(&Prior) -> &Expectation) -> Self {
        let mut surface = Self {
            widths: which(&prior).widths,
            which,
            mean: Vec::new(),
            variance: Vec::new(),
            observations: Vec::new(),
            read: vec![None; prior.cells()],
            prior_rows: Vec::new(),
            rows: Vec::new(),
            prior,
        };
        surface.keep(0);
        surface
    }

    /// Goes back to what the first so many observations said.
    fn keep(&mut self, count: usize) {
        let expected = (self.which)(&self.prior);
        self.mean.clone_from(&expected.mean);
        let own = self.widths;
        let fixed = own.common_level.powi(2) + own.own_level.powi(2) + own.residual.powi(2);
        self.variance = (0..self.mean.len())
            .map(|cell| {
                let features = expected.features_of(cell);
                fixed + own.inflation.powi(2) * dot(features, features)
            })
            .collect();
        self.rows.truncate(count);
        for row in &self.rows {
            row.apply(&mut self.mean, &mut self.variance);
        }
    }

    /// What is believed of a cell, or what was read there if it was read exactly.
    pub(super) fn guess(&self, cell: usize) -> Guess {
        let rough = self.widths.rough.powi(2);
        let smooth = self.variance[cell].max(0.0);
        let Some(o) = self.read[cell].map(|place| self.observations[place]) else {
            let deviation = (smooth + rough).sqrt();
            return Guess { mean: self.mean[cell], deviation, read: false };
        };
        // The cell's own roughness is part of what was read; noise is not. Each pulls by its share.
        let rough = rough * o.doubt;
        let share = if o.noise > 0.0 { rough / (rough + o.noise) } else { 1.0 };
        let left = 1.0 - share;
        Guess {
            mean: self.mean[cell] + share * (o.value - self.mean[cell]),
            deviation: (left.powi(2) * smooth + share * o.noise).sqrt(),
            read: true,
        }
    }

    /// Whether a noisy reading of a cell is contradicted by all the others, so that it may well be a
    /// bad one.
    pub(super) fn doubts(&self, cell: usize) -> bool {
        self.observations.iter().any(|o| o.cell == cell && o.noise > 0.0 && o.doubt > 1.0)
    }

    /// Takes in the logarithm of a reading with its standard error.
    pub(super) fn observe(&mut self, cell: usize, value: f64, error: f64) {
        self.take(cell, value, error);
        self.doubt_outliers();
    }

    /// Takes in many readings at once. Which of them to doubt is settled when all are there: after
    /// each it would take time with the fourth power of how many there are.
    pub(super) fn observe_all(&mut self, readings: impl Iterator<Item = (usize, f64, f64)>) {
        for (cell, value, error) in readings {
            self.take(cell, value, error);
        }
        for _ in 0..SETTLED {
            if !self.doubt_outliers() {
                return;
            }
        }
    }

    fn take(&mut self, cell: usize, value: f64, error: f64) {
        let observation = Observation { cell, value, noise: error.powi(2), doubt: 1.0 };
        self.read[cell] = Some(self.observations.len());
        self.observations.push(observation);
        self.prior_rows.push(self.covariances(cell));
        self.condition(observation);
    }

    /// Takes in the next observation.
    fn condition(&mut self, o: Observation) {
        let noise = o.noise + self.widths.rough.powi(2) * o.doubt;
        let mut values = self.prior_rows[self.rows.len()].clone();
        for earlier in &self.rows {
            let factor = earlier.values[o.cell];
            if factor != 0.0 {
                for (value, e) in values.iter_mut().zip(&earlier.values) {
                    *value -= factor * e;
                }
            }
        }
        let spread = (values[o.cell] + noise).max(1e-12).sqrt();
        for value in &mut values {
            *value /= spread;
        }
        let row = Row { values, innovation: (o.value - self.mean[o.cell]) / spread };
        row.apply(&mut self.mean, &mut self.variance);
        self.rows.push(row);
    }

    /// The prior covariance of a cell with every cell.
    fn covariances(&self, cell: usize) -> Vec<f64> {
        let expected = (self.which)(&self.prior);
        let inflation = self.widths.inflation.powi(2);
        let own = expected.features_of(cell);
        let mut row: Vec<f64> = expected
            .features
            .chunks_exact(feature_count())
            .map(|features| self.widths.common_level.powi(2) + inflation * dot(own, features))
            .collect();
        let (role, mode, batch) = self.split(cell);
        let (start, _) = self.prior.cells_of(role);
        let batches = self.prior.setting.batches(role);
        let by_batch: Vec<f64> =
            (0..batches.len()).map(|b| self.batch_kernel(role, batch, b)).collect();
        for m in 0..self.prior.modes.len() {
            let by_mode = self.widths.residual.powi(2) * self.mode_kernel(mode, m);
            let first = start + m * batches.len();
            for (value, by_batch) in row[first..first + batches.len()].iter_mut().zip(&by_batch) {
                *value += self.widths.own_level.powi(2) + by_mode * by_batch;
            }
        }
        row
    }

    fn split(&self, cell: usize) -> (Role, usize, usize) {
        let found = self.prior.roles.iter().copied().find(|&role| {
            let (start, count) = self.prior.cells_of(role);
            (start..start + count).contains(&cell)
        });
        let role = found.unwrap_or(Role::Urgent);
        let (start, _) = self.prior.cells_of(role);
        let batches = self.prior.setting.batches(role).len();
        (role, (cell - start) / batches, (cell - start) % batches)
    }

    fn mode_kernel(&self, a: usize, b: usize) -> f64 {
        let knobs = self.prior.setting.space.knobs().len();
        let at = |mode: usize| &self.prior.coordinates[mode * knobs..(mode + 1) * knobs];
        let squared: f64 = at(a).iter().zip(at(b)).map(|(x, y)| (x - y).powi(2)).sum();
        (-0.5 * squared / self.widths.length.powi(2)).exp()
    }

    fn batch_kernel(&self, role: Role, a: usize, b: usize) -> f64 {
        let batches = self.prior.setting.batches(role);
        let range = (batches[batches.len() - 1].as_f64() / batches[0].as_f64()).ln().max(1.0);
        let apart = (batches[a].as_f64() / batches[b].as_f64()).ln() / range;
        (-0.5 * (apart / self.widths.length).powi(2)).exp()
    }

    /// Raises the doubt of observations that all the others contradict, and lowers that of those
    /// they no longer do; goes back to the first that changed, and says whether there was one.
    fn doubt_outliers(&mut self) -> bool {
        if self.observations.len() < ENOUGH {
            return false;
        }
        let doubts: Vec<f64> = self
            .left_out()
            .iter()
            .zip(&self.observations)
            .map(|(left_out, o)| {
                let plain = self.widths.rough.powi(2);
                let expected = left_out.variance + o.noise + plain;
                let off = (o.value - left_out.mean).powi(2);
                let beyond = off / (OUTLIER.powi(2) * expected);
                if beyond > 1.0 { (off / plain).max(1.0) } else { 1.0 }
            })
            .collect();
        let changed = doubts
            .iter()
            .zip(&self.observations)
            .position(|(doubt, o)| (*doubt > 1.0) != (o.doubt > 1.0));
        if let Some(first) = changed {
            for (o, doubt) in self.observations.iter_mut().zip(doubts).skip(first) {
                o.doubt = doubt;
            }
            self.keep(first);
            for place in first..self.observations.len() {
                self.condition(self.observations[place]);
            }
        }
        changed.is_some()
    }

    /// What all other observations say of each one, without its own value.
    fn left_out(&self) -> Vec<LeftOut> {
        let n = self.observations.len();
        let expected = (self.which)(&self.prior);
        let rough = self.widths.rough.powi(2);
        let noise: Vec<f64> = self.observations.iter().map(|o| o.noise + rough * o.doubt).collect();
        let covariance = DMatrix::from_fn(n, n, |i, j| {
            self.prior_rows[i.min(j)][self.observations[i.max(j)].cell]
                + if i == j { noise[i] } else { 0.0 }
        });
        let offsets = nalgebra::DVector::from_iterator(
            n,
            self.observations.iter().map(|o| o.value - expected.mean[o.cell]),
        );
        let Some(cholesky) = Cholesky::new(covariance) else { return Vec::new() };
        let inverse = cholesky.inverse();
        let weights = &inverse * offsets;
        (0..n)
            .map(|i| {
                let variance = 1.0 / inverse[(i, i)];
                LeftOut {
                    mean: self.observations[i].value - weights[i] * variance,
                    variance: (variance - noise[i]).max(0.0),
                }
            })
            .collect()
    }
}

struct LeftOut {
    mean: f64,
    variance: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
