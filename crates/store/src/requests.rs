//! Requests that were taken: whoever asks once more, or late, changes nothing.

/// Who asks for a change, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked<'a> {
    /// Tells the request from all others; empty where it need not be told.
    pub request_id: &'a str,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The trace that this is part of; empty for none.
    pub trace: &'a str,
}

impl<'a> Asked<'a> {
    /// Asks at a time.
    pub const fn new(request_id: &'a str, at_ms: i64) -> Self {
        Self { request_id, at_ms, trace: "" }
    }

    /// The same as part of a trace.
    #[must_use]
    pub const fn traced(self, trace: &'a str) -> Self {
        Self { trace, ..self }
    }
}

/// Keeps that a request was taken.
pub(crate) const TAKE: &str =
    "INSERT INTO requests (id, what, at_ms) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";

/// Whether a request was not taken before. From then on it was: in a transaction, so that it is
/// taken with what it changes, or not at all.
macro_rules! is_new {
    ($transaction:ident, $asked:expr, $what:expr) => {
        $asked.request_id.is_empty() || {
            let query = sqlx::query($crate::requests::TAKE);
            let query = query.bind($asked.request_id).bind($what).bind($asked.at_ms);
            query.execute(&mut *$transaction).await?.rows_affected() > 0
        }
    };
}
pub(crate) use is_new;
