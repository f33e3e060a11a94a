//! `fulcrum job`: what is to run on the boards of a fleet.

mod cancel;
mod explain;
mod file;
mod list;
mod plan_rows;
mod show;
mod submit;
mod views;
mod watch;

use clap::{Args, Subcommand};
use fulcrum_api::v1;
use fulcrum_domain::Seconds;

pub(crate) use file::JobFile;
pub(crate) use plan_rows::plan_rows;
pub(crate) use views::{BoardView, window_words};

use crate::agents::wait_for;
use crate::exit::{EXIT_CODES, Exit, Failure};
use crate::output::Format;
use crate::services::OneScheduler;

/// The commands of `fulcrum job`.
#[derive(Subcommand)]
pub(crate) enum JobCommand {
    /// Declare jobs, or change them, as files say.
    #[command(after_help = EXIT_CODES)]
    Submit(submit::SubmitArgs),
    /// Say how all jobs stand.
    List(list::ListArgs),
    /// Say how a job stands, on each of its boards.
    Show(OneJob),
    /// Tell what happens to a job and what it does, as it comes.
    Watch(watch::WatchArgs),
    /// Say why a job runs as it does: budgets, what is left of them, where its plans come from.
    Explain(OneJob),
    /// End a job; its boards are given back.
    Cancel(OneJob),
}

/// Which job.
#[derive(Debug, Args)]
pub(crate) struct OneJob {
    /// The job's name
    #[arg(value_name = "JOB")]
    name: String,
    #[command(flatten)]
    scheduler: OneScheduler,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Runs one of the commands.
pub(crate) fn run(command: &JobCommand) -> Result<Exit, Failure> {
    match command {
        JobCommand::Submit(args) => submit::run(args),
        JobCommand::List(args) => list::run(args),
        JobCommand::Show(args) => show::run(args),
        JobCommand::Watch(args) => watch::run(args),
        JobCommand::Explain(args) => explain::run(args),
        JobCommand::Cancel(args) => cancel::run(args),
    }
}

impl OneJob {
    fn resource(&self) -> String {
        resource(&self.name)
    }

    fn get(&self) -> Result<v1::GetJobResponse, Failure> {
        wait_for(async {
            let mut client = self.scheduler.reach().await?;
            let answer = client.get_job(v1::GetJobRequest { name: self.resource() }).await;
            Ok(answer.map_err(|status| self.scheduler.refused(&status))?.into_inner())
        })
    }
}

/// A job's name as the scheduler has it; people may leave its kind out.
fn resource(name: &str) -> String {
    if name.starts_with("jobs/") { name.to_owned() } else { format!("jobs/{name}") }
}

/// A name without its kind.
pub(crate) fn short(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, short)| short)
}

/// How a job stands, as an exit code.
fn exit_of(job: &v1::Job) -> Exit {
    if job.state == "infeasible" { Exit::Infeasible } else { Exit::Solved }
}

/// A length of time as text.
fn seconds(text: &str) -> Result<Seconds, String> {
    text.parse().map_err(|error: fulcrum_domain::UnitError| error.to_string())
}
