//! `fulcrum profile import`: what was measured elsewhere, all of it or nothing.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use fulcrum_api::v1;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::rows_format::RowsFormat;
use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::services::OneOptimizer;

/// So many go into one message.
const A_MESSAGE: usize = 5_000;

/// Arguments of `fulcrum profile import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// Files to read, named .csv or .ndjson, as `fulcrum profile export` writes them
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    optimizer: OneOptimizer,
}

/// Where a profile was read.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a Path,
    line: u64,
}

/// Reads everything, and only then sends it.
pub(crate) fn run(args: &ImportArgs) -> Result<Exit, Failure> {
    let mut places = Vec::new();
    let mut profiles = Vec::new();
    for file in &args.files {
        for (line, row) in read(file)? {
            let place = Place { file, line };
            profiles.push(row.to_wire().map_err(|problem| wrong(place, &problem))?);
            places.push(place);
        }
    }
    let messages: Vec<v1::ImportProfilesRequest> = profiles
        .chunks(A_MESSAGE)
        .map(|profiles| v1::ImportProfilesRequest { profiles: profiles.to_vec() })
        .collect();
    drop(profiles);
    let kept = wait_for(async {
        let mut client = args.optimizer.reach().await?;
        let answer = client.import_profiles(tokio_stream::iter(messages)).await;
        let answer = answer.map_err(|status| {
            named(&status, &places).unwrap_or_else(|| args.optimizer.refused(&status))
        })?;
        Ok(answer.into_inner().profiles)
    })?;
    print(&format!("{kept} profiles are stored"))?;
    Ok(Exit::Solved)
}

fn read(file: &Path) -> Result<Vec<(u64, super::row::Row)>, Failure> {
    let format = RowsFormat::of(file).ok_or_else(|| {
        Failure::bad_input(format_args!(
            "FILE {}: the name says neither .csv nor .ndjson",
            file.display()
        ))
    })?;
    let open = File::open(file).map_err(|error| Failure::of_file("FILE", file, &error))?;
    format.read(open).map_err(|error| wrong(Place { file, line: error.line }, &error.problem))
}

fn wrong(place: Place<'_>, problem: &str) -> Failure {
    Failure::bad_input(format_args!(
        "{}:{}: {problem}; nothing was stored",
        place.file.display(),
        place.line
    ))
}

/// The optimizer names profiles by their number in the stream; people know them by file and line.
fn named(status: &Status, places: &[Place<'_>]) -> Option<Failure> {
    let violation = status.get_details_bad_request()?.field_violations.into_iter().next()?;
    let (number, field) = violation.field.strip_prefix("profiles[")?.split_once("].")?;
    let place = places.get(number.parse::<usize>().ok()?)?;
    Some(wrong(*place, &format!("`{field}` {}", violation.description)))
}
