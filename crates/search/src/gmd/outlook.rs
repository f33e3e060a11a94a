//! What the readings so far foretell of every mode and batch size.

use fulcrum_domain::{BatchSize, ModeId, Profile, Role};

use crate::procedure::Probe;
use crate::task::Task;

use super::slopes::{Forecast, Slopes, Weight};

/// The time and the power of a minibatch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minibatch {
    pub(super) time: Forecast,
    pub(super) power: Forecast,
}

/// The terms of a mode, one for what no knob changes and one a knob.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    time: Vec<f64>,
    power: Vec<f64>,
    place: Vec<f64>,
}

/// The slopes of one role at one batch size, and the readings that they were fitted to.
struct Surface {
    batch: BatchSize,
    time: Slopes,
    power: Slopes,
    /// Place of a mode, and by how much its logarithmic readings differ from the sum of terms.
    strays: Vec<(Vec<f64>, [f64; 2])>,
}

/// What the readings so far foretell.
pub(super) struct Outlook<'a> {
    task: &'a Task,
    /// By knob and place: the terms of time and power, and the place as a share of the knob's.
    levels: Vec<Vec<[f64; 3]>>,
    background: Vec<Surface>,
    urgent: Vec<Surface>,
}

/// Power grows faster than the clock, since the voltage grows with it.
const POWER_EXPONENT: f64 = 1.5;
/// By how much an unread mode may differ from the sum of its terms, as a share.
const STRAY: f64 = 0.08;
/// How far a stray reading is felt, as a share of a knob's range.
const REACH: f64 = 0.3;

impl<'a> Outlook<'a> {
    pub(super) fn new(task: &'a Task, probe: &Probe<'_>, batches: &[BatchSize]) -> Self {
        let space = &task.setting.space;
        let levels = space
            .knobs()
            .iter()
            .map(|knob| {
                let middle = usize::from(knob.top() / 2);
                let levels = knob.levels();
                let level = |i: usize| {
                    if levels[0] > 0.0 {
                        levels[i] / levels[middle]
                    } else {
                        // Levels that are no amounts count by their places.
                        (i + 1) as f64 / (middle + 1) as f64
                    }
                };
                let place = |i: usize| i as f64 / f64::from(knob.top().max(1));
                let terms = |i: usize| [1.0 / level(i), level(i).powf(POWER_EXPONENT), place(i)];
                (0..levels.len()).map(terms).collect()
            })
            .collect();
        let mut outlook = Self { task, levels, background: Vec::new(), urgent: Vec::new() };
        for &role in task.problem.roles() {
            let own = [task.setting.background_batch];
            let of_role = if role == Role::Background { own.as_slice() } else { batches };
            let surfaces = outlook.fit(probe, role, of_role);
            match role {
                Role::Background => outlook.background = surfaces,
                Role::Urgent => outlook.urgent = surfaces,
            }
        }
        outlook
    }

    /// Prepares the terms of a mode.
    pub(super) fn terms(&self, mode: ModeId, terms: &mut Terms) {
        terms.time.clear();
        terms.power.clear();
        terms.place.clear();
        terms.time.push(1.0);
        terms.power.push(1.0);
        for (levels, &place) in self.levels.iter().zip(self.task.setting.space.point(mode)) {
            let [time, power, place] = levels[usize::from(place)];
            terms.time.push(time);
            terms.power.push(power);
            terms.place.push(place);
        }
    }

