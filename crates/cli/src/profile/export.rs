//! `fulcrum profile export`: everything that is stored, as a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use fulcrum_api::OptimizerClient;

use super::Filter;
use super::row::Row;
use super::rows_format::{RowsFormat, RowsWriter};
use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::services::OneOptimizer;

/// So many are asked for at a time.
const PAGE: u32 = 10_000;

/// Arguments of `fulcrum profile export`.
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// File to write, named .csv or .ndjson; stdout where it is left out
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to write, where no file's name says it
    #[arg(long, value_enum)]
    format: Option<RowsFormat>,
    #[command(flatten)]
    optimizer: OneOptimizer,
    #[command(flatten)]
    filter: Filter,
}

/// Writes profiles in the order in which they were first kept. A file is whole or not there.
pub(crate) fn run(args: &ExportArgs) -> Result<Exit, Failure> {
    let named = args.file.as_deref().and_then(RowsFormat::of);
    let format = args.format.or(named).unwrap_or(RowsFormat::Csv);
    wait_for(async {
        let mut client = args.optimizer.reach().await?;
        let Some(path) = &args.file else {
            let mut out = format.writer(io::stdout().lock());
            write_all(args, &mut client, &mut out).await?;
            out.finish()?;
            return Ok(());
        };
        let failed = |error: io::Error| Failure::of_file("FILE", path, &error);
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let mut out = format.writer(BufWriter::new(File::create(&partial).map_err(failed)?));
        write_all(args, &mut client, &mut out).await?;
        out.finish().map_err(failed)?;
        std::fs::rename(&partial, path).map_err(failed)
    })?;
    Ok(Exit::Solved)
}

async fn write_all<W: Write>(
    args: &ExportArgs,
    client: &mut OptimizerClient,
    out: &mut RowsWriter<W>,
) -> Result<(), Failure> {
    let mut token = String::new();
    loop {
        let answer = client.list_profiles(args.filter.page(PAGE, token)).await;
        let page = answer.map_err(|status| args.optimizer.refused(&status))?.into_inner();
        for profile in page.profiles {
            out.write(&Row::from(profile))?;
        }
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        token = page.next_page_token;
    }
}
