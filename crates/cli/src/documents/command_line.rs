//! docs/reference/command-line.md: every command and every flag.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use super::{cell, hold};
use crate::Cli;

const HEADING: &str = "\
# The command line

Every command of `fulcrum`, and the three processes of a fleet. `COMMAND --help` says the same; a flag's place in the environment or in a file is in [configuration](configuration.md), exit codes are in [errors](errors.md).

Data goes to stdout, talk and progress to stderr. Quantities carry their unit: `30W`, `7500mW`, `800ms`, `1.5s`; a rate is per second: `60` or `60/s`.

This document is made from the code: `make documents` writes it.
";

#[test]
fn the_document_of_the_command_line_is_that_of_the_code() {
    let mut text = HEADING.to_owned();
    for mut command in [
        Cli::command(),
        fulcrum_agent::Config::command(),
        fulcrum_optimizer::Config::command(),
        fulcrum_scheduler::Config::command(),
    ] {
        command.build();
        tell(&command, &mut text);
    }
    hold("command-line.md", &text);
}

/// A section a command, and those below it.
fn tell(command: &Command, text: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about()).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let _ = write!(text, "\n## {name}\n\n{about}\n\n```text\n{usage}\n```\n");
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| {
            !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
        })
        .collect();
    if !arguments.is_empty() {
        text.push_str("\n| argument | meaning | unless given |\n|---|---|---|\n");
        for argument in arguments {
            let (name, meaning, unless) =
                (written(argument), meaning(argument), unless_given(argument));
            let _ = writeln!(text, "| {name} | {} | {} |", cell(&meaning), cell(&unless));
        }
    }
    for below in command.get_subcommands() {
        tell(below, text);
    }
}

/// How an argument is written: `` `-o`, `--output <OUTPUT>` ``.
pub(super) fn written(argument: &Arg) -> String {
    let values = if argument.get_action().takes_values() {
        let names = argument.get_value_names().unwrap_or_default();
        names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ")
    } else {
        String::new()
    };
    let Some(long) = argument.get_long() else { return format!("`{values}`") };
    let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    format!("{short}`{}`", format!("--{long} {values}").trim_end())
}

/// What an argument means, and which values it takes where there are only some.
pub(super) fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut meaning = help.map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && argument.get_action().takes_values())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        let _ = write!(meaning, ": {}", values.join(", "));
    }
    meaning
}

/// What holds where an argument is not given.
pub(super) fn unless_given(argument: &Arg) -> String {
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|value| value.to_string_lossy().into_owned())
        .filter(|value| !value.is_empty())
        .collect();
    if argument.is_required_set() {
        "has to be given".into()
    } else if defaults.is_empty() {
        String::new()
    } else {
        format!("`{}`", defaults.join(","))
    }
}
