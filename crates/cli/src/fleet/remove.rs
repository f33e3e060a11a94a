//! `fulcrum fleet remove`: lets a board go.

use clap::Args;
use fulcrum_api::v1;
use fulcrum_service::new_id;

use super::resource;
use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::job::short;
use crate::output::print;
use crate::services::OneScheduler;

/// Arguments of `fulcrum fleet remove`.
#[derive(Args)]
pub(crate) struct RemoveArgs {
    /// The board's name
    #[arg(value_name = "BOARD")]
    name: String,
    #[command(flatten)]
    scheduler: OneScheduler,
}

/// Lets the board go.
pub(crate) fn run(args: &RemoveArgs) -> Result<Exit, Failure> {
    wait_for(async {
        let mut client = args.scheduler.reach().await?;
        let request = v1::RemoveBoardRequest { name: resource(&args.name), request_id: new_id() };
        let answer = client.remove_board(request);
        answer.await.map(drop).map_err(|status| args.scheduler.refused(&status))
    })?;
    print(&format!("{}: not in the fleet", short(&args.name)))?;
    Ok(Exit::Solved)
}
