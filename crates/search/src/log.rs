//! What has been measured so far, against what may be measured.

use std::collections::{BTreeMap, BTreeSet};

use fulcrum_domain::{Failure, Measurement, ModeId, Profile, Profiles, Reading};

use crate::task::Allowance;

/// Everything that a search has been told.
#[derive(Debug, Clone, Default)]
pub struct Log {
    profiles: Profiles,
    failures: BTreeMap<Measurement, Failure>,
    modes: BTreeSet<ModeId>,
}

impl Log {
    /// Nothing told yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what a measurement gave.
    pub fn note(&mut self, measurement: Measurement, reading: Reading) {
        self.modes.insert(measurement.mode);
        match reading {
            Ok(profile) => {
                self.profiles.insert(measurement, profile);
                self.failures.remove(&measurement);
            }
            Err(failure) => {
                self.failures.insert(measurement, failure);
            }
        }
    }

    /// What a measurement gave, if it has been made.
    pub fn reading(&self, measurement: &Measurement) -> Option<Reading> {
        match self.profiles.get(measurement) {
            Some(profile) => Some(Ok(profile)),
            None => self.failures.get(measurement).map(|failure| Err(*failure)),
        }
    }

    /// The profile of a measurement, if it was made and did not fail.
    pub fn profile(&self, measurement: &Measurement) -> Option<Profile> {
        self.profiles.get(measurement)
    }

    /// The profiles that were told.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// How many distinct modes were visited, for a profile or a failure.
    pub fn modes(&self) -> usize {
        self.modes.len()
    }

    /// The modes that were visited, ascending.
    pub fn visited_modes(&self) -> impl Iterator<Item = ModeId> + '_ {
        self.modes.iter().copied()
    }

    /// Whether a mode was visited.
    pub fn visited(&self, mode: ModeId) -> bool {
        self.modes.contains(&mode)
    }

    /// How many measurements were made, failures among them.
    pub fn measurements(&self) -> usize {
        self.profiles.len() + self.failures.len()
    }

    /// Whether the allowance has room for one more measurement at a mode.
    pub fn affords(&self, allowance: Allowance, mode: ModeId) -> bool {
        self.measurements() < allowance.measurements
            && (self.visited(mode) || self.modes() < allowance.modes)
    }
}
