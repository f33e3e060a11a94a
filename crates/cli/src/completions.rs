//! `fulcrum completions`: what lets a shell complete the command.

use std::io::Write as _;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::exit::{Exit, Failure};

/// Arguments of `fulcrum completions`.
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the completions of a shell.
pub(crate) fn run(args: &CompletionsArgs, command: &mut Command) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    generate(args.shell, command, "fulcrum", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(Exit::Solved)
}
