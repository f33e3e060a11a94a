//! Problems files.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use fulcrum_domain::{Hertz, Problem, ProblemKind, Seconds, Stream, Watts, Workload};

const COLUMNS: [&str; 5] = ["train", "infer", "rate_hz", "latency_ms", "power_w"];

/// Reads a problems file: a CSV file with the columns `train,infer,rate_hz,latency_ms,power_w`, in
/// any order; others are passed over. An empty `train` means infer only, an empty `infer` train
/// only, where rate and latency are empty or 0.
///
/// # Errors
/// When the file cannot be read, a column is missing, or a row is no problem; the message names
/// file, line and column.
pub fn read_problems(path: &Path) -> Result<Vec<Problem>, ProblemsError> {
    let file = File::open(path)
        .map_err(|source| ProblemsError::Unreadable { path: path.to_owned(), source })?;
    read_from(path, file)
}

fn read_from(path: &Path, input: impl Read) -> Result<Vec<Problem>, ProblemsError> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(input);
    let wrong = |line, column: &str, problem: String| ProblemsError::Wrong {
        path: path.to_owned(),
        line,
        column: column.to_owned(),
        problem,
    };
    let broken = |error: &csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        wrong(line, COLUMNS[0], format!("is no CSV text ({error})"))
    };
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    let mut places = [0; COLUMNS.len()];
    let mut seen = HashSet::new();
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = header
            .iter()
            // A byte order mark sticks to the first name.
            .position(|name| name.trim_start_matches('\u{feff}') == column)
            .ok_or_else(|| wrong(1, column, format!("is missing; needed are {}", list())))?;
    }
    if let Some(twice) = header.iter().find(|name| !seen.insert(*name) && COLUMNS.contains(name)) {
        return Err(wrong(1, twice, "is there twice; each may be there once".to_owned()));
    }
    let mut problems = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let (has, names) = (record.len(), header.len());
            let column = header.get(has.min(names - 1)).unwrap_or(COLUMNS[0]);
            let problem = format!("does not fit: the line has {has} values for {names} columns");
            return Err(wrong(line, column, problem));
        }
        problems.push(
            problem(&record, places)
                .map_err(|(column, problem)| wrong(line, COLUMNS[column], problem))?,
        );
    }
    if problems.is_empty() {
        return Err(wrong(
            2,
            COLUMNS[0],
            "has no value; at least one problem is needed".to_owned(),
        ));
    }
    Ok(problems)
}

/// The problem of a row, or the place of the column that is wrong and how.
fn problem(
    record: &StringRecord,
    places: [usize; COLUMNS.len()],
) -> Result<Problem, (usize, String)> {
    let field = |column: usize| record.get(places[column]).unwrap_or_default();
    let number = |column: usize| positive(field(column)).map_err(|problem| (column, problem));
    let stream = || {
        Ok(Stream {
            workload: Workload::infer(field(1)),
            rate: Hertz::new(number(2)?),
            latency: Seconds::from_millis(number(3)?),
        })
    };
    let power = || number(4).map(Watts::new);
    let made = match (field(0), field(1)) {
        ("", "") => {
            return Err((0, "is empty, and so is infer; name at least one workload".to_owned()));
        }
        (train, "") => {
            for column in [2, 3] {
                if !field(column).is_empty() && field(column).parse() != Ok(0.0) {
                    let problem = format!("is `{}` without infer; leave it empty", field(column));
                    return Err((column, problem));
                }
            }
            Problem::train_only(Workload::train(train), power()?)
        }
        ("", _) => Problem::infer_only(stream()?, power()?),
        (train, _) => Problem::concurrent(Workload::train(train), stream()?, power()?),
    };
    // Every number has been checked, and the kinds follow from the columns.
    made.map_err(|error| (4, error.to_string()))
}

fn positive(text: &str) -> Result<f64, String> {
    const RIGHT: &str = "a number greater than zero, without a unit, is needed";
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ if text.is_empty() => Err(format!("is empty; {RIGHT}")),
        _ => Err(format!("is `{text}`; {RIGHT}")),
    }
}

fn list() -> String {
    COLUMNS.join(",")
}

/// Writes a problems file, so that reading it gives the same problems. Problems of two inferences
/// have no place in one and are left out.
///
/// # Errors
/// When writing fails.
pub fn write_problems(problems: &[Problem], out: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS)?;
    for problem in problems.iter().filter(|p| p.kind() != ProblemKind::TwoInfers) {
        writer.write_record(fields(problem))?;
    }
    writer.flush()
}

/// The fields of a problem, in the order of the columns.
pub(crate) fn fields(problem: &Problem) -> [String; COLUMNS.len()] {
    let stream = problem.urgent();
    let name =
        |workload: Option<&Workload>| workload.map_or_else(String::new, |w| w.name.to_string());
    [
        name(problem.background()),
        name(stream.map(|s| &s.workload)),
        text(stream.map(|s| s.rate.get())),
        stream.map_or_else(String::new, |s| millis(s.latency)),
        text(Some(problem.power().get())),
    ]
}

/// The shortest text that reads as the same number; empty for none.
pub(crate) fn text(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A time in milliseconds as the shortest text that reads as the same number of seconds, where one
/// of twelve digits does: multiplying by 1000 would show its rounding (1100.0000000000002).
pub(crate) fn millis(time: Seconds) -> String {
    let exact = time.as_millis();
    let short = format!("{exact:.11e}").parse().unwrap_or(exact);
    if Seconds::from_millis(short) == time { short.to_string() } else { exact.to_string() }
}

/// Why a problems file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProblemsError {
    /// It cannot be read at all.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is not right.
    #[error("{}:{line}: column `{column}` {problem}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
}
