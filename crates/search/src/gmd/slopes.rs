//! How a reading depends on the knobs, as far as the readings tell: a sum of one term a knob.
//!
//! Time is taken as a sum of terms that shrink as one over a knob's level, power as a sum of terms
//! that grow with it. The slopes along the knobs are the weights of the terms. They start as an
//! even split and follow the readings by least squares, so that every reading speaks to every
//! slope, and what no reading has told yet stays open.

use nalgebra::{DMatrix, DVector};

/// A reading, or what the terms foretell of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forecast {
    /// The most likely value.
    pub(super) value: f64,
    /// Its standard error, as a share of it; 0 when it was read.
    pub(super) error: f64,
}

impl Forecast {
    /// A value that was read.
    pub(super) const fn read(value: f64) -> Self {
        Self { value, error: 0.0 }
    }
}

/// What is held of a weight before anything was read: a mean and a standard deviation, both as
/// shares of the level of all readings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

/// The weights of the terms, with how well they are known.
#[derive(Debug, Clone)]
pub(super) struct Slopes {
    weights: DVector<f64>,
    covariance: DMatrix<f64>,
    scale: f64,
}

/// By how much a reading strays from the sum of its terms, as a share.
const MISFIT: f64 = 0.06;

impl Slopes {
    /// Fits the weights to readings: the terms of all, one reading's after the other's, and the
    /// values.
    pub(super) fn fit(prior: &[Weight], terms: &[f64], values: &[f64]) -> Self {
        let readings = || terms.chunks(prior.len()).zip(values);
        // The level of all: what makes the terms of the mean weights fit the readings best.
        let logs = readings().map(|(terms, value)| {
            let sum: f64 = terms.iter().zip(prior).map(|(t, w)| t * w.mean).sum();
            (value / sum).ln()
        });
        let scale = (logs.sum::<f64>() / values.len().max(1) as f64).exp();
        let size = prior.len();
        let mut precision = DMatrix::zeros(size, size);
        let mut target = DVector::zeros(size);
        for (i, weight) in prior.iter().enumerate() {
            let own = weight.deviation.powi(-2);
            precision[(i, i)] = own;
            target[i] = own * weight.mean;
        }
        for (terms, value) in readings() {
            let value = value / scale;
            let own = (MISFIT * value).powi(-2);
            for (i, term) in terms.iter().enumerate() {
                let weight = own * term;
                target[i] += weight * value;
                // The upper half says the same as the lower.
                for (entry, other) in precision.column_mut(i).iter_mut().zip(terms).skip(i) {
                    *entry += weight * other;
                }
            }
        }
        let covariance = match precision.cholesky() {
            Some(factor) => factor.inverse(),
            None => DMatrix::zeros(size, size),
        };
        Self { weights: &covariance * target, covariance, scale }
    }

    /// The slopes when the second half of the terms is the first half times a factor: the same
    /// terms for one batch size.
    pub(super) fn at(&self, factor: f64) -> Self {
        let half = self.weights.len() / 2;
        let weights =
            DVector::from_fn(half, |i, _| self.weights[i] + factor * self.weights[half + i]);
        let of = |i: usize, j: usize| self.covariance[(i, j)];
        let covariance = DMatrix::from_fn(half, half, |i, j| {
            of(i, j)
                + factor * (of(half + i, j) + of(i, half + j))
                + factor * factor * of(half + i, half + j)
        });
        Self { weights, covariance, scale: self.scale }
    }

    /// The value that one term adds, by its place among the terms.
    pub(super) fn part(&self, i: usize, term: f64) -> f64 {
        self.weights[i] * term * self.scale
    }

    /// The least that the terms can foretell: a sum of positive quantities that comes out next to
    /// nothing has left what was read.
    pub(super) fn least(&self) -> f64 {
        0.02 * self.scale
    }

    /// The value that the terms foretell.
    pub(super) fn value(&self, terms: &[f64]) -> f64 {
        let sum: f64 = terms.iter().zip(self.weights.iter()).map(|(t, w)| t * w).sum();
        (sum * self.scale).max(self.least())
    }

    /// The value that the terms foretell, with its error.
    pub(super) fn forecast(&self, terms: &[f64]) -> Forecast {
        let value = self.value(terms);
        let mut variance = 0.0;
        for (column, a) in self.covariance.as_slice().chunks(terms.len()).zip(terms) {
            let inner: f64 = column.iter().zip(terms).map(|(c, b)| c * b).sum();
            variance += a * inner;
        }
        Forecast { value, error: variance.max(0.0).sqrt() * self.scale / value }
    }
}
