//! Baselines that know from the start what they will measure: everything, the vendor's power
//! modes, or random ones.

use std::collections::VecDeque;

use fulcrum_domain::{Evidence, Front, Measurement, ModeId, Profiles, Reading};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::log::Log;
use crate::strategy::FrontBuilder;
use crate::task::{Allowance, FrontTask};

/// Measures a list, as far as the allowance goes.
#[derive(Debug)]
pub(crate) struct Survey {
    task: FrontTask,
    allowance: Allowance,
    rest: VecDeque<Measurement>,
    log: Log,
}

impl Survey {
    fn of(task: FrontTask, rest: impl IntoIterator<Item = Measurement>) -> Self {
        let rest = rest.into_iter().collect();
        Self { allowance: task.allowance, task, rest, log: Log::new() }
    }

    fn of_modes(task: FrontTask, modes: impl IntoIterator<Item = ModeId>) -> Self {
        let setting = task.setting.clone();
        let roles = task.roles;
        let all = modes
            .into_iter()
            .flat_map(|mode| setting.measurements_at(mode, roles).collect::<Vec<_>>())
            .collect::<Vec<_>>();
        Self::of(task, all)
    }

    /// Everything that can be measured.
    pub(crate) fn everything(task: FrontTask) -> Self {
        let modes = task.setting.space.ids();
        Self::of_modes(task, modes)
    }

    /// The highest mode, with requests answered one by one: what a board does that nobody tuned.
    pub(crate) fn highest(task: FrontTask) -> Self {
        let mode = task.setting.space.highest();
        let firsts: Vec<_> = task
            .roles
            .iter()
            .filter_map(|&role| {
                let batch = *task.setting.batches(role).first()?;
                Some(task.setting.measurement(mode, role, batch))
            })
            .collect();
        Self::of(task, firsts)
    }

    /// The vendor's power modes and the highest, at every batch size.
    pub(crate) fn presets(task: FrontTask) -> Self {
        let mut modes = task.setting.presets.clone();
        modes.push(task.setting.space.highest());
        modes.sort_unstable();
        modes.dedup();
        Self::of_modes(task, modes)
    }

    /// So many random modes, at every batch size.
    pub(crate) fn random(task: FrontTask, modes: usize) -> Self {
        let space = task.setting.space.clone();
        let mut random = ChaCha8Rng::seed_from_u64(task.seed);
        let count = modes.min(space.len());
        let drawn = rand::seq::index::sample(&mut random, space.len(), count);
        Self::of_modes(task, drawn.into_iter().filter_map(|index| space.id(index)))
    }
}

impl FrontBuilder for Survey {
    fn ask(&mut self) -> Option<Measurement> {
        while let Some(next) = self.rest.front().copied() {
            let wanted =
                self.log.reading(&next).is_none() && self.log.affords(self.allowance, next.mode);
            if wanted {
                return Some(next);
            }
            self.rest.pop_front();
        }
        None
    }

    fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.log.note(measurement, reading);
    }

    fn profiles(&self) -> &Profiles {
        self.log.profiles()
    }

    fn front(&self) -> Front {
        Front::new(self.log.profiles().operating_points(self.task.roles), Evidence::Measured)
    }
}
