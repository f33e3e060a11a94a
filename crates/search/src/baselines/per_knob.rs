//! Binary search, knob by knob, for the highest level that the power budget allows.

use fulcrum_domain::{BatchSize, Role};

use crate::procedure::{Halt, Probe};
use crate::task::Task;

use super::trial::{power_margin, try_mode, workable_batches};

/// Starts in the middle and settles one knob after the other at the highest level, found by
/// halving, that keeps the power budget.
///
/// # Errors
/// Halts for the next measurement, or when the allowance is spent.
pub(crate) fn binary_search(task: &Task, probe: &Probe<'_>) -> Result<(), Halt> {
    let space = &task.setting.space;
    let largest = workable_batches(task).last();
    let mut point = space.point(space.middle()).to_vec();
    for (knob, levels) in space.knobs().iter().enumerate() {
        let (mut low, mut high) = (0, levels.top());
        while low < high {
            let place = low + (high - low).div_ceil(2);
            point[knob] = place;
            // A level that cannot be had or measured counts as too high.
            let mut holds = space.find(&point).is_some();
            if let Some(mode) = space.find(&point) {
                for &role in task.problem.roles() {
                    let batch = match role {
                        Role::Background => BatchSize::ONE,
                        Role::Urgent => match largest {
                            Some(batch) => batch,
                            None => return Ok(()),
                        },
                    };
                    let profile = if holds { probe.measure(mode, role, batch)? } else { None };
                    holds = profile.is_some_and(|profile| power_margin(task, profile) >= 0.0);
                }
                if holds {
                    try_mode(task, probe, mode)?;
                }
            }
            if holds { low = place } else { high = place - 1 }
        }
        point[knob] = low;
    }
    try_mode(task, probe, space.nearest(&point)).map(|_| ())
}
