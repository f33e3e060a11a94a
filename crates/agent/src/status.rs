//! Errors as gRPC status codes, with details for programs.

use fulcrum_api::{Malformed, ModeError, because, invalid, reason};
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
        because(Code::Unavailable, reason::BOARD_GONE, error.to_string())
    }
}

impl From<ControlError> for Status {
    fn from(error: ControlError) -> Self {
        let message = error.to_string();
        let (code, reason) = match &error {
            ControlError::Held(_) => (Code::FailedPrecondition, reason::LEASE_HELD),
            ControlError::NotHeld(_) => (Code::FailedPrecondition, reason::LEASE_NOT_HELD),
            ControlError::Refused(Refusal::OutOfRange { .. }) => {
                (Code::FailedPrecondition, reason::NOT_ALLOWED_HERE)
            }
            ControlError::Refused(Refusal::TooSoon { .. } | Refusal::TooMany { .. }) => {
                (Code::ResourceExhausted, reason::TOO_MANY_CHANGES)
            }
            ControlError::Unrestored(_) => (Code::FailedPrecondition, reason::NOT_RESTORED),
            ControlError::Journal(_) => (Code::Internal, reason::JOURNAL_FAILED),
            ControlError::BoardGone(_) => (Code::Unavailable, reason::BOARD_GONE),
            ControlError::Set(error) => match error {
                SetError::Unknown { .. } => (Code::InvalidArgument, reason::UNKNOWN_MODE),
                SetError::NeedsReboot { .. } => (Code::FailedPrecondition, reason::NEEDS_REBOOT),
                SetError::Denied { .. } => (Code::PermissionDenied, reason::CONTROL_DENIED),
                SetError::Missing { .. } => (Code::Unavailable, reason::CONTROL_MISSING),
                SetError::Refused { .. } => (Code::Aborted, reason::CONTROL_REFUSED),
            },
        };
        because(code, reason, message)
    }
}
