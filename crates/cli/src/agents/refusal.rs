//! What went wrong between the command and an agent, as the line that is said and the exit code.

use std::error::Error;

use fulcrum_api::{Address, Malformed, RemoteError, broke, said};
use tonic::{Code, Status};

use crate::exit::Failure;

/// Nobody answers at an address.
pub(crate) fn unreachable(address: &Address, error: &(dyn Error + 'static)) -> Failure {
    let advice = match address {
        Address::Socket(_) => "is it running here? (systemctl status fulcrum-agent)",
        Address::Network(_) => "is it running there, and does it listen in the network?",
    };
    Failure::unreachable(format_args!("no agent answers at {address}: {}; {advice}", cause(error)))
}

/// The innermost reason, which is the one that people know: `Connection refused`.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// An agent said no, or was lost while it was asked.
pub(crate) fn refused(address: &Address, status: &Status) -> Failure {
    let message = format!("the agent at {address}: {}", said(status));
    if broke(status) {
        return Failure::unreachable(message);
    }
    match status.code() {
        Code::InvalidArgument | Code::OutOfRange | Code::NotFound => Failure::bad_input(message),
        Code::FailedPrecondition
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::ResourceExhausted
        | Code::AlreadyExists
        | Code::Aborted => Failure::refused(message),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            Failure::unreachable(message)
        }
        code => Failure::Unexpected(anyhow::anyhow!("{message} ({code:?})")),
    }
}

/// An agent said something that makes no sense.
pub(crate) fn malformed(address: &Address, error: &Malformed) -> Failure {
    Failure::Unexpected(anyhow::anyhow!(
        "the agent at {address} answered something that makes no sense: {error}; \
         is it of the same release?"
    ))
}

/// A board behind an agent cannot be measured on.
pub(crate) fn of_remote(address: &Address, error: &RemoteError) -> Failure {
    match error {
        RemoteError::Unreachable { .. } => unreachable(address, error),
        RemoteError::Refused(status) => refused(address, status),
        RemoteError::Malformed(error) => malformed(address, error),
        RemoteError::LeaseLost(_) => Failure::refused(format_args!("{error}")),
        RemoteError::Interrupted => Failure::Interrupted,
        RemoteError::Runtime(_) => Failure::Unexpected(anyhow::anyhow!("{error}")),
    }
}

/// A board behind an agent was lost while it was measured on, with the reason that it gave.
pub(crate) fn of_lost(reason: &str) -> Failure {
    if reason == RemoteError::Interrupted.to_string() {
        return Failure::Interrupted;
    }
    Failure::unreachable(reason)
}
