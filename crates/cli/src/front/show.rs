//! `fulcrum front show`: a row a front that is stored.

use clap::Args;
use fulcrum_api::v1;
use serde::Serialize;

use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::output::{Format, print, table};
use crate::services::OneOptimizer;

/// Arguments of `fulcrum front show`.
#[derive(Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    optimizer: OneOptimizer,
    /// How to print the list
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Serialize)]
struct FrontView {
    board_model: String,
    software: String,
    background: Option<String>,
    infer: Option<String>,
    strategy: String,
    measurements: u32,
}

impl From<v1::StoredFront> for FrontView {
    fn from(front: v1::StoredFront) -> Self {
        let named = |name: String| Some(name).filter(|name| !name.is_empty());
        Self {
            board_model: front.board_model,
            software: front.software,
            background: named(front.background),
            infer: named(front.urgent),
            strategy: front.strategy,
            measurements: front.measurements,
        }
    }
}

/// Prints the fronts.
pub(crate) fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let fronts = wait_for(async {
        let mut client = args.optimizer.reach().await?;
        let answer = client.list_fronts(v1::ListFrontsRequest {}).await;
        let fronts = answer.map_err(|status| args.optimizer.refused(&status))?.into_inner().fronts;
        Ok(fronts.into_iter().map(FrontView::from).collect::<Vec<_>>())
    })?;
    if args.output == Format::Json {
        print(&serde_json::to_string_pretty(&fronts)?)?;
        return Ok(Exit::Solved);
    }
    let header = ["board", "software", "background", "infer", "strategy", "measurements"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(fronts.into_iter().map(|front| {
        let named = |name: Option<String>| name.unwrap_or_else(|| "-".into());
        vec![
            front.board_model,
            front.software,
            named(front.background),
            named(front.infer),
            front.strategy,
            front.measurements.to_string(),
        ]
    }));
    print(&table(&rows))?;
    Ok(Exit::Solved)
}
