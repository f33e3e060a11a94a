//! Arguments that more than one command takes: where to measure, and for which problem.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use fulcrum_api::{Address, RemoteBoard, RemoteOptions};
use fulcrum_board::{ProfileTable, Profiler, Replay, board_named, read_tables, setting};
use fulcrum_domain::{Hertz, Problem, Role, Seconds, Setting, Stream, Watts, Workload};
use fulcrum_search::{Recipe, UnknownStrategy};

use crate::agents::{address, holder, of_remote};
use crate::exit::Failure;

/// Where to measure.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Source {
    /// Profile tables to measure on: CSV files, or folders of them
    #[arg(long, value_name = "PATH", num_args = 1..)]
    profiles: Vec<PathBuf>,
    /// Board to measure on instead of a table: simulated-orin-agx
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Agent of a board to measure on, as `unix:///path/agent.sock`, `https://host:port`, or
    /// `http://host:port` without TLS; the board is put back afterwards
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    agent: Option<Address>,
}

impl Source {
    /// The board to measure on.
    pub(crate) fn open(&self, seed: u64) -> Result<Box<dyn Profiler>, Failure> {
        if let Some(address) = &self.agent {
            let options = RemoteOptions {
                stop_on_interrupt: true,
                ..RemoteOptions::new(holder("measuring"))
            };
            let board = RemoteBoard::borrow(address, options);
            return Ok(Box::new(board.map_err(|error| of_remote(address, &error))?));
        }
        match &self.board {
            Some(name) => board_named(name, seed)
                .map_err(|error| Failure::bad_input(format_args!("--board {name}: {error}"))),
            None => Ok(Box::new(Replay::new(table(&self.profiles)?))),
        }
    }
}

/// Reads profile tables of one device.
pub(crate) fn table(paths: &[PathBuf]) -> Result<Arc<ProfileTable>, Failure> {
    read_tables(paths).map(Arc::new).map_err(Failure::bad_input)
}

/// Finds a strategy; clap names the flag when there is none.
pub(crate) fn strategy(name: &str) -> Result<Recipe, UnknownStrategy> {
    fulcrum_search::recipe(name.trim())
}

/// A length of time as the clock has it.
pub(crate) fn duration(time: Seconds) -> Duration {
    Duration::try_from_secs_f64(time.get()).unwrap_or(Duration::MAX)
}

/// Reads a count that must not be zero.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(count) => Ok(count),
        Err(_) => Err("is not a whole number; write it like 15".into()),
    }
}

/// The workloads to run.
#[derive(Debug, Args)]
pub(crate) struct Workloads {
    /// Workload to train
    #[arg(long, value_name = "WORKLOAD")]
    train: Option<String>,
    /// Workload whose inference requests arrive and must be answered in time
    #[arg(long, value_name = "WORKLOAD")]
    infer: Option<String>,
    /// Workload that infers in whatever time is left, in place of training
    #[arg(long, value_name = "WORKLOAD", conflicts_with = "train")]
    background_infer: Option<String>,
}

/// The budgets of the requests that arrive.
#[derive(Debug, Args)]
pub(crate) struct StreamBudgets {
    /// Arrival rate of inference requests, in requests a second: 60 or 60/s
    #[arg(long, allow_hyphen_values = true)]
    rate: Option<Hertz>,
    /// Latency budget, from the arrival of a request to its answer: 800ms or 1.5s
    #[arg(long, allow_hyphen_values = true)]
    latency: Option<Seconds>,
}

impl Workloads {
    /// The problem of these workloads within these budgets.
    pub(crate) fn problem(&self, stream: &StreamBudgets, power: Watts) -> Result<Problem, Failure> {
        let needs = |flag: &str, example: &str| {
            Failure::bad_input(format_args!("--infer needs {flag}; write it like {flag} {example}"))
        };
        let urgent = match &self.infer {
            Some(name) => Some(Stream {
                workload: Workload::infer(name),
                rate: stream.rate.ok_or_else(|| needs("--rate", "60"))?,
                latency: stream.latency.ok_or_else(|| needs("--latency", "800ms"))?,
            }),
            None => None,
        };
        if urgent.is_none() {
            let given = [
                ("--rate", stream.rate.is_some()),
                ("--latency", stream.latency.is_some()),
                ("--background-infer", self.background_infer.is_some()),
            ];
            if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) {
                return Err(Failure::bad_input(format_args!(
                    "{flag} needs --infer, the workload whose requests arrive"
                )));
            }
        }
        let train = self.train.as_deref().map(Workload::train);
        let background = self.background_infer.as_deref().map(Workload::infer);
        match (train, background, urgent) {
            (Some(train), _, Some(urgent)) => Problem::concurrent(train, urgent, power),
            (Some(train), _, None) => Problem::train_only(train, power),
            (None, Some(other), Some(urgent)) => Problem::two_inferences(other, urgent, power),
            (None, None, Some(urgent)) => Problem::infer_only(urgent, power),
            (None, _, None) => {
                return Err(Failure::bad_input(
                    "nothing to run: name a workload with --train, --infer or both",
                ));
            }
        }
        .map_err(Failure::bad_input)
    }

    /// A problem of these workloads whose budgets mean nothing, for what does not depend on them.
    pub(crate) fn any_problem(&self) -> Result<Problem, Failure> {
        let stream = self.infer.is_some();
        let budgets = StreamBudgets {
            rate: stream.then_some(Hertz::new(1.0)),
            latency: stream.then_some(Seconds::new(1.0)),
        };
        self.problem(&budgets, Watts::new(1.0))
    }

    /// What can be measured for the problem's workloads; names the flag of one that is unknown.
    pub(crate) fn setting(board: &dyn Profiler, problem: &Problem) -> Result<Setting, Failure> {
        setting(board, problem).map_err(|error| {
            let urgent = problem.workload(Role::Urgent) == Some(&error.workload);
            let flag = match (urgent, problem.kind()) {
                (true, _) => "--infer",
                (false, fulcrum_domain::ProblemKind::TwoInfers) => "--background-infer",
                (false, _) => "--train",
            };
            Failure::bad_input(format_args!("{flag}: {error}"))
        })
    }
}
