//! A store's errors as gRPC statuses.

use fulcrum_api::{because, reason};
use fulcrum_store::StoreError;
use tonic::{Code, Status};

/// What a caller is told of a store's error. Details of the database stay in the log.
pub fn of_store(error: &StoreError) -> Status {
    let (code, reason) = match error {
        StoreError::Unavailable(_) => (Code::Unavailable, reason::STORE_UNAVAILABLE),
        StoreError::Full(_) => {
            tracing::error!(%error, "the store has no room");
            (Code::Unavailable, reason::STORE_FULL)
        }
        StoreError::NotFound { .. } => (Code::NotFound, reason::NOT_FOUND),
        StoreError::Address { .. }
        | StoreError::Open { .. }
        | StoreError::Migration(_)
        | StoreError::Refused(_) => {
            tracing::error!(%error, "the store refused");
            (Code::Internal, reason::STORE_REFUSED)
        }
    };
    because(code, reason, error.to_string())
}
