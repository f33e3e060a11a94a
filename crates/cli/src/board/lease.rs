//! `fulcrum board lease`: who holds a board, and holding it without setting anything.

use std::io::Write as _;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use fulcrum_domain::Seconds;

use super::show::state_lines;
use super::views;
use crate::agents::{Agent, Lease, OneAgent, holder, interrupted, wait_for};
use crate::arguments::duration;
use crate::exit::{Exit, Failure};
use crate::output::Format;

/// Arguments of `fulcrum board lease`.
#[derive(Args)]
pub(crate) struct LeaseArgs {
    #[command(subcommand)]
    command: LeaseCommand,
}

#[derive(Subcommand)]
enum LeaseCommand {
    /// Say who holds the board and until when.
    Show(LeaseShowArgs),
    /// Keep others off the board, without setting anything.
    Hold(LeaseHoldArgs),
}

#[derive(Args)]
struct LeaseShowArgs {
    #[command(flatten)]
    agent: OneAgent,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Args)]
struct LeaseHoldArgs {
    #[command(flatten)]
    agent: OneAgent,
    /// Hold it this long; until Ctrl-C unless given
    #[arg(long = "for", value_name = "TIME")]
    hold: Option<Seconds>,
    /// Why, for those who find the board held
    #[arg(long, value_name = "TEXT", default_value = "board lease")]
    reason: String,
}

/// Shows or holds the lease.
pub(crate) fn run(args: &LeaseArgs) -> Result<Exit, Failure> {
    match &args.command {
        LeaseCommand::Show(args) => show(args),
        LeaseCommand::Hold(args) => wait_for(async {
            let agent = Agent::reach(&args.agent.address).await?;
            let lease = Lease::take(&agent, holder(&args.reason)).await?;
            hold(lease, args.hold).await?;
            Ok(Exit::Solved)
        }),
    }
}

fn show(args: &LeaseShowArgs) -> Result<Exit, Failure> {
    let (board, status) = wait_for(async {
        let mut agent = Agent::reach(&args.agent.address).await?;
        let board = agent.board().await?;
        let status = agent.status(&board.space).await?;
        Ok((board, status))
    })?;
    let text = match args.output {
        Format::Table => state_lines(&status, SystemTime::now())
            .iter()
            .map(|line| line.trim_start())
            .collect::<Vec<_>>()
            .join("\n"),
        Format::Json => serde_json::to_string_pretty(&views::status(&board.space, &status))?,
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(Exit::Solved)
}

/// Holds a lease for a time or until the user interrupts, then gives the board back.
pub(super) async fn hold(mut lease: Lease, time: Option<Seconds>) -> Result<(), Failure> {
    let said = match time {
        Some(time) => format!("holding the board for {time}; Ctrl-C gives it back at once"),
        None => "holding the board; Ctrl-C gives it back".to_owned(),
    };
    writeln!(std::io::stderr(), "{said}")?;
    let over = async {
        match time {
            Some(time) => tokio::time::sleep(duration(time)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => {}
        stop = interrupted() => stop?,
        failure = lease.lost() => return Err(failure),
    }
    lease.release().await?;
    writeln!(std::io::stderr(), "given back: the board is as it was found")?;
    Ok(())
}
