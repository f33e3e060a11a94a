//! Programs that others started, and that a run waits for.

use std::time::Instant;

use fulcrum_api::{Address, RemoteBoard, v1};
use fulcrum_domain::Workload;

use super::STARTING;
use super::wanted::Wanted;
use crate::agents::of_remote;
use crate::exit::Failure;

/// Waits until a program does each workload of a plan: without it the run would be of nothing.
pub(super) fn wait_until_attached(
    board: &mut RemoteBoard,
    address: &Address,
    wanted: &Wanted,
) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let turns = board.turns().map_err(|error| of_remote(address, &error))?;
        let missing: Vec<String> = wanted
            .plan
            .agreement
            .terms
            .iter()
            .filter(|terms| !turns.workers.iter().any(|worker| does(worker, &terms.workload)))
            .map(|terms| format!("`{}`", terms.workload))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        if began.elapsed() > STARTING {
            return Err(Failure::bad_input(format_args!(
                "--attached: after {} s no program has attached to the agent for {}",
                STARTING.as_secs(),
                missing.join(" and ")
            )));
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn does(worker: &v1::WorkerStanding, workload: &Workload) -> bool {
    let kind: i32 = fulcrum_api::kind_to_wire(workload.kind).into();
    worker.workload == *workload.name && worker.kind == kind
}
