//! Coordinate descent: one knob after the other, a level at a time, as long as it helps.

use crate::procedure::{Halt, Probe};
use crate::task::Task;

use super::trial::try_mode;

/// Starts in the middle and moves each knob up or down by a level while that is better, until no
/// single step helps.
///
/// # Errors
/// Halts for the next measurement, or when the allowance is spent.
pub(crate) fn coordinate_descent(task: &Task, probe: &Probe<'_>) -> Result<(), Halt> {
    let space = &task.setting.space;
    let mut here = space.middle();
    let mut merit = try_mode(task, probe, here)?;
    loop {
        let mut improved = false;
        for knob in 0..space.knobs().len() {
            for step in [1i32, -1] {
                loop {
                    let mut point = space.point(here).to_vec();
                    let Ok(place) = u16::try_from(i32::from(point[knob]) + step) else { break };
                    point[knob] = place;
                    let Some(there) = space.find(&point) else { break };
                    let found = try_mode(task, probe, there)?;
                    if found <= merit {
                        break;
                    }
                    (here, merit, improved) = (there, found, true);
                }
            }
        }
        if !improved {
            return Ok(());
        }
    }
}
