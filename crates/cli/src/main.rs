//! `fulcrum`: finds the power mode, the batch size and the way training and inference alternate
//! that train fastest within a latency and a power budget.
//!
//! Data goes to stdout, talk and progress to stderr; the exit codes are those of [`exit`].

mod access;
mod agents;
mod arguments;
mod board;
mod completions;
mod demo;
mod doctor;
#[cfg(test)]
mod documents;
mod evaluate;
mod evaluate_turns;
mod exit;
mod fleet;
mod front;
mod job;
mod man;
mod measuring;
mod output;
mod plan;
mod profile;
mod progress;
mod run;
mod services;
mod top;
mod up;
mod verified;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use fulcrum_credentials::Credentials;

use crate::exit::{EXIT_CODES, Exit, Failure};

/// Finds the power mode, the batch size and the way training and inference alternate that train
/// fastest within a latency and a power budget, measuring as little as possible.
#[derive(Parser)]
#[command(name = "fulcrum", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    /// Folder of ca.pem, and of cert.pem and key.pem or a token: whom to believe, and as whom to call
    #[arg(long, env = "FULCRUM_CREDENTIALS", value_name = "DIR", global = true)]
    credentials: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find the plan for one problem.
    #[command(after_help = EXIT_CODES)]
    Plan(plan::PlanArgs),
    /// Run a plan on a board for a while, and report what came of it.
    #[command(after_help = EXIT_CODES)]
    Run(run::RunArgs),
    /// Score strategies over the problems of a profile table.
    #[command(after_help = EXIT_CODES)]
    Evaluate(evaluate::EvaluateArgs),
    /// Hold the best plans of a table's pairs against virtual time
    EvaluateTurns(evaluate_turns::EvaluateTurnsArgs),
    /// Build, show and ask fronts, which answer every later budget and rate without measuring.
    #[command(subcommand, after_help = EXIT_CODES)]
    Front(front::FrontCommand),
    /// Show the main job on a simulated board, in seconds.
    Demo(demo::DemoArgs),
    /// Run a whole fleet in this process: optimizer, scheduler and simulated boards, with SQLite.
    Up(up::UpArgs),
    /// Declare jobs on the boards of a fleet, and see what becomes of them.
    #[command(subcommand, after_help = EXIT_CODES)]
    Job(job::JobCommand),
    /// See and change which boards a fleet has, and what they may draw together.
    #[command(subcommand, after_help = EXIT_CODES)]
    Fleet(fleet::FleetCommand),
    /// Look at boards and set their power modes, through their agents.
    #[command(subcommand, after_help = EXIT_CODES)]
    Board(board::BoardCommand),
    /// List, export and import what was measured, through the optimizer.
    #[command(subcommand, after_help = EXIT_CODES)]
    Profile(profile::ProfileCommand),
    /// Make the certificates and tokens that a fleet's processes and people show.
    #[command(subcommand, after_help = EXIT_CODES)]
    Access(access::AccessCommand),
    /// Check this machine and its agent; reads, and never writes.
    #[command(after_help = EXIT_CODES)]
    Doctor(doctor::DoctorArgs),
    /// Show boards live: power, clocks, temperatures, the mode and who holds it.
    #[command(after_help = EXIT_CODES)]
    Top(top::TopArgs),
    /// Print what lets a shell complete this command: `eval "$(fulcrum completions bash)"`
    Completions(completions::CompletionsArgs),
    /// Write the manual pages of this command and of the agent and the services
    #[command(hide = true)]
    Man(man::ManArgs),
}

fn carry_out(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Plan(args) => plan::run(args),
        Command::Run(args) => run::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::EvaluateTurns(args) => evaluate_turns::run(args),
        Command::Front(command) => front::run(command),
        Command::Demo(args) => demo::run(args),
        Command::Up(args) => up::run(args),
        Command::Job(command) => job::run(command),
        Command::Fleet(command) => fleet::run(command),
        Command::Board(command) => board::run(command),
        Command::Profile(command) => profile::run(command),
        Command::Access(command) => access::run(command),
        Command::Doctor(args) => doctor::run(args),
        Command::Top(args) => top::run(args),
        Command::Completions(args) => completions::run(args, &mut Cli::command()),
        Command::Man(args) => man::run(args, Cli::command()),
    }
}

/// Reads as whom to call.
fn call_as(folder: Option<&Path>) -> Result<(), Failure> {
    if let Some(folder) = folder {
        let own = Credentials::open(folder).map_err(Failure::bad_input)?;
        fulcrum_api::call_as(own);
    }
    Ok(())
}

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => call_as(cli.credentials.as_deref()).and_then(|()| carry_out(&cli.command)),
        Err(error) => Failure::of_arguments(&error),
    };
    outcome
        .unwrap_or_else(|failure| {
            if let Some(message) = failure.message() {
                // Nothing is left to tell anyone when stderr is gone.
                let _ = writeln!(std::io::stderr(), "fulcrum: error: {message}");
            }
            failure.exit()
        })
        .into()
}
