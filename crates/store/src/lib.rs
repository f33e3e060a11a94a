//! What is kept: profiles, fronts, boards, searches, jobs, plans and their history.
//!
//! A [`Store`] is a Postgres database or an SQLite file; the same text of a query serves both, and
//! one conformance suite runs on both. Whatever a call has taken is durable when it returns.
//! Everything SQL is in this crate, and in `migrations/`.

mod boards;
mod counts;
mod database;
mod error;
mod forgetting;
mod fronts;
mod jobs;
mod leaders;
mod plans;
mod profiles;
mod requests;
mod revisions;
mod searches;
mod settings;
mod standings;
mod windows;

pub use boards::{StoredBoard, StoredBoardState};
pub use counts::ProfileCount;
pub use database::Store;
pub use error::StoreError;
pub use forgetting::Forgotten;
pub use fronts::StoredFront;
pub use jobs::{JobState, StoredJob};
pub use leaders::Leadership;
pub use plans::{NewEvent, StoredEvent, StoredPlan};
pub use profiles::{ProfileFilter, StoredProfile, mode_from_text, mode_text};
pub use requests::Asked;
pub use revisions::Counted;
pub use searches::{SearchState, StoredSearch};
pub use standings::JobStanding;
pub use windows::StoredWindow;
