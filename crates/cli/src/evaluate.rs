//! `fulcrum evaluate`: scores strategies over the problems of a profile table.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use fulcrum_domain::Alternate;
use fulcrum_evaluate::{
    Settings, evaluate, protocol, read_problems, sample, summary_table, write_summary_table,
};
use fulcrum_search::Recipe;

use crate::arguments::{at_least_one, strategy, table};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::{Lines, Progress};

/// Arguments of `fulcrum evaluate`.
#[derive(Args)]
pub(crate) struct EvaluateArgs {
    /// Profile tables of one device: CSV files, or folders of them
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    profiles: Vec<PathBuf>,
    /// Problems to solve, with the columns `train,infer,rate_hz,latency_ms,power_w`; without it,
    /// the protocol's problems for every workload and pair of the tables
    #[arg(long, value_name = "FILE.csv")]
    problems: Option<PathBuf>,
    /// At most so many problems of each workload or pair, drawn by the seed
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, value_parser = at_least_one)]
    sample: Option<usize>,
    /// Strategies, separated by commas
    #[arg(
        long, value_name = "NAME", value_parser = strategy, value_delimiter = ',',
        default_value = "gmd,als,guided"
    )]
    strategy: Vec<Recipe>,
    /// What everything random follows from
    #[arg(long, allow_hyphen_values = true, default_value_t = 1)]
    seed: u64,
    /// At most so many power modes may be measured for a problem, instead of the strategy's own
    /// allowance
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, value_parser = at_least_one)]
    modes: Option<usize>,
    /// Relative standard error of every reading: 0.02 for 2 %
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = share, default_value_t = 0.0)]
    noise: f64,
    /// So many profiles of each other workload of the table are known before a search begins
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    known: usize,
    /// How the workloads take turns: strict or slack-aware
    #[arg(long, default_value = "strict")]
    alternate: Alternate,
    /// With how many seeds each `random-*` strategy runs
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, value_parser = at_least_one, default_value_t = 20)]
    random_seeds: usize,
    /// Where to write one row a problem and strategy
    #[arg(long, value_name = "FILE.csv")]
    results: Option<PathBuf>,
    /// Where to write the printed table as a CSV file
    #[arg(long, value_name = "FILE.csv")]
    summary: Option<PathBuf>,
    /// Where to write the report, one self-contained page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("is not a share from 0 to below 1; write it like 0.02".into()),
    }
}

/// Runs the strategies and prints how they did.
pub(crate) fn run(args: &EvaluateArgs) -> Result<Exit, Failure> {
    let table = table(&args.profiles)?;
    let problems = match &args.problems {
        Some(path) => read_problems(path).map_err(Failure::bad_input)?,
        None => protocol(&table),
    };
    let problems = match args.sample {
        Some(per_group) => sample(&problems, per_group, args.seed),
        None => problems,
    };
    // Opened first, so that a wrong path costs no evaluation.
    let results = open("--results", args.results.as_deref())?;
    let summary = open("--summary", args.summary.as_deref())?;
    let report = open("--report", args.report.as_deref())?;

    let settings = Settings {
        strategies: args.strategy.clone(),
        seed: args.seed,
        modes: args.modes,
        noise: args.noise,
        known: args.known,
        alternate: args.alternate,
        random_seeds: args.random_seeds as u64,
    };
    let progress = Progress::new(0, "answers", Lines::Never);
    let evaluation =
        evaluate(&table, &problems, &settings, &|done, total| progress.at(done, total))
            .map_err(Failure::bad_input)?;
    progress.finish();

    let summaries = summary_table(evaluation.summaries());
    output::print(&output::table(&summaries))?;
    if let Some(file) = results {
        evaluation.write_results(BufWriter::new(file))?;
    }
    if let Some(file) = summary {
        write_summary_table(&summaries, BufWriter::new(file))?;
    }
    if let Some(mut file) = report {
        file.write_all(evaluation.report_html()?.as_bytes())?;
    }
    Ok(Exit::Solved)
}

fn open(flag: &str, path: Option<&Path>) -> Result<Option<File>, Failure> {
    path.map(|path| File::create(path).map_err(|error| Failure::of_file(flag, path, &error)))
        .transpose()
}
