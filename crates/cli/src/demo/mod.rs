//! `fulcrum demo`: the main job, in a minute.

mod comparison;
mod fleet;
mod further;
mod one_board;

use clap::Args;

use crate::exit::{Exit, Failure};

/// Arguments of `fulcrum demo`.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Show a search on one board, and no fleet
    #[arg(long)]
    one_board: bool,
    /// What everything random follows from: a board's noise and the searches
    #[arg(long, default_value_t = 1, requires = "one_board")]
    seed: u64,
}

/// Shows a fleet of three simulated boards, or what a search does on one.
pub(crate) fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    if args.one_board { one_board::run(args.seed) } else { fleet::run() }
}
