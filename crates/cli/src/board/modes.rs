//! `fulcrum board modes`: the space of a board's power modes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use fulcrum_api::BoardDescription;
use fulcrum_domain::{ModeId, ModeSpace};
use serde::Serialize;

use super::views;
use crate::agents::{Agent, OneAgent, wait_for};
use crate::arguments::at_least_one;
use crate::exit::{Exit, Failure};
use crate::output::table;

/// Arguments of `fulcrum board modes`.
#[derive(Args)]
pub(crate) struct ModesArgs {
    #[command(flatten)]
    agent: OneAgent,
    /// List the modes that meet a condition: `gpu_khz>=612000`; may be given again
    #[arg(long, value_name = "CONDITION")]
    filter: Vec<Condition>,
    /// List at most so many modes
    #[arg(long, value_name = "COUNT", value_parser = at_least_one)]
    limit: Option<usize>,
    /// How to print the modes
    #[arg(short, long, value_enum, default_value_t = ModesFormat::Table)]
    output: ModesFormat,
}

/// How to print modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModesFormat {
    /// For people; single modes only with --filter or --limit
    Table,
    /// For programs
    Json,
    /// One row a mode, one column a knob
    Csv,
}

/// A condition on a knob's level.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    knob: String,
    comparison: &'static str,
    level: f64,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no condition; write it like gpu_khz>=612000");
        // The longer signs first: `<=` begins like `<`.
        let sign = [">=", "<=", "=", ">", "<"].into_iter().find(|sign| text.contains(sign));
        let sign = sign.ok_or_else(wrong)?;
        let (knob, level) = text.split_once(sign).ok_or_else(wrong)?;
        let level = level.trim().parse().map_err(|_| wrong())?;
        Ok(Self { knob: knob.trim().to_owned(), comparison: sign, level })
    }
}

impl Condition {
    fn holds(&self, level: f64) -> bool {
        match self.comparison {
            ">=" => level >= self.level,
            "<=" => level <= self.level,
            ">" => level > self.level,
            "<" => level < self.level,
            _ => level == self.level,
        }
    }
}

#[derive(Serialize)]
struct ModesView {
    modes: usize,
    knobs: Vec<views::KnobView>,
    presets: Vec<views::PresetView>,
    matching: usize,
    listed: Vec<views::ModeView>,
}

/// Prints the space, and the modes that were asked for.
pub(crate) fn run(args: &ModesArgs) -> Result<Exit, Failure> {
    let board = wait_for(async { Agent::reach(&args.agent.address).await?.board().await })?;
    let space = &board.space;
    let matching = matching(space, &args.filter)?;
    let listed = &matching[..args.limit.unwrap_or(usize::MAX).min(matching.len())];
    let some = !args.filter.is_empty() || args.limit.is_some();
    let text = match args.output {
        ModesFormat::Table if some => {
            let mut text = table(&rows(space, listed));
            let _ = write!(text, "\n{} of {} modes", listed.len(), space.len());
            text
        }
        ModesFormat::Table => of_space(&board),
        ModesFormat::Csv => {
            rows(space, listed).iter().map(|row| row.join(",")).collect::<Vec<_>>().join("\n")
        }
        ModesFormat::Json => serde_json::to_string_pretty(&ModesView {
            modes: space.len(),
            knobs: space.knobs().iter().map(views::knob).collect(),
            presets: views::presets(&board),
            matching: matching.len(),
            listed: listed.iter().filter(|_| some).map(|&m| views::mode(space, m)).collect(),
        })?,
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(Exit::Solved)
}

fn matching(space: &ModeSpace, conditions: &[Condition]) -> Result<Vec<ModeId>, Failure> {
    let places: Vec<usize> = conditions
        .iter()
        .map(|condition| {
            let names = space.knobs().iter().map(fulcrum_domain::Knob::name);
            names.clone().position(|name| name == condition.knob).ok_or_else(|| {
                Failure::bad_input(format_args!(
                    "--filter: the board has no knob `{}`; it has {}",
                    condition.knob,
                    names.collect::<Vec<_>>().join(", ")
                ))
            })
        })
        .collect::<Result<_, _>>()?;
    let meets = |mode: &ModeId| {
        let mut all = conditions.iter().zip(&places);
        all.all(|(condition, &knob)| condition.holds(space.level(*mode, knob)))
    };
    Ok(space.ids().filter(meets).collect())
}

fn rows(space: &ModeSpace, modes: &[ModeId]) -> Vec<Vec<String>> {
    let header = space.knobs().iter().map(|knob| knob.name().to_owned()).collect();
    let row = |&mode: &ModeId| space.levels(mode).map(|level| level.to_string()).collect();
    std::iter::once(header).chain(modes.iter().map(row)).collect()
}

/// The knobs with all their levels, and the presets.
fn of_space(board: &BoardDescription) -> String {
    let space = &board.space;
    let combinations: usize = space.knobs().iter().map(|knob| knob.levels().len()).product();
    let holes = match combinations - space.len() {
        0 => "every combination".into(),
        holes => format!("all but {holes} combinations"),
    };
    let mut lines = vec![format!("{} power modes: {holes} of these levels", space.len())];
    for knob in space.knobs() {
        let levels = knob.levels().iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        lines.push(format!("  {:<12}  {levels}", knob.name()));
    }
    if !board.presets.is_empty() {
        lines.push("The vendor's, by name:".into());
    }
    for preset in &board.presets {
        lines.push(format!("  {:<12}  {}", preset.name, space.power_mode(preset.mode)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_knob_a_sign_and_a_level() {
        let condition: Condition = "gpu_khz >= 612000".parse().unwrap();
        assert!(condition.holds(612_000.0) && !condition.holds(611_999.0));
        let condition: Condition = "cpu_cores=8".parse().unwrap();
        assert!(condition.holds(8.0) && !condition.holds(4.0));
        let condition: Condition = "cpu_cores<8".parse().unwrap();
        assert!(condition.holds(4.0) && !condition.holds(8.0));
        for text in ["", "gpu_khz", "gpu_khz>=", "gpu_khz>=fast"] {
            assert!(text.parse::<Condition>().unwrap_err().contains("gpu_khz>=612000"));
        }
    }
}
