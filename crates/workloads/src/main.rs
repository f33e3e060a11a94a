//! `fulcrum-workload`: a real training or inference program that takes turns on a board.
//!
//! What it did goes to stdout as one JSON object when it ends.

mod program;

use std::process::ExitCode;

use clap::Parser;

use program::{Arguments, run};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(&Arguments::parse()) {
        Ok(report) => {
            #[expect(clippy::print_stdout, reason = "the report is what this program is for")]
            {
                println!("{report}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "complaints go there")]
            {
                eprintln!("fulcrum-workload: error: {error}");
            }
            ExitCode::from(2)
        }
    }
}
