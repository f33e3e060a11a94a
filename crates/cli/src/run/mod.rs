//! `fulcrum run`: runs a plan on a board for a while, and reports what came of it.

mod agent_process;
mod attached;
mod live;
mod observed;
mod programs;
mod report;
mod timeline;
mod wanted;

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use fulcrum_api::{Address, RemoteBoard, RemoteOptions, v1};
use fulcrum_board::{SimulatedOrin, board_named};
use fulcrum_domain::{Seconds, WorkloadKind};
use fulcrum_interleave::Agreement;

use crate::agents::{address, holder, of_remote};
use crate::arguments::duration;
use crate::exit::{Exit, Failure};
use crate::output::{Format, print};
use crate::verified::Arriving;

use agent_process::AgentProcess;
use attached::wait_until_attached;
use observed::Observed;
use programs::{Program, Programs};
use wanted::{Wanted, WantedArgs};

/// Arguments of `fulcrum run`.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Agent of the board; without it, a simulated board is started for the run
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    agent: Option<Address>,
    #[command(flatten)]
    wanted: WantedArgs,
    /// For how long
    #[arg(long = "for", value_name = "TIME", default_value = "30s")]
    time: Seconds,
    /// How requests arrive at simulated and real workers
    #[arg(long, value_enum, default_value = "poisson")]
    arrivals: Arriving,
    /// Start real training and inference programs on this machine: networks resnet, mobilenet, lstm
    #[arg(long)]
    real: bool,
    /// Start no workers: run those that are attached, or attach within 10 s
    #[arg(long, conflicts_with = "real", requires = "agent")]
    attached: bool,
    /// The agent's socket for workers; beside its local socket unless given
    #[arg(long, value_name = "PATH", requires = "real")]
    worker_socket: Option<PathBuf>,
    /// Where real programs run: cpu, cpu:2, cuda
    #[arg(long, default_value = "cpu", requires = "real")]
    device: String,
    /// Where to write the report with a picture of the turns, one self-contained page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// How to print the report
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Runs the plan and prints the report.
pub(crate) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    // Opened first, so that a wrong path costs no run.
    let page = args
        .report
        .as_ref()
        .map(|path| File::create(path).map_err(|error| Failure::of_file("--report", path, &error)));
    let page = page.transpose()?;
    let own = match &args.agent {
        Some(_) => None,
        None => Some(AgentProcess::start(args.real)?),
    };
    let address = match (&args.agent, &own) {
        (Some(address), _) => address.clone(),
        (None, Some(own)) => own.address()?,
        (None, None) => return Err(Failure::bad_input("--agent is missing")),
    };
    let measured = match args.wanted.searches_for().filter(|_| args.real) {
        Some(problem) => {
            let socket = worker_socket(args, &address, own.as_ref())?;
            let programs = Program::of_problem(&problem?, args.wanted.train_batch());
            let mut programs = Programs::start(&programs, &socket, args)?;
            programs.wait_until_attached(&address)?;
            Some(programs)
        }
        None => None,
    };
    let options = RemoteOptions { stop_on_interrupt: true, ..RemoteOptions::new(holder("run")) };
    let mut board =
        RemoteBoard::borrow(&address, options).map_err(|error| of_remote(&address, &error))?;
    // A simulated board of the run's own would have to be measured in real time.
    let stand_in = own
        .as_ref()
        .filter(|_| !args.real)
        .map(|_| board_named(SimulatedOrin::NAME, 1).map_err(Failure::bad_input));
    let wanted = match args.wanted.decide(&mut board, stand_in.transpose()?)? {
        Ok(wanted) => wanted,
        Err(exit) => return Ok(exit),
    };
    let lost = |error| of_remote(&address, &error);

    let is_simulated = board.description().identity.kind == "simulated";
    let simulate = if is_simulated && !args.real && !args.attached {
        simulated(&wanted, args.arrivals)
    } else {
        Vec::new()
    };
    let programs = if args.real && measured.is_none() {
        let socket = worker_socket(args, &address, own.as_ref())?;
        Some(Programs::start(&Program::of_plan(&wanted), &socket, args)?)
    } else {
        measured
    };
    if args.attached {
        wait_until_attached(&mut board, &address, &wanted)?;
    }
    board.apply_plan(&wanted.plan, wanted.mode, simulate).map_err(lost)?;
    let mut observed = Observed::begin(&wanted, board.sample().map_err(lost)?);
    observed.watch(&mut board, duration(args.time)).map_err(lost)?;
    observed.end(&board.turns().map_err(lost)?, board.sample().map_err(lost)?);
    drop(programs);
    drop(board);

    let report = observed.report();
    let text = match args.output {
        Format::Table => report::text(&report),
        Format::Json => report::json(&report)?,
    };
    print(&text)?;
    if let Some(mut page) = page {
        page.write_all(timeline::page(&report, observed.turns()).as_bytes())?;
    }
    Ok(Exit::Solved)
}

/// The workers that a simulated board is to run by itself.
fn simulated(wanted: &Wanted, arrivals: Arriving) -> Vec<v1::SimulatedWorker> {
    let agreement: &Agreement = &wanted.plan.agreement;
    let worker = |terms: &fulcrum_interleave::Terms| {
        let infers = terms.workload.kind == WorkloadKind::Infer;
        v1::SimulatedWorker {
            workload: terms.workload.name.to_string(),
            kind: fulcrum_api::kind_to_wire(terms.workload.kind).into(),
            arrivals_per_second: if infers { wanted.rate.unwrap_or(1.0) } else { 0.0 },
            arrivals: arrivals.as_str().into(),
        }
    };
    agreement.terms.iter().map(worker).collect()
}

/// Where real programs attach.
fn worker_socket(
    args: &RunArgs,
    address: &Address,
    own: Option<&AgentProcess>,
) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.worker_socket {
        return Ok(path.clone());
    }
    if let Some(own) = own {
        return Ok(own.worker_socket());
    }
    let text = address.to_string();
    let path =
        text.strip_prefix("unix://").map(|path| PathBuf::from(path).with_file_name("workers.sock"));
    path.ok_or_else(|| {
        Failure::bad_input("--real needs an agent on this machine, or --worker-socket PATH")
    })
}

/// How long to wait for what was started to come up.
const STARTING: Duration = Duration::from_secs(10);
