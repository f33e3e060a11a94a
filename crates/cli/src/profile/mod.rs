//! `fulcrum profile`: what has been measured, in and out of the optimizer's store.

mod export;
mod import;
mod list;

mod row;
mod rows_format;

use clap::{Args, Subcommand};
use fulcrum_api::v1;

use crate::exit::{Exit, Failure};

/// The commands of `fulcrum profile`.
#[derive(Subcommand)]
pub(crate) enum ProfileCommand {
    /// Say what is stored.
    List(list::ListArgs),
    /// Write what is stored to a file, or to stdout.
    Export(export::ExportArgs),
    /// Store what files hold: all of it, or nothing when a line is wrong.
    Import(import::ImportArgs),
}

/// Runs one of the commands.
pub(crate) fn run(command: &ProfileCommand) -> Result<Exit, Failure> {
    match command {
        ProfileCommand::List(args) => list::run(args),
        ProfileCommand::Export(args) => export::run(args),
        ProfileCommand::Import(args) => import::run(args),
    }
}

/// Which profiles.
#[derive(Debug, Args)]
struct Filter {
    /// Only of this kind of board
    #[arg(long, value_name = "MODEL", default_value = "")]
    board_model: String,
    /// Only of this workload
    #[arg(long, value_name = "WORKLOAD", default_value = "")]
    workload: String,
    /// Only of training or of inference
    #[arg(long, value_name = "KIND", value_parser = ["train", "infer"])]
    kind: Option<String>,
}

impl Filter {
    fn page(&self, page_size: u32, page_token: String) -> v1::ListProfilesRequest {
        v1::ListProfilesRequest {
            page_size,
            page_token,
            board_model: self.board_model.clone(),
            workload: self.workload.clone(),
            kind: self.kind.clone().unwrap_or_default(),
        }
    }
}
