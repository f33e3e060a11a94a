//! `fulcrum fleet list`: a row a board.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::Args;
use fulcrum_api::{SchedulerClient, v1};
use tonic::Status;

use crate::agents::{interrupted, wait_for};
use crate::exit::{Exit, Failure};
use crate::job::{BoardView, short, window_words};
use crate::output::{Format, print, table};
use crate::services::OneScheduler;

/// How often the list is printed anew.
const ANEW: Duration = Duration::from_secs(1);
/// Moves to the top of a terminal and clears it.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Arguments of `fulcrum fleet list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    scheduler: OneScheduler,
    /// Print the list every second until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    /// How to print the list
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Prints all boards.
pub(crate) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    wait_for(async {
        let mut client = args.scheduler.reach().await?;
        loop {
            let boards = all_boards(&mut client).await;
            let boards = boards.map_err(|status| args.scheduler.refused(&status))?;
            if args.output == Format::Json {
                let boards: Vec<BoardView> = boards.iter().map(BoardView::from).collect();
                print(&serde_json::to_string_pretty(&boards)?)?;
            } else {
                if args.watch && std::io::stdout().is_terminal() {
                    write!(std::io::stdout(), "{CLEAR}")?;
                }
                print(&board_table(&boards))?;
            }
            if !args.watch {
                return Ok(Exit::Solved);
            }
            tokio::select! {
                () = tokio::time::sleep(ANEW) => {}
                caught = interrupted() => {
                    caught?;
                    return Ok(Exit::Solved);
                }
            }
        }
    })
}

/// All boards of a fleet, by name.
pub(crate) async fn all_boards(
    client: &mut SchedulerClient,
) -> Result<Vec<v1::BoardStanding>, Status> {
    let mut boards = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListBoardsRequest { page_size: 10_000, page_token };
        let page = client.list_boards(request).await?.into_inner();
        boards.extend(page.boards);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(boards);
        }
    }
}

/// Boards for people.
pub(crate) fn board_table(boards: &[v1::BoardStanding]) -> String {
    let header = ["board", "state", "job", "budget", "now"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(boards.iter().map(|standing| {
        let board = standing.board.clone().unwrap_or_default();
        let now = match (&standing.window, standing.state.as_str()) {
            (Some(window), "running") => window_words(window),
            _ => standing.message.clone(),
        };
        vec![
            short(&board.name).to_owned(),
            standing.state.clone(),
            short(&standing.job).to_owned(),
            standing.budget_watts.map(|watts| format!("{watts:.1}W")).unwrap_or_default(),
            now,
        ]
    }));
    table(&rows)
}
