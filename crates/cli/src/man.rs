//! `fulcrum man`: the manual pages, for whoever makes packages.

use std::fs::create_dir_all;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::generate_to;

use crate::exit::{Exit, Failure};

/// Arguments of `fulcrum man`.
#[derive(Args)]
pub(crate) struct ManArgs {
    /// Folder to write them to, which is made if it is not there
    folder: PathBuf,
}

/// Writes a page for each command, and one for the agent and each service.
pub(crate) fn run(args: &ManArgs, command: Command) -> Result<Exit, Failure> {
    let failed = |error| Failure::of_file("FOLDER", &args.folder, &error);
    create_dir_all(&args.folder).map_err(failed)?;
    let agent = fulcrum_agent::Config::command();
    let optimizer = fulcrum_optimizer::Config::command();
    let scheduler = fulcrum_scheduler::Config::command();
    for command in [command, agent, optimizer, scheduler] {
        generate_to(command, &args.folder).map_err(failed)?;
    }
    Ok(Exit::Solved)
}
