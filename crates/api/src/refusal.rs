//! Refusals as gRPC statuses, with details for programs.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::malformed::Malformed;
use crate::reason::Reason;

/// The domain of the reasons in error details.
const DOMAIN: &str = "fulcrum";

/// A field of a request that does not hold what it should.
pub fn invalid(malformed: &Malformed) -> Status {
    let details =
        ErrorDetails::with_bad_request_violation(&malformed.field, malformed.problem.clone());
    Status::with_error_details(Code::InvalidArgument, malformed.to_string(), details)
}

/// A status with a reason for programs.
pub fn because(code: Code, reason: Reason, message: String) -> Status {
    let details = ErrorDetails::with_error_info(reason.name, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, details)
}

/// A code as the protocol spells it.
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// What a status says; where the connection broke, also what broke it: `received fatal alert:
/// UnknownCA`.
pub fn said(status: &Status) -> String {
    let mut innermost = std::error::Error::source(status);
    while let Some(source) = innermost.and_then(std::error::Error::source) {
        innermost = Some(source);
    }
    match innermost {
        Some(cause) => format!("the connection broke: {cause}"),
        None => status.message().to_owned(),
    }
}

/// Whether a status was made here, because the connection broke, and not by the other side.
pub fn broke(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}
