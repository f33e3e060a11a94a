//! What a profile store would know of other workloads when a new one comes.

use std::sync::Arc;

use fulcrum_board::{ProfileTable, Profiler as _, Replay};
use fulcrum_domain::{Measurement, Role, Setting, WorkloadKind};
use fulcrum_search::Relative;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::group::Group;

/// So many profiles of each workload of a table that is none of the group's, at modes and batch
/// sizes chosen by chance.
pub(crate) fn relatives(
    table: &Arc<ProfileTable>,
    group: &Group,
    setting: &Setting,
    profiles: usize,
) -> Arc<[Relative]> {
    let mut board = Replay::new(table.clone());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut found = Vec::new();
    for (role, own) in [(Role::Background, &group.background), (Role::Urgent, &group.urgent)] {
        let Some(own) = own else { continue };
        let others = board.offers().iter().map(|offer| offer.workload.clone());
        let others: Vec<_> = others.filter(|o| o.kind == own.kind && o != own).collect();
        for other in others {
            let batches = match own.kind {
                WorkloadKind::Train => vec![setting.background_batch],
                WorkloadKind::Infer => setting.batches(role).to_vec(),
            };
            let mut known = Vec::new();
            // Tables have holes.
            for _ in 0..10 * profiles {
                if known.len() == profiles {
                    break;
                }
                let mode = rng.random_range(0..setting.space.len());
                let Some(mode) = setting.space.id(mode) else { continue };
                let batch_size = batches[rng.random_range(0..batches.len())];
                if let Ok(profile) = board.measure(&other, mode, batch_size) {
                    known.push((Measurement { mode, role, batch_size }, profile));
                }
            }
            found.push(Relative { role, profiles: known });
        }
    }
    found.into()
}
