//! Things that anybody may make happen often, and that are said seldom.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often something is said.
const EVERY: Duration = Duration::from_secs(10);

/// Something that anybody may make happen often. It is said at most every ten seconds, with how
/// often it has happened since.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// It has happened; says so, where it has not been said lately, with how often it happened.
    pub(crate) fn happened(&self, say: impl FnOnce(u64)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 += 1;
        if state.0.is_none_or(|said| said.elapsed() >= EVERY) {
            let times = std::mem::take(&mut state.1);
            state.0 = Some(Instant::now());
            drop(state);
            say(times);
        }
    }
}
