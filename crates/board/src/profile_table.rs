//! Recorded profiles of one device, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fulcrum_domain::{BatchSize, ModeId, ModeSpace, Profile, Workload};

use crate::profiler::Offer;

/// A profile of a workload, and where it was measured.
type Keyed = ((ModeId, BatchSize), Profile);

/// The recorded profiles of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileTable {
    device: String,
    space: Arc<ModeSpace>,
    offers: Vec<Offer>,
    /// In the order of the offers; each sorted by mode, then batch size.
    profiles: Vec<Vec<Keyed>>,
}

impl ProfileTable {
    /// A table of these profiles; a later one replaces an earlier one of the same key.
    pub fn new(
        device: impl Into<String>,
        space: Arc<ModeSpace>,
        rows: impl IntoIterator<Item = (Workload, ModeId, BatchSize, Profile)>,
    ) -> Self {
        let mut by_workload: BTreeMap<Workload, Vec<_>> = BTreeMap::new();
        for (workload, mode, batch, profile) in rows {
            by_workload.entry(workload).or_default().push(((mode, batch), profile));
        }
        let groups = by_workload.into_iter().map(|(workload, mut rows)| {
            rows.sort_by_key(|(key, _)| *key);
            // The stable sort keeps repeated keys in their order; the last of them wins.
            rows.reverse();
            rows.dedup_by_key(|(key, _)| *key);
            rows.reverse();
            (workload, rows)
        });
        Self::of_sorted(device, space, groups.collect())
    }

    /// A table of the profiles of these workloads, each sorted by key, without repetitions.
    pub(crate) fn of_sorted(
        device: impl Into<String>,
        space: Arc<ModeSpace>,
        mut groups: Vec<(Workload, Vec<Keyed>)>,
    ) -> Self {
        groups.sort_by(|(a, _), (b, _)| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        let mut offers = Vec::with_capacity(groups.len());
        let mut profiles = Vec::with_capacity(groups.len());
        for (workload, rows) in groups {
            let batch_sizes: BTreeSet<BatchSize> = rows.iter().map(|((_, b), _)| *b).collect();
            offers.push(Offer {
                workload,
                batch_sizes: batch_sizes.into_iter().collect(),
                fingerprint: String::new(),
            });
            profiles.push(rows);
        }
        Self { device: device.into(), space, offers, profiles }
    }

    /// The device's name.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// The power modes that occur.
    pub fn space(&self) -> &Arc<ModeSpace> {
        &self.space
    }

    /// The workloads that occur, by kind, then name.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The profile of a workload at a mode and a batch size, if it was recorded.
    pub fn profile(&self, workload: &Workload, mode: ModeId, batch: BatchSize) -> Option<Profile> {
        let rows = self.rows(workload);
        let i = rows.binary_search_by_key(&(mode, batch), |(key, _)| *key).ok()?;
        Some(rows[i].1)
    }

    /// All profiles of a workload, by mode, then batch size; none if it does not occur.
    pub fn rows(&self, workload: &Workload) -> &[((ModeId, BatchSize), Profile)] {
        let i = self.offers.iter().position(|offer| offer.workload == *workload);
        i.map_or(&[], |i| &self.profiles[i])
    }

    /// How many profiles there are.
    pub fn len(&self) -> usize {
        self.profiles.iter().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
