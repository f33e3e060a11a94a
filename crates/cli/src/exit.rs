//! How the command ends: its exit codes and its one line of complaint.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// The exit codes, as `--help` shows them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  solved
  1  unexpected failure
  2  bad usage or bad input
  3  infeasible: no plan meets the budgets
  4  unsolved: no plan was found, though there may be one
  5  doctor: something works less well than it could
  6  doctor: something that is needed does not work
  7  no agent or service answers
  8  the agent or service refused: another holds the board, or the rights are missing
130  interrupted; a borrowed board was given back";

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for was done.
    Solved = 0,
    /// Something failed that no other input would mend.
    Unexpected = 1,
    /// The arguments or a file are not right.
    BadInput = 2,
    /// No plan meets the budgets.
    Infeasible = 3,
    /// No plan was found, though there may be one.
    Unsolved = 4,
    /// A check found something that works less well than it could.
    Warned = 5,
    /// A check found something that is needed and does not work.
    Failed = 6,
    /// No agent answers.
    Unreachable = 7,
    /// The agent refused.
    Refused = 8,
    /// The user interrupted; the number is what shells make of Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why the command did not come to an answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments or a file are not right; the line says which and what would be.
    BadInput(String),
    /// No agent answers; the line says where.
    Unreachable(String),
    /// An agent refused; the line says why.
    Refused(String),
    /// The user interrupted.
    Interrupted,
    /// Something failed that no other input would mend.
    Unexpected(anyhow::Error),
}

impl Failure {
    /// Bad input, with a line that names the flag or the file.
    pub(crate) fn bad_input(message: impl Display) -> Self {
        Self::BadInput(one_line(&message.to_string()))
    }

    /// No agent answers, with a line that says where.
    pub(crate) fn unreachable(message: impl Display) -> Self {
        Self::Unreachable(one_line(&message.to_string()))
    }

    /// An agent refused, with a line that says why.
    pub(crate) fn refused(message: impl Display) -> Self {
        Self::Refused(one_line(&message.to_string()))
    }

    /// A file that a flag names and that cannot be written or read.
    pub(crate) fn of_file(flag: &str, path: &Path, error: &io::Error) -> Self {
        Self::bad_input(format_args!("{flag} {}: {error}", path.display()))
    }

    /// Arguments that do not parse, in one line; help and version are no failure.
    pub(crate) fn of_arguments(error: &clap::Error) -> Result<Exit, Self> {
        use clap::error::ErrorKind;
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                error.print()?;
                Ok(Exit::Solved)
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                error.print()?;
                Ok(Exit::BadInput)
            }
            _ => {
                let text = error.to_string();
                let said = text
                    .split("\n\n")
                    .filter(|part| !part.starts_with("Usage:") && !part.starts_with("For more"))
                    .collect::<Vec<_>>()
                    .join(";");
                Err(Self::bad_input(said.trim_start_matches("error:").trim_start()))
            }
        }
    }

    /// The line to say, if there is someone to say it to.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::BadInput(message) | Self::Unreachable(message) | Self::Refused(message) => {
                Some(message.clone())
            }
            Self::Interrupted => Some("interrupted; the board was given back".into()),
            Self::Unexpected(error) if is_closed_pipe(error) => None,
            Self::Unexpected(error) => Some(one_line(&format!("{error:#}"))),
        }
    }

    /// The exit code. A reader that has seen enough (`| head`) is no failure.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::BadInput(_) => Exit::BadInput,
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Refused(_) => Exit::Refused,
            Self::Interrupted => Exit::Interrupted,
            Self::Unexpected(error) if is_closed_pipe(error) => Exit::Solved,
            Self::Unexpected(_) => Exit::Unexpected,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Unexpected(error.into())
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
