//! What a search believes of every operating point: time and power of both workloads.

use std::sync::Arc;

use fulcrum_domain::{Measurement, Profile, Profiles, Role};

use super::prior::Prior;
use super::surface::{Guess, Surface};

/// What is believed of every cell of a prior.
#[derive(Debug, Clone)]
pub(crate) struct Belief {
    prior: Arc<Prior>,
    time: Surface,
    power: Surface,
}

impl Belief {
    pub(super) fn new(prior: Arc<Prior>) -> Self {
        Self {
            time: Surface::new(prior.clone(), |prior| &prior.time),
            power: Surface::new(prior.clone(), |prior| &prior.power),
            prior,
        }
    }

    /// What is believed when all of these are known.
    pub(super) fn of(prior: &Arc<Prior>, known: &Profiles) -> Self {
        let mut belief = Self::new(prior.clone());
        let cells = || known.iter().filter_map(|(m, profile)| Some((prior.cell_of(&m)?, profile)));
        let time = |(cell, p): (usize, Profile)| (cell, p.minibatch.get().ln(), p.error);
        let power = |(cell, p): (usize, Profile)| (cell, p.power.get().ln(), p.error);
        belief.time.observe_all(cells().map(time));
        belief.power.observe_all(cells().map(power));
        belief
    }

    pub(crate) fn prior(&self) -> &Arc<Prior> {
        &self.prior
    }

    /// Takes in a profile; one at a mode that is not considered is let pass.
    pub(super) fn observe(&mut self, measurement: &Measurement, profile: Profile) {
        if let Some(cell) = self.prior.cell_of(measurement) {
            self.time.observe(cell, profile.minibatch.get().ln(), profile.error);
            self.power.observe(cell, profile.power.get().ln(), profile.error);
        }
    }

    /// Whether a noisy reading of a minibatch may well be a bad one.
    pub(crate) fn doubts(&self, role: Role, mode: usize, batch: usize) -> bool {
        let cell = self.prior.cell(role, mode, batch);
        self.time.doubts(cell) || self.power.doubts(cell)
    }

    /// The time of a role's minibatch, by places among modes and batches.
    pub(crate) fn time(&self, role: Role, mode: usize, batch: usize) -> Guess {
        self.time.guess(self.prior.cell(role, mode, batch))
    }

    /// The power of a role's minibatch, by places among modes and batches.
    pub(crate) fn power(&self, role: Role, mode: usize, batch: usize) -> Guess {
        self.power.guess(self.prior.cell(role, mode, batch))
    }
}
