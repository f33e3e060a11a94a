//! `fulcrum board list`: one row an agent.

use std::io::Write as _;

use clap::Args;
use fulcrum_api::{Address, BoardDescription, RemoteSample};
use fulcrum_board::Quantity;
use serde::Serialize;
use tokio::task::JoinSet;

use super::views;
use crate::agents::{Agent, ManyAgents, Status, wait_for};
use crate::exit::{Exit, Failure};
use crate::output::readings::reading;
use crate::output::{Format, table};

/// Arguments of `fulcrum board list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    agents: ManyAgents,
    /// How to print the list
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// An agent that answered.
struct Answered {
    board: BoardDescription,
    sample: Option<RemoteSample>,
    status: Status,
}

#[derive(Serialize)]
struct RowView {
    agent: String,
    reachable: bool,
    problem: Option<String>,
    board: Option<views::IdentityView>,
    modes: Option<usize>,
    total_power_w: Option<f64>,
    lease: Option<views::LeaseView>,
}

/// Asks every agent at once and prints what each says, or why it does not.
pub(crate) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let rows = wait_for(ask_all(&args.agents.addresses))?;
    let text = match args.output {
        Format::Table => table(&for_people(&rows)),
        Format::Json => serde_json::to_string_pretty(
            &rows.iter().map(|(address, row)| for_programs(address, row)).collect::<Vec<_>>(),
        )?,
    };
    writeln!(std::io::stdout(), "{text}")?;
    let all = rows.iter().all(|(_, row)| row.is_ok());
    Ok(if all { Exit::Solved } else { Exit::Unreachable })
}

type Row = (Address, Result<Answered, Failure>);

async fn ask_all(addresses: &[Address]) -> Result<Vec<Row>, Failure> {
    let mut asked = JoinSet::new();
    for (place, address) in addresses.iter().cloned().enumerate() {
        asked.spawn(async move { (place, ask(&address).await) });
    }
    let mut answers: Vec<Option<_>> = addresses.iter().map(|_| None).collect();
    while let Some(answer) = asked.join_next().await {
        let (place, answer) = answer?;
        answers[place] = Some(answer);
    }
    Ok(addresses.iter().cloned().zip(answers.into_iter().flatten()).collect())
}

async fn ask(address: &Address) -> Result<Answered, Failure> {
    let mut agent = Agent::reach(address).await?;
    let board = agent.board().await?;
    let sample = agent.sample(&board).await?;
    let status = agent.status(&board.space).await?;
    Ok(Answered { board, sample, status })
}

fn for_people(rows: &[Row]) -> Vec<Vec<String>> {
    let header = ["agent", "board", "kind", "modes", "power", "lease"];
    let row = |(address, row): &Row| match row {
        Ok(Answered { board, sample, status }) => vec![
            address.to_string(),
            board.identity.model.clone(),
            board.identity.kind.to_owned(),
            board.space.len().to_string(),
            sample
                .as_ref()
                .map_or("not yet".into(), |sample| reading(Quantity::Power, &sample.total_power)),
            status.lease.as_ref().map_or("free".into(), |lease| lease.holder.clone()),
        ],
        Err(failure) => {
            let mut cells = vec![address.to_string(), failure.message().unwrap_or_default()];
            cells.resize(header.len(), String::new());
            cells
        }
    };
    let header = header.map(str::to_owned).to_vec();
    std::iter::once(header).chain(rows.iter().map(row)).collect()
}

fn for_programs(address: &Address, row: &Result<Answered, Failure>) -> RowView {
    let answered = row.as_ref().ok();
    let power = answered.and_then(|answered| answered.sample.as_ref()?.total_power.clone().ok());
    RowView {
        agent: address.to_string(),
        reachable: answered.is_some(),
        problem: row.as_ref().err().and_then(Failure::message),
        board: answered.map(|answered| views::identity(&answered.board)),
        modes: answered.map(|answered| answered.board.space.len()),
        total_power_w: power,
        lease: answered.and_then(|answered| answered.status.lease.as_ref().map(views::lease)),
    }
}
