//! Errors as gRPC status codes, with details for programs.

use fulcrum_api::{Malformed, ModeError, because, invalid};
use fulcrum_board::SetError;
use tonic::{Code, Status};

use crate::board_thread::BoardGone;
use crate::control::ControlError;
use crate::limits::Refusal;

/// Levels that are no mode, in a field of a request.
pub(crate) fn no_mode(field: &str, error: &ModeError) -> Status {
    invalid(&Malformed::new(format!("{field}.{}", error.field()), format!("is no mode: {error}")))
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
