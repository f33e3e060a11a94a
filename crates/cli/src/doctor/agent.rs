//! The agent: whether it answers, what it says, and what it still has to put back.

use std::path::Path;

use fulcrum_api::Address;

use super::check::Check;
use crate::agents::{Agent, OneAgent, Status, wait_for};
use crate::exit::Failure;
use crate::output::readings::quantity;

/// What an agent answers.
struct Answers {
    board: fulcrum_api::BoardDescription,
    sample: Option<fulcrum_api::RemoteSample>,
    status: Status,
}

/// The checks of the agent, and of what one that died has left behind.
pub(super) fn checks(agent: &OneAgent, state_dir: &Path) -> Result<Vec<Check>, Failure> {
    let address = &agent.address;
    let answers = wait_for(async {
        let mut agent = Agent::reach(address).await?;
        let board = agent.board().await?;
        let sample = agent.sample(&board).await?;
        let status = agent.status(&board.space).await?;
        Ok(Answers { board, sample, status })
    });
    match answers {
        Ok(answers) => Ok(vec![
            Check::ok(
                "agent.socket",
                format!("{address} answers for {}", answers.board.identity.model),
            ),
            journal(state_dir, Some(&answers.status)),
            sensors(&answers),
            mode(&answers.status),
        ]),
        Err(Failure::Unreachable(message)) => {
            Ok(vec![silent(address, &message), journal(state_dir, None)])
        }
        Err(failure @ (Failure::Interrupted | Failure::BadInput(_))) => Err(failure),
        Err(failure) => Ok(vec![Check::fail(
            "agent.socket",
            failure.message().unwrap_or_default(),
            "see the agent's log: journalctl -u fulcrum-agent",
        )]),
    }
}

/// An agent that was named and does not answer is a failure; one that may not be installed is not.
fn silent(address: &Address, message: &str) -> Check {
    let id = "agent.socket";
    match address {
        Address::Socket(path) if !path.exists() => Check::warn(
            id,
            format!("no agent here: {} is not there", path.display()),
            "install it (deploy/systemd) and run `systemctl enable --now fulcrum-agent`",
        ),
        _ => Check::fail(id, message, "see the agent's log: journalctl -u fulcrum-agent"),
    }
}

/// `agent.journal`: whether a state that was found is still to be put back.
fn journal(state_dir: &Path, status: Option<&Status>) -> Check {
    let id = "agent.journal";
    if let Some(status) = status {
        return match (&status.restore_pending, &status.lease) {
            (Some(pending), _) => Check::fail(
                id,
                format!("the board is still to be put back: {pending}"),
                "the agent tries again by itself; mend what it names, then look again",
            ),
            (None, Some(lease)) => {
                Check::ok(id, format!("held by {}; put back afterwards", lease.holder))
            }
            (None, None) => Check::ok(id, "nothing is to be put back"),
        };
    }
    let left = match std::fs::read_dir(state_dir) {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Check::skip(id, format!("{}: {error}", state_dir.display())),
    };
    let journal = left.iter().find(|name| name.to_string_lossy().ends_with(".json"));
    match journal {
        Some(name) => Check::fail(
            id,
            format!(
                "{} is left: an agent died while a mode was set",
                state_dir.join(name).display()
            ),
            "start the agent: it puts the board back before it serves anyone",
        ),
        None => Check::ok(id, "nothing is to be put back"),
    }
}

/// `agent.sensors`: whether the agent has a value of every sensor.
fn sensors(answers: &Answers) -> Check {
    let id = "agent.sensors";
    let Some(sample) = &answers.sample else {
        return Check::warn(id, "no sample yet", "look again in a second");
    };
    let absent: Vec<String> = answers
        .board
        .sensors
        .iter()
        .zip(&sample.values)
        .filter_map(|(sensor, value)| {
            let why = value.as_ref().err()?;
            Some(format!("{} {} {}", sensor.part, quantity(sensor.quantity), why.as_str()))
        })
        .collect();
    let found = format!("{} sensors", sample.values.len());
    if absent.is_empty() {
        return Check::ok(id, format!("{found}, each with a value"));
    }
    let found = format!("{found}, without a value: {}", absent.join(", "));
    if absent.iter().any(|sensor| sensor.ends_with("denied") || sensor.ends_with("unreadable")) {
        return Check::warn(
            id,
            found,
            "the agent lacks a right: run it as the service in deploy/systemd",
        );
    }
    Check::ok(id, found)
}

/// `agent.mode`: whether the board shows what was set, and what the guards did.
fn mode(status: &Status) -> Check {
    let id = "agent.mode";
    let overridden =
        status.overrides.iter().map(|other| format!("{} by {}", other.knob, other.suspect));
    let overridden: Vec<String> = overridden.collect();
    if !overridden.is_empty() {
        return Check::warn(
            id,
            format!("overridden: {}", overridden.join(", ")),
            "someone else writes the controls, or heat does; `fulcrum board show` says what",
        );
    }
    if let Some(action) = status.guard_actions.last() {
        return Check::warn(
            id,
            format!("a guard stepped down: {}", action.reason),
            "see to the board's cooling or supply, or set a smaller mode",
        );
    }
    let found =
        if status.wanted.is_some() { "the board shows what was set" } else { "no mode is set" };
    Check::ok(id, found)
}
