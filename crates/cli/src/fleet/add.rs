//! `fulcrum fleet add`: takes a board into the fleet.

use clap::Args;
use fulcrum_api::{Address, v1};
use fulcrum_service::new_id;

use super::resource;
use crate::agents::{address, wait_for};
use crate::exit::{Exit, Failure};
use crate::job::short;
use crate::output::print;
use crate::services::OneScheduler;

/// Arguments of `fulcrum fleet add`.
#[derive(Args)]
pub(crate) struct AddArgs {
    /// The board's name: lower-case letters, digits and hyphens
    #[arg(value_name = "BOARD")]
    name: String,
    /// Its agent, as the scheduler and the optimizer reach it
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    agent: Address,
    /// What jobs choose boards by: site=lab; may be given again
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Table to measure on in the agent's place, for a simulated board: simulated-orin-agx
    #[arg(long, value_name = "NAME", default_value = "")]
    stand_in: String,
    /// The board runs the workers of its jobs by itself: a simulated one can
    #[arg(long)]
    simulate: bool,
    /// Where the agent serves its metrics, for Prometheus to find them: jetson-7:9600
    #[arg(long, value_name = "HOST:PORT", default_value = "")]
    metrics: String,
    #[command(flatten)]
    scheduler: OneScheduler,
}

fn label(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = split.ok_or_else(|| format!("`{text}` is not like site=lab"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Registers the board.
pub(crate) fn run(args: &AddArgs) -> Result<Exit, Failure> {
    let board = v1::FleetBoard {
        name: resource(&args.name),
        address: args.agent.to_string(),
        labels: args.labels.iter().cloned().collect(),
        stand_in: args.stand_in.clone(),
        simulate: args.simulate,
        metrics: args.metrics.clone(),
    };
    let board = wait_for(async {
        let mut client = args.scheduler.reach().await?;
        let request = v1::RegisterBoardRequest {
            board: Some(board),
            request_id: new_id(),
            ..Default::default()
        };
        let answer = client.register_board(request).await;
        let answer = answer.map_err(|status| args.scheduler.refused(&status))?;
        Ok(answer.into_inner().board.unwrap_or_default())
    })?;
    print(&format!("{}: in the fleet, at {}", short(&board.name), board.address))?;
    Ok(Exit::Solved)
}
