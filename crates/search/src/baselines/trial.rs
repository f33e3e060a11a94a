//! Trying a mode: measuring there whatever can be part of a plan, and saying how good it is.

use fulcrum_domain::{BatchSize, Hertz, ModeId, OperatingPoint, Profile, Role};

use crate::procedure::{Halt, Probe};
use crate::task::{GUARD_SIGMAS, Task};

/// How good a mode is. Every mode that fits is better than every one that does not.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Merit {
    /// It could not be measured.
    Unknown,
    /// A budget does not hold, by this (negative) share.
    Misses(f64),
    /// All budgets hold, with this throughput (or one over the latency, where there is none).
    Fits(f64),
}

/// The batch sizes of the urgent role that fill up within the latency budget.
pub(super) fn workable_batches(task: &Task) -> impl Iterator<Item = BatchSize> + '_ {
    let stream = task.problem.urgent();
    task.setting
        .urgent_batches
        .iter()
        .copied()
        .filter(move |batch| stream.is_some_and(|s| s.rate.period() * batch.as_f64() < s.latency))
}

/// By how much a power budget holds, as a share of it; negative where it does not.
pub(super) fn power_margin(task: &Task, profile: Profile) -> f64 {
    1.0 - profile.guarded(GUARD_SIGMAS).power / task.problem.power()
}

/// Measures a mode: the background workload first, and the batch sizes of the urgent one only if
/// the power budget holds so far.
pub(super) fn try_mode(task: &Task, probe: &Probe<'_>, mode: ModeId) -> Result<Merit, Halt> {
    let problem = &task.problem;
    let mut background = None;
    if problem.background().is_some() {
        let Some(own) = probe.measure(mode, Role::Background, BatchSize::ONE)? else {
            return Ok(Merit::Unknown);
        };
        let margin = power_margin(task, own);
        if margin < 0.0 {
            return Ok(Merit::Misses(margin));
        }
        background = Some(own);
    }
    let mut points = Vec::new();
    let mut merit = Merit::Unknown;
    if problem.urgent().is_some() {
        for batch in workable_batches(task) {
            if let Some(urgent) = probe.measure(mode, Role::Urgent, batch)? {
                points.push(OperatingPoint { mode, background, urgent: Some((batch, urgent)) });
            }
        }
    } else {
        points.push(OperatingPoint { mode, background, urgent: None });
    }
    for point in points {
        let Some(found) = problem.assess(task.alternate, &point.guarded(GUARD_SIGMAS)) else {
            continue;
        };
        let own = if found.feasible() {
            let latency = found.latency.map_or(0.0, |latency| 1.0 / latency.get());
            Merit::Fits(found.throughput.map_or(latency, Hertz::get))
        } else {
            let power = 1.0 - found.power / problem.power();
            let late =
                problem.urgent().zip(found.latency).map_or(0.0, |(s, l)| 1.0 - l / s.latency);
            let behind = found.utilisation.map_or(0.0, |utilisation| 1.0 - utilisation);
            Merit::Misses(power.min(late).min(behind).min(0.0))
        };
        if own > merit {
            merit = own;
        }
    }
    Ok(merit)
}
