//! docs/reference/configuration.md: every setting, and where it may come from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use super::command_line::{meaning, unless_given, written};
use super::{cell, hold};
use crate::Cli;
use crate::job::JobFile;

const HEADING: &str = "\
# Configuration

A setting may be a flag, a variable of the environment, or, of the agent, an entry of a file. A flag wins over the environment, the environment over the file, the file over the default.

`fulcrum-agent --print-config` prints every setting in force, each with where it comes from, and ends. The packages keep settings in `/etc/fulcrum`: `agent.toml`, and `optimizer.env` and `scheduler.env`, which are variables of the environment.

This document is made from the code: `make documents` writes it.
";

const WORKLOADS: &str = "
## Programs that take turns

The SDKs for Rust and Python take these where the program says nothing else.

| environment | meaning | unless given |
|---|---|---|
| `FULCRUM_WORKER_SOCKET` | The agent's socket for workers | `/run/fulcrum/workers.sock` |
";

const JOBS: &str = "
## The file of a job

What `fulcrum job submit` takes, in TOML. A quantity is in quotes and carries its unit. `train` and `background-infer` exclude each other; with `infer` come `rate` and `latency`.

| key | meaning | unless given |
|---|---|---|
";

/// Each key of a job's file, what it means, and what holds without it.
const JOB_KEYS: [(&str, &str, &str); 14] = [
    ("name", "The job's name: 1 to 63 lower-case letters, digits and hyphens", "has to be given"),
    ("train", "Workload to train", "nothing is trained"),
    ("infer", "Workload whose inference requests arrive", "no requests are expected"),
    ("background-infer", "Workload that infers in whatever time is left, in place of training", ""),
    ("rate", "Arrival rate of the requests, a second: `60/s`", ""),
    ("latency", "Latency budget, from a request to its answer: `800ms`", ""),
    ("power", "Power budget of each board: `30W`", "has to be given"),
    (
        "most-utilisation",
        "The largest share of time that inference may take: `0.7`",
        "0.7 where requests come irregularly, else 1",
    ),
    ("arrivals", "How requests come: `constant`, `poisson` or `bursty`", "`poisson`"),
    ("alternate", "How the workloads take turns: `strict` or `slack-aware`", "`slack-aware`"),
    ("strategy", "How to search for a plan that is not known: `als`, `guided`, `gmd`", "`als`"),
    ("boards", "The boards to run on: those that have all of these labels", "all boards"),
    ("board-count", "On at most so many of them", "all of them"),
    (
        "at-a-time",
        "Change one board first, then so many at a time; no further one as soon as one breaks its budgets",
        "all at once",
    ),
];

#[test]
fn the_document_of_settings_is_that_of_the_code() {
    let mut text = HEADING.to_owned();
    tell("fulcrum-agent", &fulcrum_agent::Config::command(), true, &mut text);
    tell("fulcrum-optimizer", &fulcrum_optimizer::Config::command(), false, &mut text);
    tell("fulcrum-scheduler", &fulcrum_scheduler::Config::command(), false, &mut text);
    tell_command(&mut text);
    text.push_str(WORKLOADS);
    text.push_str(JOBS);
    for (key, meaning, unless) in JOB_KEYS {
        let _ = writeln!(text, "| `{key}` | {meaning} | {unless} |");
    }
    hold("configuration.md", &text);
}

#[test]
fn the_keys_of_a_jobs_file_are_those_it_may_have() {
    let (_, problem) = JobFile::parse("no-such-key = 1").expect_err("there is no such key");
    let known: Vec<&str> = problem.split('`').skip(3).step_by(2).collect();
    assert_eq!(known, JOB_KEYS.map(|(key, ..)| key), "{problem}");
}

/// What a process can be told.
fn tell(process: &str, command: &Command, has_file: bool, text: &mut String) {
    let file = if has_file { "file | " } else { "" };
    let _ = write!(
        text,
        "\n## {process}\n\n| flag | environment | {file}meaning | unless given |\n|---|---|{}---|---|\n",
        if has_file { "---|" } else { "" }
    );
    for argument in command.get_arguments() {
        let (Some(name), Some(variable)) = (argument.get_long(), variable(argument)) else {
            continue;
        };
        let entry = match name {
            _ if !has_file => String::new(),
            "config" => " |".into(),
            name => format!(" `{name}` |"),
        };
        let (flag, meaning) = (written(argument), cell(&meaning(argument)));
        let unless = cell(&unless_given(argument));
        let _ = writeln!(text, "| {flag} | `{variable}` |{entry} {meaning} | {unless} |");
    }
}

/// What the command can be told by the environment, whichever of its commands asks for it.
fn tell_command(text: &mut String) {
    let mut told = BTreeMap::new();
    let mut command = Cli::command();
    command.build();
    gather(&command, &mut told);
    text.push_str(
        "\n## fulcrum\n\n| environment | flag | meaning | unless given |\n|---|---|---|---|\n",
    );
    for (variable, (flag, meaning, unless)) in told {
        let _ = writeln!(text, "| `{variable}` | {flag} | {meaning} | {unless} |");
    }
    text.push_str("| `NO_COLOR` |  | `fulcrum top` shows no colours |  |\n");
}

fn gather(command: &Command, told: &mut BTreeMap<String, (String, String, String)>) {
    for argument in command.get_arguments() {
        if let Some(variable) = variable(argument) {
            let row = (written(argument), cell(&meaning(argument)), cell(&unless_given(argument)));
            told.entry(variable).or_insert(row);
        }
    }
    command.get_subcommands().for_each(|below| gather(below, told));
}

fn variable(argument: &Arg) -> Option<String> {
    argument.get_env().map(|variable| variable.to_string_lossy().into_owned())
}
