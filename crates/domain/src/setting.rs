//! What can be measured on a board for the workloads of a problem.

use std::sync::Arc;

use crate::mode_space::{ModeId, ModeSpace};
use crate::workload::{BatchSize, Measurement, Role};

/// What can be measured on a board for a pair of workloads (or for one).
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The board's power modes.
    pub space: Arc<ModeSpace>,
    /// The size of the background workload's minibatches, which is fixed.
    pub background_batch: BatchSize,
    /// The sizes that the urgent workload's minibatches can have, ascending.
    pub urgent_batches: Vec<BatchSize>,
    /// The vendor's power modes, from the smallest to the largest; none if they are not known.
    pub presets: Vec<ModeId>,
}

impl Setting {
    /// The batch sizes of a role, ascending.
    pub fn batches(&self, role: Role) -> &[BatchSize] {
        match role {
            Role::Background => std::slice::from_ref(&self.background_batch),
            Role::Urgent => &self.urgent_batches,
        }
    }

    /// The measurement of a role at a mode; the batch size counts for the urgent role alone.
    pub fn measurement(&self, mode: ModeId, role: Role, batch: BatchSize) -> Measurement {
        let batch_size = if role == Role::Background { self.background_batch } else { batch };
        Measurement { mode, role, batch_size }
    }

    /// All measurements of the roles at a mode, in the order of roles and batch sizes.
    pub fn measurements_at<'a>(
        &'a self,
        mode: ModeId,
        roles: &'a [Role],
    ) -> impl Iterator<Item = Measurement> + 'a {
        roles.iter().flat_map(move |&role| {
            self.batches(role).iter().map(move |&batch_size| Measurement { mode, role, batch_size })
        })
    }
}
