//! A turn that stands: the worker decides by itself when a minibatch begins, as the agent would.

use std::time::Duration;

use crate::wire::Size;

/// A turn that goes on until it is revoked.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) grant: u64,
    /// At least one, ascending.
    pub(crate) sizes: Vec<Size>,
}

impl Standing {
    /// How many of the requests that wait, the oldest for so long, a minibatch answers that begins
    /// now; none while it is better to wait for more. What an agent decides for workers that do not
    /// stand is the same (`fulcrum_interleave::Size::answers`).
    pub(crate) fn answers(&self, waiting: usize, waited: Duration) -> Option<u32> {
        let first = self.sizes.first()?;
        if waiting == 0 || (waiting < first.requests as usize && waited < first.hold()) {
            return None;
        }
        let late_in_any_case = waited > first.hold();
        let fits = |size: &&Size| {
            size.requests as usize <= waiting && (late_in_any_case || waited <= size.hold())
        };
        let size = self.sizes.iter().rev().find(fits).map(|size| size.requests);
        Some(size.unwrap_or_else(|| u32::try_from(waiting).unwrap_or(u32::MAX)))
    }

    /// With how many requests there is something to decide again, when so many wait.
    pub(crate) fn decides_with(&self, waiting: usize) -> usize {
        let full = self.sizes.first().map_or(1, |size| size.requests as usize);
        if waiting == 0 { 1 } else { full }
    }

    /// For how long the oldest may still wait, when it has waited for so long.
    pub(crate) fn bears(&self, waited: Duration) -> Duration {
        self.sizes.first().map_or(Duration::ZERO, |size| size.hold().saturating_sub(waited))
    }
}

impl Size {
    fn hold(&self) -> Duration {
        Duration::from_nanos(self.hold_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minibatch_is_as_large_as_the_oldest_bears() {
        let size = |requests, ms: u64| Size { requests, hold_ns: ms * 1_000_000 };
        let standing = Standing { grant: 1, sizes: vec![size(4, 20), size(8, 15), size(16, 5)] };
        let answers = |waiting, ms| standing.answers(waiting, Duration::from_millis(ms));
        assert_eq!(answers(0, 100), None);
        assert_eq!(answers(3, 19), None);
        assert_eq!(answers(3, 20), Some(3));
        assert_eq!(answers(4, 0), Some(4));
        assert_eq!(answers(20, 5), Some(16));
        assert_eq!(answers(20, 6), Some(8));
        assert_eq!(answers(20, 16), Some(4));
        assert_eq!(answers(20, 21), Some(16));
        assert_eq!(standing.bears(Duration::from_millis(8)), Duration::from_millis(12));
        assert_eq!(standing.bears(Duration::from_secs(1)), Duration::ZERO);
        assert_eq!((standing.decides_with(0), standing.decides_with(2)), (1, 4));
    }
}
