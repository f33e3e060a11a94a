//! A neural net on random profiles that is believed without measuring.

use std::collections::VecDeque;
use std::sync::OnceLock;

use fulcrum_domain::{
    BatchSize, Evidence, Front, Measurement, ModeId, OperatingPoint, Profile, Profiles, Reading,
    Role, Seconds, Watts,
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::log::Log;
use crate::strategy::FrontBuilder;
use crate::task::FrontTask;

use super::dense_net::DenseNet;

/// Measures random profiles of each role and answers from what nets make of them.
#[derive(Debug)]
pub(crate) struct Neural {
    task: FrontTask,
    rest: VecDeque<Measurement>,
    log: Log,
    front: OnceLock<Front>,
}

impl Neural {
    /// Draws so many measurements of each role.
    pub(crate) fn new(task: FrontTask, per_role: usize) -> Self {
        let space = &task.setting.space;
        let mut random = ChaCha8Rng::seed_from_u64(task.seed);
        let mut rest = VecDeque::new();
        for &role in task.roles {
            let batches = task.setting.batches(role);
            let all = space.len() * batches.len();
            for i in rand::seq::index::sample(&mut random, all, per_role.min(all)) {
                if let Some(mode) = space.id(i / batches.len()) {
                    rest.push_back(task.setting.measurement(
                        mode,
                        role,
                        batches[i % batches.len()],
                    ));
                }
            }
        }
        Self { task, rest, log: Log::new(), front: OnceLock::new() }
    }

    /// Every operating point, as the nets see it.
    fn predicted(&self) -> Front {
        let Some(predictions) =
            self.task.roles.iter().map(|&role| self.predict(role)).collect::<Option<Vec<_>>>()
        else {
            return Front::new([], Evidence::Predicted);
        };
        let of_role =
            |role| self.task.roles.iter().position(|r| *r == role).map(|i| &predictions[i]);
        let background = of_role(Role::Background);
        let urgent = of_role(Role::Urgent);
        let batches = &self.task.setting.urgent_batches;
        let points = self.task.setting.space.ids().flat_map(|mode| {
            let own = background.map(|all| all[mode.index()]);
            let alone =
                urgent.is_none().then_some(OperatingPoint { mode, background: own, urgent: None });
            let paired = urgent.into_iter().flat_map(move |all| {
                batches.iter().enumerate().map(move |(i, &batch)| OperatingPoint {
                    mode,
                    background: own,
                    urgent: Some((batch, all[mode.index() * batches.len() + i])),
                })
            });
            alone.into_iter().chain(paired)
        });
        Front::new(points, Evidence::Predicted)
    }

    /// The profiles of a role at all modes and batch sizes; none where nothing was read.
    fn predict(&self, role: Role) -> Option<Vec<Profile>> {
        let read: Vec<_> = self.log.profiles().iter().filter(|(m, _)| m.role == role).collect();
        if read.is_empty() {
            return None;
        }
        let batches = self.task.setting.batches(role);
        let rows = |mode: ModeId| batches.iter().map(move |&batch| (mode, batch));
        let all: Vec<_> = self.task.setting.space.ids().flat_map(rows).collect();
        let everywhere = self.features(&all);
        let seen =
            self.features(&read.iter().map(|(m, _)| (m.mode, m.batch_size)).collect::<Vec<_>>());
        let [times, powers] = [
            (0, read.iter().map(|(_, p)| p.minibatch.get()).collect::<Vec<_>>()),
            (1, read.iter().map(|(_, p)| p.power.get()).collect()),
        ]
        .map(|(net, values)| {
            let logs: Vec<f64> = values.iter().map(|value| value.max(1e-12).ln()).collect();
            let (mean, deviation) = moments(&logs);
            let targets: Vec<f32> =
                logs.iter().map(|log| ((log - mean) / deviation) as f32).collect();
            let seed = self.task.seed.wrapping_mul(4).wrapping_add(net + 2 * (role as u64));
            let found = DenseNet::fit(&seen, &targets, seed).predict(&everywhere);
            // Far outside of what was read a net says anything; exp of it must stay a number.
            let back = |y: f32| (f64::from(y).clamp(-20.0, 20.0) * deviation + mean).exp();
            found.into_iter().map(back).collect::<Vec<f64>>()
        });
        let profile = |(t, p)| Profile::exact(Seconds::new(t), Watts::new(p));
        Some(times.into_iter().zip(powers).map(profile).collect())
    }

    /// The standardised features of modes and batch sizes, one a column: the logarithm of each
    /// level, and of the batch size.
    fn features(&self, points: &[(ModeId, BatchSize)]) -> DMatrix<f32> {
        let space = &self.task.setting.space;
        let scales: Vec<(bool, f64, f64)> = space
            .knobs()
            .iter()
            .map(|knob| {
                // Levels that are no amounts have no logarithm.
                let logarithmic = knob.levels()[0] > 0.0;
                let values: Vec<f64> =
                    knob.levels().iter().map(|l| if logarithmic { l.ln() } else { *l }).collect();
                let (mean, deviation) = moments(&values);
                (logarithmic, mean, deviation)
            })
            .collect();
        DMatrix::from_fn(space.knobs().len() + 1, points.len(), |row, column| {
            let (mode, batch) = points[column];
            let value = match scales.get(row) {
                Some((logarithmic, mean, deviation)) => {
                    let level = space.level(mode, row);
                    (if *logarithmic { level.ln() } else { level } - mean) / deviation
                }
                None => batch.as_f64().ln() / 2.0 - 1.0,
            };
            value as f32
        })
    }
}

/// Mean and standard deviation, the latter 1 where all values are the same.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, if variance > 1e-18 { variance.sqrt() } else { 1.0 })
}

impl FrontBuilder for Neural {
    fn ask(&mut self) -> Option<Measurement> {
        while let Some(next) = self.rest.front().copied() {
            let affords = self.log.affords(self.task.allowance, next.mode);
            if affords && self.log.reading(&next).is_none() {
                return Some(next);
            }
            self.rest.pop_front();
        }
        None
    }

    fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.log.note(measurement, reading);
        self.front = OnceLock::new();
    }

    fn profiles(&self) -> &Profiles {
        self.log.profiles()
    }

    fn front(&self) -> Front {
        self.front.get_or_init(|| self.predicted()).clone()
    }
}
