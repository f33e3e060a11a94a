//! `fulcrum profile list`: a row a profile.

use std::io::Write as _;

use clap::Args;

use super::Filter;
use super::row::Row;
use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::output::{Format, print, table};
use crate::services::OneOptimizer;

/// Arguments of `fulcrum profile list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    optimizer: OneOptimizer,
    #[command(flatten)]
    filter: Filter,
    /// Show at most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// How to print the list
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Prints the profiles that were kept first, and says when there are more.
pub(crate) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let page = wait_for(async {
        let mut client = args.optimizer.reach().await?;
        let request = args.filter.page(args.limit, String::new());
        let answer = client.list_profiles(request).await;
        answer.map(tonic::Response::into_inner).map_err(|s| args.optimizer.refused(&s))
    })?;
    let more = !page.next_page_token.is_empty() && page.profiles.len() == args.limit as usize;
    match args.output {
        Format::Json => {
            let rows: Vec<Row> = page.profiles.into_iter().map(Row::from).collect();
            print(&serde_json::to_string_pretty(&rows)?)?;
        }
        Format::Table => {
            let header = ["board", "workload", "kind", "batch", "minibatch", "power", "mode", ""];
            let row = |profile: &fulcrum_api::v1::StoredProfile| {
                let time = profile.minibatch_seconds.map(|s| format!("{:.1}ms", 1e3 * s));
                let power = profile.power_watts.map(|watts| format!("{watts:.1}W"));
                vec![
                    profile.board_model.clone(),
                    profile.workload.clone(),
                    profile.kind.clone(),
                    profile.batch_size.to_string(),
                    time.unwrap_or_else(|| "-".into()),
                    power.unwrap_or_else(|| "-".into()),
                    profile.mode.clone(),
                    if profile.suspect { "suspect".into() } else { profile.failure.clone() },
                ]
            };
            let mut rows = vec![header.map(str::to_owned).to_vec()];
            rows.extend(page.profiles.iter().map(row));
            print(&table(&rows))?;
        }
    }
    if more {
        let said = "there may be more; --limit shows up to 10000, `fulcrum profile export` all";
        writeln!(std::io::stderr(), "{said}")?;
    }
    Ok(Exit::Solved)
}
