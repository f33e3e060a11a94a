//! Errors as gRPC status codes, with details for programs.

use std::collections::HashMap;

use fulcrum_api::{Malformed, ModeError};
use fulcrum_board::SetError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::board_thread::BoardGone;
use crate::control::ControlError;
use crate::limits::Refusal;

/// The domain of the reasons in error details.
const DOMAIN: &str = "agent.fulcrum";

/// A field of a request that does not hold what it should.
pub(crate) fn invalid(malformed: &Malformed) -> Status {
    let details =
        ErrorDetails::with_bad_request_violation(&malformed.field, malformed.problem.clone());
    Status::with_error_details(Code::InvalidArgument, malformed.to_string(), details)
}

/// Levels that are no mode, in a field of a request.
pub(crate) fn no_mode(field: &str, error: &ModeError) -> Status {
    invalid(&Malformed::new(format!("{field}.{}", error.field()), format!("is no mode: {error}")))
}

/// A status with a reason for programs.
pub(crate) fn because(code: Code, reason: &str, message: String) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, details)
}

impl From<BoardGone> for Status {
    fn from(error: BoardGone) -> Self {
        because(Code::Unavailable, "BOARD_GONE", error.to_string())
    }
}

impl From<ControlError> for Status {
    fn from(error: ControlError) -> Self {
        let message = error.to_string();
        let (code, reason) = match &error {
            ControlError::Held(_) => (Code::FailedPrecondition, "LEASE_HELD"),
            ControlError::NotHeld(_) => (Code::FailedPrecondition, "LEASE_NOT_HELD"),
            ControlError::Refused(Refusal::OutOfRange { .. }) => {
                (Code::FailedPrecondition, "NOT_ALLOWED_HERE")
            }
            ControlError::Refused(Refusal::TooSoon { .. } | Refusal::TooMany { .. }) => {
                (Code::ResourceExhausted, "TOO_MANY_CHANGES")
            }
            ControlError::Unrestored(_) => (Code::FailedPrecondition, "NOT_RESTORED"),
            ControlError::Journal(_) => (Code::Internal, "JOURNAL_FAILED"),
            ControlError::BoardGone(_) => (Code::Unavailable, "BOARD_GONE"),
            ControlError::Set(error) => match error {
                SetError::Unknown { .. } => (Code::InvalidArgument, "UNKNOWN_MODE"),
                SetError::NeedsReboot { .. } => (Code::FailedPrecondition, "NEEDS_REBOOT"),
                SetError::Denied { .. } => (Code::PermissionDenied, "CONTROL_DENIED"),
                SetError::Missing { .. } => (Code::Unavailable, "CONTROL_MISSING"),
                SetError::Refused { .. } => (Code::Aborted, "CONTROL_REFUSED"),
            },
        };
        because(code, reason, message)
    }
}
