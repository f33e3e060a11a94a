//! What the command prints: for people and for programs.

mod answer;
mod format;
mod json;
pub(crate) mod readings;
mod tables;
mod text;
mod why;
mod words;

use std::io::{self, Write as _};

pub(crate) use answer::Answer;
pub(crate) use format::Format;
pub(crate) use json::plan_json;
pub(crate) use tables::{front_rows, table};
pub(crate) use text::plan_text;
pub(crate) use words::{basis_in_words, budgets_in_words, percent};

/// Prints to stdout. A reader that has seen enough (`| head`) is no failure: what was found is still
/// said by the exit code.
pub(crate) fn print(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}
