//! `fulcrum board show`: everything about one board.

use std::io::Write as _;
use std::time::SystemTime;

use clap::Args;
use fulcrum_api::{Address, BoardDescription, RemoteSample};
use fulcrum_board::{Quantity, Sensor, SensorValue};
use fulcrum_domain::Knob;
use serde::Serialize;

use super::views;
use crate::agents::{Agent, OneAgent, OverrideReport, Status, wait_for};
use crate::exit::{Exit, Failure};
use crate::output::Format;
use crate::output::readings::{level, reading, span, time_of_day};

/// Arguments of `fulcrum board show`.
#[derive(Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    agent: OneAgent,
    /// How to print the description
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Serialize)]
struct BoardView {
    agent: String,
    board: views::IdentityView,
    modes: usize,
    knobs: Vec<views::KnobView>,
    presets: Vec<views::PresetView>,
    total_power_parts: Vec<String>,
    total_power_leaves_out: String,
    sample: Option<views::SampleView>,
    status: views::StatusView,
}

/// Asks the agent for everything and prints it.
pub(crate) fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let address = &args.agent.address;
    let (board, sample, status) = wait_for(async {
        let mut agent = Agent::reach(address).await?;
        let board = agent.board().await?;
        let sample = agent.sample(&board).await?;
        let status = agent.status(&board.space).await?;
        Ok((board, sample, status))
    })?;
    let text = match args.output {
        Format::Table => for_people(address, &board, sample.as_ref(), &status),
        Format::Json => serde_json::to_string_pretty(&BoardView {
            agent: address.to_string(),
            board: views::identity(&board),
            modes: board.space.len(),
            knobs: board.space.knobs().iter().map(views::knob).collect(),
            presets: views::presets(&board),
            total_power_parts: board.total_power.parts.clone(),
            total_power_leaves_out: board.total_power.leaves_out.clone(),
            sample: sample.as_ref().map(|sample| views::sample(&board.sensors, sample)),
            status: views::status(&board.space, &status),
        })?,
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(Exit::Solved)
}

fn note(name: &str, text: &str) -> String {
    format!("  {name:<22}  {text}").trim_end().to_owned()
}

fn for_people(
    address: &Address,
    board: &BoardDescription,
    sample: Option<&RemoteSample>,
    status: &Status,
) -> String {
    let identity = &board.identity;
    let mut lines = vec![format!("BOARD  {}", identity.model)];
    lines.push(note("agent", &address.to_string()));
    lines.push(note("kind", identity.kind));
    lines.push(note("compatible", &identity.compatible.join(", ")));
    lines.push(note("software", &identity.software));
    lines.extend(power_lines(board, sample));
    lines.push(format!("KNOBS  {} power modes", board.space.len()));
    let knobs = board.space.knobs().iter().enumerate();
    lines.extend(knobs.map(|(place, knob)| knob_line(knob, status, place)));
    lines.push("PRESETS".into());
    for preset in &board.presets {
        lines.push(note(&preset.name, &board.space.describe(preset.mode)));
    }
    lines.push("SENSORS".into());
    for (place, sensor) in board.sensors.iter().enumerate() {
        let value = sample.and_then(|sample| sample.values.get(place));
        lines.push(sensor_line(sensor, value));
    }
    lines.push("STATE".into());
    lines.extend(state_lines(status, SystemTime::now()));
    lines.join("\n")
}

fn power_lines(board: &BoardDescription, sample: Option<&RemoteSample>) -> Vec<String> {
    let total = &board.total_power;
    let mut lines = Vec::new();
    let power = match sample {
        Some(sample) => reading(Quantity::Power, &sample.total_power),
        None => "not read yet".into(),
    };
    let parts = match total.parts.join(" + ") {
        parts if parts.is_empty() => "which no sensor tells".into(),
        parts => parts,
    };
    lines.push(note("total power", &format!("{power} = {parts}")));
    if !total.leaves_out.is_empty() {
        lines.push(note("which leaves out", &total.leaves_out));
    }
    if let Some(sample) = sample {
        let energy = format!(
            "{:.1}J in {} since the agent started, from {} values",
            sample.energy_joules,
            span(sample.energy_covered),
            sample.energy_samples
        );
        lines.push(note("energy", &energy));
    }
    lines
}

fn knob_line(knob: &Knob, status: &Status, place: usize) -> String {
    let [first, .., last] = knob.levels() else {
        let only = knob.levels().first().copied().unwrap_or_default();
        return note(knob.name(), &format!("always {}", level(knob, &Ok(only))));
    };
    let range = format!("{} levels from {first} to {last}", knob.levels().len());
    let shown = status.shown.get(place).map(|shown| level(knob, shown)).unwrap_or_default();
    let wanted = status.wanted.as_ref().and_then(|levels| levels.get(place).copied());
    let wanted = wanted.map(|wanted| format!(", set to {}", level(knob, &Ok(wanted))));
    note(knob.name(), &format!("{range}; shows {shown}{}", wanted.unwrap_or_default()))
}

fn sensor_line(sensor: &Sensor, value: Option<&SensorValue>) -> String {
    let said = value.map_or("not read yet".into(), |value| reading(sensor.quantity, value));
    let refresh = sensor.refresh.map(|refresh| format!("  new every {}", span(refresh)));
    note(&sensor.to_string(), &format!("{said:>10}{}", refresh.unwrap_or_default()))
}

/// The lease, overrides, guard actions and what is still to be put back.
pub(super) fn state_lines(status: &Status, now: SystemTime) -> Vec<String> {
    let lease = match &status.lease {
        None => "free".into(),
        Some(lease) => {
            let left = lease.expires.and_then(|end| end.duration_since(now).ok());
            let left = left.map(|left| format!(", for {}s unless renewed", left.as_secs()));
            format!("{}{}", lease.holder, left.unwrap_or_default())
        }
    };
    let mut lines = vec![note("lease", &lease)];
    lines.extend(status.overrides.iter().map(|other| note("override", &override_in_words(other))));
    for action in &status.guard_actions {
        let time = action.time.map(|time| format!("{} ", time_of_day(time))).unwrap_or_default();
        lines.push(note("guard", &format!("{time}{}", action.reason)));
    }
    if let Some(pending) = &status.restore_pending {
        lines.push(note("still to be put back", pending));
    }
    lines
}

/// `gpu_khz was set to 612000 and shows 306000, by thermal`.
pub(super) fn override_in_words(other: &OverrideReport) -> String {
    let shown = match &other.shown {
        Ok(level) => level.to_string(),
        Err(why) => why.as_str().into(),
    };
    format!("{} was set to {} and shows {shown}, by {}", other.knob, other.wanted, other.suspect)
}
