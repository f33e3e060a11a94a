//! Workloads and what a board offers of them.

use fulcrum_board::Offer;
use fulcrum_domain::{BatchSize, Workload, WorkloadKind};

use crate::malformed::Malformed;
use crate::v1;

/// A kind of workload as the wire has it.
pub const fn kind_to_wire(kind: WorkloadKind) -> v1::WorkloadKind {
    match kind {
        WorkloadKind::Train => v1::WorkloadKind::Train,
        WorkloadKind::Infer => v1::WorkloadKind::Infer,
    }
}

/// A kind of workload from the wire, where it stands in a field of this name.
///
/// # Errors
/// When it is left out or not known.
pub fn kind_from_wire(kind: i32, field: &str) -> Result<WorkloadKind, Malformed> {
    match v1::WorkloadKind::try_from(kind) {
        Ok(v1::WorkloadKind::Train) => Ok(WorkloadKind::Train),
        Ok(v1::WorkloadKind::Infer) => Ok(WorkloadKind::Infer),
        Ok(v1::WorkloadKind::Unspecified) | Err(_) => Err(Malformed::new(
            field,
            format!("is {kind}; it is WORKLOAD_KIND_TRAIN (1) or WORKLOAD_KIND_INFER (2)"),
        )),
    }
}

/// A workload from the wire: the fields `workload` and `kind` of a message.
///
/// # Errors
/// When there is no name or no kind.
pub fn workload_from_wire(name: &str, kind: i32) -> Result<Workload, Malformed> {
    if name.is_empty() {
        return Err(Malformed::new("workload", "is empty; it is the network's name"));
    }
    Ok(Workload { name: name.into(), kind: kind_from_wire(kind, "kind")? })
}

/// An offer as the wire has it.
pub fn offer_to_wire(offer: &Offer) -> v1::Offer {
    v1::Offer {
        workload: offer.workload.name.to_string(),
        kind: kind_to_wire(offer.workload.kind).into(),
        batch_sizes: offer.batch_sizes.iter().map(|size| size.get()).collect(),
        fingerprint: offer.fingerprint.clone(),
    }
}

/// An offer from the wire.
///
/// # Errors
/// When the workload is not one, or there is no batch size or a batch size of zero.
pub fn offer_from_wire(offer: &v1::Offer) -> Result<Offer, Malformed> {
    let workload = workload_from_wire(&offer.workload, offer.kind)?;
    let sizes: Option<Vec<BatchSize>> =
        offer.batch_sizes.iter().map(|&size| BatchSize::new(size)).collect();
    match sizes {
        Some(batch_sizes) if !batch_sizes.is_empty() => {
            Ok(Offer { workload, batch_sizes, fingerprint: offer.fingerprint.clone() })
        }
        _ => Err(Malformed::new("batch_sizes", "has to hold one size or more, all above zero")),
    }
}
