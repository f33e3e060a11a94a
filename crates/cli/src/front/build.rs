//! `fulcrum front build`: a front that answers every later budget and rate without measuring.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fulcrum_board::{Profiler, write_table};
use fulcrum_domain::{
    Alternate, BatchSize, Evidence, Front, ModeId, Problem, Profile, Role, Workload,
};
use fulcrum_search::{Allowance, FrontTask, Method, Recipe};

use crate::arguments::{Source, Workloads, at_least_one, strategy};
use crate::exit::{Exit, Failure};
use crate::measuring::{Cost, build};
use crate::output::{front_rows, print, table};
use crate::progress::{Lines, Progress};

/// Arguments of `fulcrum front build`.
#[derive(Args)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    workloads: Workloads,
    /// At most so many measurements; the strategy's own allowance unless given (als: 50 for one
    /// workload, 145 for a pair)
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, value_parser = at_least_one)]
    measurements: Option<usize>,
    /// How to choose what to measure
    #[arg(long, value_name = "NAME", value_parser = strategy, default_value = "als")]
    strategy: Recipe,
    /// How the workloads of later plans take turns: strict or slack-aware
    #[arg(long, default_value = "strict")]
    alternate: Alternate,
    /// What everything random follows from
    #[arg(long, allow_hyphen_values = true, default_value_t = 1)]
    seed: u64,
    /// Where to write the front, as a table that `--profiles` reads; printed unless given
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    /// Say every measurement, even where stderr is no terminal
    #[arg(short, long)]
    verbose: bool,
}

/// Builds the front, and prints or writes it.
pub(crate) fn run(args: &BuildArgs) -> Result<Exit, Failure> {
    let problem = args.workloads.any_problem()?;
    let mut board = args.source.open(args.seed)?;
    let space = board.space().clone();
    let lines = if args.verbose { Lines::Always } else { Lines::WhenWatched };
    // Opened first, so that a wrong path costs no measurement; what it held stays until the end.
    let out = args.out.as_deref().map(open).transpose()?;
    let order = FrontOrder {
        recipe: &args.strategy,
        alternate: args.alternate,
        measurements: args.measurements,
        seed: args.seed,
        lines,
    };
    let (front, cost) = build_front(&mut *board, &problem, &order)?;
    match out {
        Some(mut file) => {
            if front.evidence() == Evidence::Predicted {
                return Err(Failure::bad_input(format_args!(
                    "--strategy {} predicts its front; only a measured one can be written with \
                     --out",
                    args.strategy.name
                )));
            }
            let batch = Workloads::setting(&*board, &problem)?.background_batch;
            let rows = rows(&front, &problem, batch);
            file.set_len(0)?;
            write_table(BufWriter::new(&mut file), board.name(), &space, rows.into_iter())?;
        }
        None => print(&table(&front_rows(&space, front.points())))?,
    }
    writeln!(
        std::io::stderr(),
        "{} points, {}, by {} from {} measurements in {} power modes",
        front.points().len(),
        front.evidence().as_str(),
        args.strategy.name,
        cost.measurements,
        cost.modes(),
    )?;
    Ok(Exit::Solved)
}

fn open(path: &Path) -> Result<File, Failure> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    file.map_err(|error| Failure::of_file("--out", path, &error))
}

/// How a front is to be built.
pub(crate) struct FrontOrder<'a> {
    /// What chooses the measurements.
    pub(crate) recipe: &'a Recipe,
    /// How the workloads of later plans take turns.
    pub(crate) alternate: Alternate,
    /// At most so many measurements, instead of the recipe's own allowance.
    pub(crate) measurements: Option<usize>,
    /// What everything random follows from.
    pub(crate) seed: u64,
    /// Whether to say every measurement.
    pub(crate) lines: Lines,
}

/// Builds the front for a problem's workloads.
pub(crate) fn build_front(
    board: &mut dyn Profiler,
    problem: &Problem,
    order: &FrontOrder<'_>,
) -> Result<(Front, Cost), Failure> {
    let Method::Front(start) = order.recipe.method else {
        return Err(Failure::bad_input(format_args!(
            "--strategy {} searches each problem anew and builds no front; als does",
            order.recipe.name
        )));
    };
    let setting = Arc::new(Workloads::setting(board, problem)?);
    let roles = problem.roles();
    let own = order.recipe.allowance_for(roles.len());
    let allowance = order.measurements.map_or(own, Allowance::measurements);
    let space = setting.space.clone();
    let mut builder = start(FrontTask {
        setting,
        roles,
        // It shall answer whatever comes.
        expected: None,
        alternate: order.alternate,
        allowance,
        relatives: Arc::default(),
        seed: order.seed,
    });
    let length = allowance.measurements as u64;
    let progress = Progress::new(length, "measurements", order.lines);
    let built = build(board, problem, &mut *builder, &mut |measurement, reading, cost| {
        progress.measured(&space, problem, measurement, reading, cost);
        progress.at(cost.measurements as u64, length);
    });
    progress.finish();
    built
}

/// The profiles of a front's points; two points may share one.
fn rows(
    front: &Front,
    problem: &Problem,
    background_batch: BatchSize,
) -> Vec<(Workload, ModeId, BatchSize, Profile)> {
    let mut rows = BTreeMap::new();
    for point in front.points() {
        for &role in problem.roles() {
            let batch = match role {
                Role::Urgent => point.batch_size().unwrap_or(BatchSize::ONE),
                Role::Background => background_batch,
            };
            if let (Some(workload), Some(profile)) = (problem.workload(role), point.profile(role)) {
                rows.insert((role, point.mode, batch), (workload.clone(), profile));
            }
        }
    }
    rows.into_iter()
        .map(|((_, mode, batch), (workload, profile))| (workload, mode, batch, profile))
        .collect()
}
