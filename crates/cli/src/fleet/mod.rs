//! `fulcrum fleet`: the boards that jobs run on.

mod add;
mod list;
mod power;
mod remove;

use clap::Subcommand;

pub(crate) use list::{all_boards, board_table};

use crate::exit::{Exit, Failure};

/// The commands of `fulcrum fleet`.
#[derive(Subcommand)]
pub(crate) enum FleetCommand {
    /// Say how all boards stand; with --watch again and again.
    List(list::ListArgs),
    /// Take a board into the fleet, or change it.
    Add(add::AddArgs),
    /// Let a board go; it is given back.
    Remove(remove::RemoveArgs),
    /// Say or set what all boards together may draw.
    Power(power::PowerArgs),
}

/// Runs one of the commands.
pub(crate) fn run(command: &FleetCommand) -> Result<Exit, Failure> {
    match command {
        FleetCommand::List(args) => list::run(args),
        FleetCommand::Add(args) => add::run(args),
        FleetCommand::Remove(args) => remove::run(args),
        FleetCommand::Power(args) => power::run(args),
    }
}

/// A board's name as the scheduler has it; people may leave its kind out.
fn resource(name: &str) -> String {
    if name.starts_with("boards/") { name.to_owned() } else { format!("boards/{name}") }
}
