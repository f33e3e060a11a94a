//! `fulcrum evaluate-turns`: holds plans that take turns against virtual time.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use fulcrum_domain::{Seconds, Watts};
use fulcrum_evaluate::{
    TurnsRow, TurnsSettings, a_day_of_turns, evaluate_turns, protocol, read_problems,
};

use crate::arguments::{at_least_one, table};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::{Lines, Progress};

/// Arguments of `fulcrum evaluate-turns`.
#[derive(Args)]
pub(crate) struct EvaluateTurnsArgs {
    /// Profile tables of one device: CSV files, or folders of them
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    profiles: Vec<PathBuf>,
    /// Problems, with the columns `train,infer,rate_hz,latency_ms,power_w`; without it, the
    /// protocol's problems. Those of two workloads count
    #[arg(long, value_name = "FILE.csv")]
    problems: Option<PathBuf>,
    /// Runs every so many-th problem of a pair in virtual time
    #[arg(long, value_name = "COUNT", value_parser = at_least_one, default_value_t = 40)]
    every: usize,
    /// Virtual minutes of each run
    #[arg(long, value_name = "COUNT", value_parser = at_least_one, default_value_t = 5)]
    minutes: usize,
    /// Share of the time that inference may take where requests come irregularly
    #[arg(long, value_name = "SHARE", default_value_t = 0.7, value_parser = share)]
    most_utilisation: f64,
    /// What everything random follows from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Latency budget of the day whose arrival rate swings tenfold
    #[arg(long, value_name = "TIME", default_value = "1s")]
    day_latency: Seconds,
    /// Power budget of that day
    #[arg(long, value_name = "POWER", default_value = "40W")]
    day_power: Watts,
    /// Where to write the printed table as a CSV file
    #[arg(long, value_name = "FILE.csv")]
    summary: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("is not a share above 0 and at most 1; write it like 0.7".into()),
    }
}

/// Runs the plans in virtual time and prints how they did.
pub(crate) fn run(args: &EvaluateTurnsArgs) -> Result<Exit, Failure> {
    let table = table(&args.profiles)?;
    let problems = match &args.problems {
        Some(path) => read_problems(path).map_err(Failure::bad_input)?,
        None => protocol(&table),
    };
    let summary = args.summary.as_ref().map(|path| {
        File::create(path).map_err(|error| Failure::of_file("--summary", path, &error))
    });
    let summary = summary.transpose()?;
    let settings = TurnsSettings {
        duration: Duration::from_secs(60 * args.minutes as u64),
        every: args.every,
        most_utilisation: args.most_utilisation,
        seed: args.seed,
        ..TurnsSettings::default()
    };
    let progress = Progress::new(0, "runs", Lines::Never);
    let mut rows =
        evaluate_turns(&table, &problems, &settings, &|done, total| progress.at(done, total));
    progress.finish();
    let (latency, power) = (args.day_latency, args.day_power);
    rows.extend(a_day_of_turns(&table, &problems, latency, power, &settings));
    let cells = cells(&rows);
    output::print(&output::table(&cells))?;
    if let Some(file) = summary {
        let mut file = BufWriter::new(file);
        for line in &cells {
            writeln!(file, "{}", line.join(","))?;
        }
        file.flush()?;
    }
    Ok(Exit::Solved)
}

fn cells(rows: &[TurnsRow]) -> Vec<Vec<String>> {
    let head = ["strategy", "group", "problems", "vs strict optimum", "late %", "p99 of budget"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    let optional = |value: Option<f64>, digits: usize| {
        value.map_or_else(String::new, |value| format!("{value:.digits$}"))
    };
    cells.extend(rows.iter().map(|row| {
        vec![
            row.run.clone(),
            row.group.clone(),
            row.problems.to_string(),
            optional(row.vs_strict, 3),
            optional(row.late.map(|share| 100.0 * share), 4),
            optional(row.p99_of_budget, 3),
        ]
    }));
    cells
}