    fn fit(&self, probe: &Probe<'_>, role: Role, batches: &[BatchSize]) -> Vec<Surface> {
        let middle = batches[batches.len() / 2].as_f64();
        let ratio = |batch: BatchSize| [batch.as_f64() / middle, (batch.as_f64() / middle).ln()];
        let readings: Vec<(ModeId, BatchSize, Profile)> = probe
            .log()
            .profiles()
            .iter()
            .filter(|(m, _)| m.role == role)
            .map(|(m, profile)| (m.mode, m.batch_size, profile))
            .collect();
        let knobs = self.levels.len() as f64;
        let several = batches.len() > 1;
        // Time splits evenly over the knobs, power leaves half to what no knob changes. A batch
        // doubles about half of the time and hardly moves power.
        let split = |constant: f64, deviation: f64, shares: &[f64]| -> Vec<Weight> {
            let one = |share: f64| {
                let rest = (1.0 - constant) / knobs;
                std::iter::once(constant)
                    .chain(self.levels.iter().map(move |_| rest))
                    .map(move |mean| Weight { mean: mean * share, deviation })
            };
            shares.iter().flat_map(|&share| one(share)).collect()
        };
        let time_prior =
            if several { split(0.2, 0.25, &[0.5, 0.5]) } else { split(0.2, 0.35, &[1.0]) };
        let mut power_prior =
            if several { split(0.4, 0.15, &[1.0, 0.0]) } else { split(0.4, 0.15, &[1.0]) };
        for weight in power_prior.iter_mut().skip(self.levels.len() + 1) {
            weight.deviation = 0.05;
        }
        let mut terms = Terms::default();
        let mut rows = [Vec::new(), Vec::new()];
        for (mode, batch, profile) in &readings {
            self.terms(*mode, &mut terms);
            let factors = ratio(*batch);
            let row = |terms: &[f64], factor: f64| -> Vec<f64> {
                let second = terms.iter().map(|t| t * factor);
                if several { terms.iter().copied().chain(second).collect() } else { terms.to_vec() }
            };
            rows[0].push((row(&terms.time, factors[0]), profile.minibatch.get()));
            rows[1].push((row(&terms.power, factors[1]), profile.power.get()));
        }
        let [times, powers] = rows;
        let fit = |prior: &[Weight], rows: &[(Vec<f64>, f64)]| {
            // The level of all: what makes the terms of the mean weights fit the readings best.
            let logs = rows.iter().map(|(terms, value)| {
                let sum: f64 = terms.iter().zip(prior).map(|(t, w)| t * w.mean).sum();
                (value / sum).ln()
            });
            let scale = (logs.sum::<f64>() / rows.len().max(1) as f64).exp();
            Slopes::fit(prior, rows, scale)
        };
        let (time, power) = (fit(&time_prior, &times), fit(&power_prior, &powers));
        let mut surfaces: Vec<Surface> = batches
            .iter()
            .map(|&batch| {
                let factors = ratio(batch);
                let at = |slopes: &Slopes, factor| {
                    if several { slopes.at(factor) } else { slopes.clone() }
                };
                Surface {
                    batch,
                    time: at(&time, factors[0]),
                    power: at(&power, factors[1]),
                    strays: Vec::new(),
                }
            })
            .collect();
        for surface in &mut surfaces {
            for (mode, batch, profile) in &readings {
                if *batch != surface.batch {
                    continue;
                }
                self.terms(*mode, &mut terms);
                let stray = |slopes: &Slopes, terms: &[f64], value: f64| {
                    (value / slopes.forecast(terms).value).ln().clamp(-0.5, 0.5)
                };
                let strays = [
                    stray(&surface.time, &terms.time, profile.minibatch.get()),
                    stray(&surface.power, &terms.power, profile.power.get()),
                ];
                surface.strays.push((terms.place.clone(), strays));
            }
        }
        surfaces
    }

    /// Time and power of a minibatch by the slopes alone, without what they do not explain.
    pub(super) fn rough(&self, role: Role, batch: BatchSize, terms: &Terms) -> Option<[f64; 2]> {
        let surface = self.surface(role, batch)?;
        Some([surface.time.value(&terms.time), surface.power.value(&terms.power)])
    }

    fn surface(&self, role: Role, batch: BatchSize) -> Option<&Surface> {
        match role {
            Role::Background => self.background.first(),
            Role::Urgent => self.urgent.iter().find(|surface| surface.batch == batch),
        }
    }

    /// What a minibatch of a role would take and draw.
    pub(super) fn minibatch(
        &self,
        role: Role,
        batch: BatchSize,
        terms: &Terms,
    ) -> Option<Minibatch> {
        let surface = self.surface(role, batch)?;
        let mut time = surface.time.forecast(&terms.time);
        let mut power = surface.power.forecast(&terms.power);
        let (mut weights, mut closest) = (0.0, 0.0f64);
        let mut shift = [0.0; 2];
        for (other, strays) in &surface.strays {
            let square: f64 = terms.place.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
            let near = (-square / (2.0 * REACH * REACH)).exp();
            weights += near;
            closest = closest.max(near);
            shift[0] += near * strays[0];
            shift[1] += near * strays[1];
        }
        // One reading next door is believed; far from all of them the terms stand alone.
        let denominator = weights + (1.0 - closest);
        let open = STRAY * STRAY * (1.0 - closest * closest);
        for (forecast, shift) in [(&mut time, shift[0]), (&mut power, shift[1])] {
            forecast.value *= (shift / denominator.max(1e-9)).exp();
            forecast.error = (forecast.error.powi(2) + open).sqrt();
        }
        Some(Minibatch { time, power })
    }
}
