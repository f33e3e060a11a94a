//! `fulcrum front`: fronts, which answer every later budget and rate without measuring.

pub(crate) mod build;
mod show;
mod solve;

use clap::Subcommand;

use crate::exit::{EXIT_CODES, Exit, Failure};

/// The commands of `fulcrum front`.
#[derive(Subcommand)]
pub(crate) enum FrontCommand {
    /// Build a front by measuring on a table or a board, and print or write it.
    #[command(after_help = EXIT_CODES)]
    Build(build::BuildArgs),
    /// Say for which workloads the optimizer has fronts.
    Show(show::ShowArgs),
    /// Answer a problem from what the optimizer has stored, without measuring.
    #[command(after_help = EXIT_CODES)]
    Solve(solve::SolveArgs),
}

/// Runs one of the commands.
pub(crate) fn run(command: &FrontCommand) -> Result<Exit, Failure> {
    match command {
        FrontCommand::Build(args) => build::run(args),
        FrontCommand::Show(args) => show::run(args),
        FrontCommand::Solve(args) => solve::run(args),
    }
}
