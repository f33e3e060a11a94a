//! Power: what is measured, and what it adds up to.

use fulcrum_board::{Absence, Quantity};

use super::check::Check;
use super::machine::Machine;
use crate::output::readings::reading;

/// `power.rails`: what measures power, each with what it says now.
pub(crate) fn rails(machine: &Machine<'_>) -> Check {
    let id = "power.rails";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    let rails: Vec<_> = board.readings(Quantity::Power).collect();
    if rails.is_empty() {
        let found = "nothing here measures power";
        if machine.is_jetson() {
            let advice = "load the ina3221 driver; without it no profile has a power";
            return Check::fail(id, found, advice);
        }
        let advice = "profiles of this machine have no power; only hardware that measures it helps";
        return Check::warn(id, found, advice);
    }
    let said = rails
        .iter()
        .map(|(sensor, value)| format!("{} {}", sensor.part, reading(Quantity::Power, value)));
    let found = said.collect::<Vec<_>>().join(", ");
    if rails.iter().any(|(_, value)| **value == Err(Absence::Denied)) {
        return Check::warn(id, found, "only root may read it: run the agent as root");
    }
    Check::ok(id, found)
}

/// `power.total`: what makes the total power, and what that leaves out.
pub(crate) fn total(machine: &Machine<'_>) -> Check {
    let id = "power.total";
    let Ok(board) = machine.described() else { return Check::skip(id, "see board.kind") };
    let rule = &board.total_power;
    if rule.parts.is_empty() {
        return Check::skip(id, "not known; see power.rails");
    }
    let said = reading(Quantity::Power, board.power());
    let found = format!("{said} = {}; leaves out {}", rule.parts.join(" + "), rule.leaves_out);
    match board.power() {
        Ok(_) => Check::ok(id, found),
        // An energy counter tells the power only from its second reading on.
        Err(_) if !machine.is_jetson() => Check::ok(id, found),
        Err(_) => Check::warn(
            id,
            found,
            "a sum without one of its rails would be wrong, so there is none; see power.rails",
        ),
    }
}
