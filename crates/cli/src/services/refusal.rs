//! What went wrong between the command and a service, as the line that is said and the exit code.

use std::error::Error as _;

use fulcrum_api::{Address, broke, said};
use tonic::transport::Error;
use tonic::{Code, Status};

use crate::exit::Failure;

/// Nobody answers at an address.
pub(super) fn unreachable(service: &str, address: &Address, error: &Error) -> Failure {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    Failure::unreachable(format_args!(
        "no {service} answers at {address}: {cause}; start fulcrum-{service} (or `fulcrum up`), or \
         name another with --{service}"
    ))
}

/// What a service says where it does not do what it was asked.
pub(super) fn refused(service: &str, address: &Address, status: &Status) -> Failure {
    let message = format!("the {service} at {address}: {}", said(status));
    if broke(status) {
        return Failure::unreachable(message);
    }
    match status.code() {
        Code::InvalidArgument | Code::NotFound | Code::OutOfRange => Failure::bad_input(message),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            Failure::unreachable(message)
        }
        Code::PermissionDenied
        | Code::Unauthenticated
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted => Failure::refused(message),
        code => Failure::Unexpected(anyhow::anyhow!("{message} ({code:?})")),
    }
}
