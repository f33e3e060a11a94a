//! The Profiler trait: whatever workloads can be profiled on.

use std::sync::Arc;

use fulcrum_domain::{BatchSize, ModeId, ModeSpace, Problem, Reading, Setting, Workload};

/// A workload that can be measured on a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The workload.
    pub workload: Workload,
    /// The sizes that its minibatches can have, ascending.
    pub batch_sizes: Vec<BatchSize>,
    /// What tells this version of it from others; empty where nothing does.
    pub fingerprint: String,
}

/// A power mode that the board's vendor ships under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// The vendor's name: `MAXN`, `30W`. It is the name of a clock cap, not a power draw.
    pub name: String,
    /// The mode, or the nearest to it that this board's space has.
    pub mode: ModeId,
}

/// A board on which workloads can be profiled: a real one, a simulated one, or what was recorded of
/// one.
pub trait Profiler: Send {
    /// The device's name.
    fn name(&self) -> &str;

    /// Its power modes.
    fn space(&self) -> &Arc<ModeSpace>;

    /// Its vendor's power modes, from the smallest to the largest; none if they are not known.
    fn presets(&self) -> &[Preset];

    /// The workloads that can be measured, by kind, then name.
    fn offers(&self) -> &[Offer];

    /// Sets the mode, runs the workload and says what a minibatch took and drew.
    ///
    /// # Errors
    /// When the workload could not be measured there, with the reason.
    fn measure(&mut self, workload: &Workload, mode: ModeId, batch_size: BatchSize) -> Reading;

    /// Why nothing more can be measured, once that is so: the connection or the lease is lost, the
    /// user has interrupted. From then on every measurement fails.
    fn lost(&self) -> Option<String> {
        None
    }
}

/// What can be measured on a board for a problem's workloads.
///
/// # Errors
/// When the board does not offer one of the workloads.
pub fn setting(board: &dyn Profiler, problem: &Problem) -> Result<Setting, UnknownWorkload> {
    let find = |workload: &Workload| {
        board.offers().iter().find(|offer| offer.workload == *workload).ok_or_else(|| {
            let same_kind = board.offers().iter().filter(|o| o.workload.kind == workload.kind);
            UnknownWorkload {
                workload: workload.clone(),
                known: same_kind.map(|offer| offer.workload.name.to_string()).collect(),
            }
        })
    };
    let background = problem.background().map(find).transpose()?;
    let urgent = problem.urgent().map(|stream| find(&stream.workload)).transpose()?;
    Ok(Setting {
        space: board.space().clone(),
        // A background inference runs at its largest batch, which serves most requests a second.
        background_batch: background
            .and_then(|offer| offer.batch_sizes.last().copied())
            .unwrap_or(BatchSize::ONE),
        urgent_batches: urgent.map(|offer| offer.batch_sizes.clone()).unwrap_or_default(),
        presets: board.presets().iter().map(|preset| preset.mode).collect(),
    })
}

/// A workload that a board does not offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown workload `{workload}`; known are: {}", list(known))]
pub struct UnknownWorkload {
    /// The workload.
    pub workload: Workload,
    /// The names of those of its kind that the board offers.
    pub known: Vec<String>,
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none of its kind".into() } else { names.join(", ") }
}
