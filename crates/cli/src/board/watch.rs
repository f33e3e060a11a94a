//! `fulcrum board watch`: a line a sample.

use std::io::Write as _;

use clap::Args;
use fulcrum_api::{BoardDescription, RemoteSample};
use fulcrum_board::{Quantity, Sensor};
use fulcrum_domain::Seconds;

use super::views;
use crate::agents::{Agent, OneAgent, interrupted, wait_for};
use crate::arguments::{at_least_one, duration};
use crate::exit::{Exit, Failure};
use crate::output::Format;
use crate::output::readings::{reading, time_of_day};

/// Arguments of `fulcrum board watch`.
#[derive(Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    agent: OneAgent,
    /// Time between two samples, from 10ms to 60s
    #[arg(long, default_value = "1s")]
    interval: Seconds,
    /// Also print the samples of this long before now
    #[arg(long, value_name = "TIME")]
    history: Option<Seconds>,
    /// End after so many samples
    #[arg(long, value_name = "COUNT", value_parser = at_least_one)]
    count: Option<usize>,
    /// Parts to print, separated by commas; without it, the rails, the clocks and the hottest part
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    sensor: Vec<String>,
    /// table for people, json for one object a line, with every sensor
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Prints samples until it is interrupted or there are enough.
pub(crate) fn run(args: &WatchArgs) -> Result<Exit, Failure> {
    wait_for(async {
        let mut agent = Agent::reach(&args.agent.address).await?;
        let board = agent.board().await?;
        let columns = columns(&board, &args.sensor)?;
        let history = args.history.map(duration);
        let mut samples = agent.watch(&board, duration(args.interval), history).await?;
        if args.output == Format::Table {
            writeln!(std::io::stdout(), "{}", header(&columns))?;
        }
        let mut left = args.count.unwrap_or(usize::MAX);
        while left > 0 {
            let sample = tokio::select! {
                sample = samples.next() => sample?,
                stop = interrupted() => { stop?; None }
            };
            let Some(sample) = sample else { break };
            let line = match args.output {
                Format::Table => line(&columns, &board, &sample),
                Format::Json => serde_json::to_string(&views::sample(&board.sensors, &sample))?,
            };
            writeln!(std::io::stdout(), "{line}")?;
            left -= 1;
        }
        Ok(Exit::Solved)
    })
}

/// What a column shows.
#[derive(Debug, Clone, PartialEq)]
enum Column {
    /// A sensor, by its place.
    Sensor(usize, String),
    /// The hottest of all parts.
    Hottest,
}

fn columns(board: &BoardDescription, chosen: &[String]) -> Result<Vec<Column>, Failure> {
    let column = |(place, sensor): (usize, &Sensor)| Column::Sensor(place, sensor.to_string());
    let sensors = board.sensors.iter().enumerate();
    if chosen.is_empty() {
        let usual = |sensor: &Sensor| {
            matches!(sensor.quantity, Quantity::Power | Quantity::Clock)
                || sensor.quantity == Quantity::Load && sensor.part == "gpu"
        };
        let mut columns: Vec<_> = sensors.filter(|(_, s)| usual(s)).map(column).collect();
        let heat = |sensor: &Sensor| sensor.quantity == Quantity::Temperature;
        columns.extend(board.sensors.iter().any(heat).then_some(Column::Hottest));
        return Ok(columns);
    }
    let known = |part: &String| board.sensors.iter().any(|sensor| sensor.part == *part);
    if let Some(part) = chosen.iter().find(|part| !known(part)) {
        let mut parts: Vec<&str> = board.sensors.iter().map(|s| s.part.as_str()).collect();
        parts.sort_unstable();
        parts.dedup();
        return Err(Failure::bad_input(format_args!(
            "--sensor: the board has no part `{part}`; it has {}",
            parts.join(", ")
        )));
    }
    Ok(sensors.filter(|(_, sensor)| chosen.contains(&sensor.part)).map(column).collect())
}

fn width(column: &Column) -> usize {
    match column {
        Column::Sensor(_, name) => name.len().max(8),
        Column::Hottest => 16,
    }
}

fn header(columns: &[Column]) -> String {
    let mut header = format!("{:<12}  {:>9}", "time", "total");
    for column in columns {
        let name = match column {
            Column::Sensor(_, name) => name,
            Column::Hottest => "hottest",
        };
        header = format!("{header}  {name:>0$}", width(column));
    }
    header
}

fn line(columns: &[Column], board: &BoardDescription, sample: &RemoteSample) -> String {
    let total = reading(Quantity::Power, &sample.total_power);
    let mut line = format!("{:<12}  {total:>9}", time_of_day(sample.time));
    for column in columns {
        let said = match column {
            Column::Sensor(place, _) => {
                reading(board.sensors[*place].quantity, &sample.values[*place])
            }
            Column::Hottest => hottest(&board.sensors, sample),
        };
        line = format!("{line}  {said:>0$}", width(column));
    }
    line
}

fn hottest(sensors: &[Sensor], sample: &RemoteSample) -> String {
    let temperatures = sensors.iter().zip(&sample.values).filter_map(|(sensor, value)| {
        let celsius = *value.as_ref().ok()?;
        (sensor.quantity == Quantity::Temperature).then_some((celsius, &sensor.part))
    });
    match temperatures.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((celsius, part)) => format!("{part} {celsius:.1}C"),
        None => "unknown".into(),
    }
}
