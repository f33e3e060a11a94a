//! Plans for workers, and where they are put in force.

use std::path::Path;
use std::time::Duration;

use fulcrum_api::{TurnClient, connect_turns, v1};
use fulcrum_worker::Options;

/// Where plans are put in force.
pub(crate) async fn turns(folder: &Path) -> TurnClient {
    let address = format!("unix://{}", folder.join("agent.sock").display());
    connect_turns(&address.parse().unwrap()).await.unwrap()
}

/// A worker of the agent in a folder.
pub(crate) fn options(
    folder: &Path,
    workload: &str,
    sizes: impl IntoIterator<Item = u32>,
) -> Options {
    Options::new(workload, sizes).socket(folder.join("workers.sock"))
}

/// What a plan says of a workload: one that infers has a latency budget.
pub(crate) fn terms(
    workload: &str,
    batch_size: u32,
    budget: Option<Duration>,
) -> v1::WorkloadTerms {
    let kind = if budget.is_some() { v1::WorkloadKind::Infer } else { v1::WorkloadKind::Train };
    v1::WorkloadTerms {
        workload: workload.into(),
        kind: kind.into(),
        batch_size,
        latency_budget: budget.map(|budget| prost_types::Duration {
            seconds: 0,
            nanos: budget.subsec_nanos().cast_signed(),
        }),
        ..Default::default()
    }
}

/// A plan of these.
pub(crate) fn plan(terms: Vec<v1::WorkloadTerms>) -> v1::TurnPlan {
    v1::TurnPlan {
        alternate: v1::Alternate::SlackAware.into(),
        guard_ratio: 0.1,
        terms,
        ..Default::default()
    }
}
