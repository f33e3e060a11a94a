//! `fulcrum board set`: sets a power mode, holds it, and gives the board back.

use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use fulcrum_api::BoardDescription;
use fulcrum_domain::ModeSpace;
use fulcrum_domain::Seconds;

use super::show::override_in_words;
use super::views;
use super::wanted_mode::wanted_mode;
use crate::agents::{Agent, Lease, ModeReport, OneAgent, holder, wait_for};
use crate::board::lease::hold;
use crate::exit::{Exit, Failure};
use crate::output::readings::level;
use crate::output::{Format, table};

/// Arguments of `fulcrum board set`.
#[derive(Args)]
pub(crate) struct SetArgs {
    /// A preset's name, or levels: `cpu_cores=8,gpu_khz=612000`; knobs that are not named stay
    mode: String,
    #[command(flatten)]
    agent: OneAgent,
    /// Hold the mode this long; until Ctrl-C unless given
    #[arg(long = "for", value_name = "TIME")]
    hold: Option<Seconds>,
    /// Wait until the power is steady before saying what the board shows, but no longer than this
    #[arg(long, value_name = "TIME", conflicts_with = "dry_run")]
    settle: Option<Seconds>,
    /// Check the mode and say what would be done, without doing it or borrowing the board
    #[arg(long)]
    dry_run: bool,
    /// How to print what came of it
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Sets the mode, says what the board shows, holds it and gives the board back.
pub(crate) fn run(args: &SetArgs) -> Result<Exit, Failure> {
    wait_for(async {
        let mut agent = Agent::reach(&args.agent.address).await?;
        let board = agent.board().await?;
        let status = agent.status(&board.space).await?;
        let mode = wanted_mode(&args.mode, &board, &status.shown).map_err(Failure::bad_input)?;
        if args.dry_run {
            let report = agent.set("", &board.space, mode, true, None).await?;
            print(args, &board, &report)?;
            return Ok(Exit::Solved);
        }
        let lease = Lease::take(&agent, holder("board set")).await?;
        let settle = args.settle.map(|time| Duration::from_secs_f64(time.get()));
        let report = match agent.set(lease.token(), &board.space, mode, false, settle).await {
            Ok(report) => report,
            Err(failure) => {
                // Part of the mode may be in force; the agent puts it back.
                lease.release().await?;
                return Err(failure);
            }
        };
        if let Err(failure) = print(args, &board, &report) {
            lease.release().await?;
            return Err(failure);
        }
        hold(lease, args.hold).await?;
        Ok(Exit::Solved)
    })
}

fn print(args: &SetArgs, board: &BoardDescription, report: &ModeReport) -> Result<(), Failure> {
    let text = match args.output {
        Format::Table => for_people(&board.space, report, args),
        Format::Json => {
            serde_json::to_string_pretty(&views::mode_report(&board.space, report, args.dry_run))?
        }
    };
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn for_people(space: &ModeSpace, report: &ModeReport, args: &SetArgs) -> String {
    let SetArgs { dry_run, settle, .. } = *args;
    let header = ["knob", "requested", "applied", if dry_run { "shows now" } else { "shows" }, ""];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for (place, knob) in space.knobs().iter().enumerate() {
        let observed = report.observed.get(place);
        rows.push(vec![
            knob.name().to_owned(),
            report.requested[place].to_string(),
            report.applied[place].to_string(),
            match observed {
                Some(Ok(shown)) => shown.to_string(),
                Some(Err(why)) => why.as_str().into(),
                None => String::new(),
            },
            observed.map(|shown| level(knob, shown)).unwrap_or_default(),
        ]);
    }
    let mut text = table(&rows);
    if !dry_run {
        for other in &report.overrides {
            text = format!("{text}\noverridden: {}", override_in_words(other));
        }
    }
    match (settle, report.settled_after) {
        (None, _) => {}
        (Some(_), Some(after)) => {
            text = format!("{text}\nsettled after {}", Seconds::new(after.as_secs_f64()));
        }
        (Some(within), None) => text = format!("{text}\nnot settled within {within}"),
    }
    text
}
