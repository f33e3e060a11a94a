//! The profiles known of a problem's workloads, and the operating points they make.

use std::collections::BTreeMap;

use crate::assessment::OperatingPoint;
use crate::mode_space::ModeId;
use crate::workload::{BatchSize, Measurement, Profile, Role};

/// The profiles known of a background and an urgent workload, by what was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profiles {
    by_measurement: BTreeMap<Measurement, Profile>,
}

impl Profiles {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a profile; one known before of the same measurement is replaced and returned.
    pub fn insert(&mut self, measurement: Measurement, profile: Profile) -> Option<Profile> {
        self.by_measurement.insert(measurement, profile)
    }

    /// The profile of a measurement, if it is known.
    pub fn get(&self, measurement: &Measurement) -> Option<Profile> {
        self.by_measurement.get(measurement).copied()
    }

    /// Everything known, by mode, then role, then batch size.
    pub fn iter(&self) -> impl Iterator<Item = (Measurement, Profile)> + '_ {
        self.by_measurement.iter().map(|(m, p)| (*m, *p))
    }

    /// How many profiles are known.
    pub fn len(&self) -> usize {
        self.by_measurement.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.by_measurement.is_empty()
    }

    /// The modes at which something is known, ascending.
    pub fn modes(&self) -> impl Iterator<Item = ModeId> + '_ {
        let mut last = None;
        self.by_measurement.keys().filter_map(move |m| {
            let new = last.replace(m.mode) != Some(m.mode);
            new.then_some(m.mode)
        })
    }

    /// The profiles known of a role at a mode, by batch size.
    pub fn at(&self, mode: ModeId, role: Role) -> impl Iterator<Item = (BatchSize, Profile)> + '_ {
        let first = Measurement { mode, role, batch_size: BatchSize::ONE };
        self.by_measurement
            .range(first..)
            .take_while(move |(m, _)| m.mode == mode && m.role == role)
            .map(|(m, profile)| (m.batch_size, *profile))
    }

    /// The operating points at which the profiles of all the roles are known.
    pub fn operating_points(&self, roles: &[Role]) -> Vec<OperatingPoint> {
        let background = roles.contains(&Role::Background);
        let urgent = roles.contains(&Role::Urgent);
        let mut points = Vec::new();
        for mode in self.modes() {
            let own = self.at(mode, Role::Background).next().map(|(_, profile)| profile);
            if background && own.is_none() {
                continue;
            }
            let own = own.filter(|_| background);
            if urgent {
                points.extend(self.at(mode, Role::Urgent).map(|urgent| OperatingPoint {
                    mode,
                    background: own,
                    urgent: Some(urgent),
                }));
            } else {
                points.push(OperatingPoint { mode, background: own, urgent: None });
            }
        }
        points
    }
}

impl FromIterator<(Measurement, Profile)> for Profiles {
    fn from_iter<I: IntoIterator<Item = (Measurement, Profile)>>(iter: I) -> Self {
        Self { by_measurement: iter.into_iter().collect() }
    }
}
