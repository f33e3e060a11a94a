//! `fulcrum board`: looks at boards and sets their power modes, through their agents.

mod lease;
mod list;
mod modes;
mod set;
mod show;
mod views;
mod wanted_mode;
mod watch;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// The commands of `fulcrum board`.
#[derive(Subcommand)]
pub(crate) enum BoardCommand {
    /// Say which agents answer, and what their boards are doing.
    List(list::ListArgs),
    /// Describe a board: what it is, what can be set, what it tells of itself, who holds it.
    Show(show::ShowArgs),
    /// Print a line a sample.
    Watch(watch::WatchArgs),
    /// Say which power modes a board has.
    Modes(modes::ModesArgs),
    /// Set a power mode and hold it; the board is put back afterwards.
    Set(set::SetArgs),
    /// Say who holds a board, or keep others off it.
    Lease(lease::LeaseArgs),
}

/// Runs one of the commands.
pub(crate) fn run(command: &BoardCommand) -> Result<Exit, Failure> {
    match command {
        BoardCommand::List(args) => list::run(args),
        BoardCommand::Show(args) => show::run(args),
        BoardCommand::Watch(args) => watch::run(args),
        BoardCommand::Modes(args) => modes::run(args),
        BoardCommand::Set(args) => set::run(args),
        BoardCommand::Lease(args) => lease::run(args),
    }
}
