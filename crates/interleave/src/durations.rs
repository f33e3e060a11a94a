//! How long minibatches take, learned by watching them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::moment::Moment;

/// So many of the last durations are remembered of each batch size.
const REMEMBERED: usize = 128;
/// The share of the remembered durations that are no longer than what is expected.
const HIGH: f64 = 0.95;
/// A change shows in the last few before it shows in all that are remembered.
const RECENT: usize = 8;
const HIGH_OF_RECENT: f64 = 0.75;
/// What was not seen for so long is believed by halves with each further time as long: a workload
/// that is kept from running because it once took long would else never show that it no longer does.
const FADES: Duration = Duration::from_secs(2);

/// How long the minibatches of one workload take, by batch size.
#[derive(Debug, Clone, Default)]
pub struct Durations {
    by_size: BTreeMap<u32, Window>,
}

/// What is known of a minibatch's duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The median.
    pub typical: Duration,
    /// What it hardly ever exceeds.
    pub high: Duration,
}

impl Durations {
    /// What a profile says of a batch size. What is watched counts more, as long as it is fresh.
    pub fn expect(&mut self, batch_size: u32, duration: Duration) {
        self.by_size.insert(batch_size, Window::new(duration));
    }

    /// A minibatch that ended at a moment took this long.
    pub fn watched(&mut self, batch_size: u32, duration: Duration, ended: Moment) {
        let window = self.by_size.entry(batch_size).or_insert_with(|| Window::new(duration));
        window.push(duration, ended);
    }

    /// Forgets everything: another power mode, another program.
    pub fn forget(&mut self) {
        self.by_size.clear();
    }

    /// How long a minibatch of a size takes. Where that size was not seen, the next larger one
    /// says at most how long, and beyond the largest it is taken to grow with the size. Nothing
    /// where no size was seen.
    pub fn of(&self, batch_size: u32, now: Moment) -> Option<Known> {
        if let Some((_, window)) = self.by_size.range(batch_size..).next() {
            return Some(window.known(now));
        }
        let (&size, window) = self.by_size.last_key_value()?;
        let grown = |time: Duration| time.mul_f64(f64::from(batch_size) / f64::from(size.max(1)));
        let known = window.known(now);
        Some(Known { typical: grown(known.typical), high: grown(known.high) })
    }
}

/// The last durations of one batch size.
#[derive(Debug, Clone)]
struct Window {
    last: Vec<u64>,
    /// Where the next one goes.
    next: usize,
    seen: Option<Moment>,
    /// What its profile says.
    expected: Duration,
    known: Known,
}

impl Window {
    fn new(expected: Duration) -> Self {
        let known = Known { typical: expected, high: expected };
        Self { last: Vec::new(), next: 0, seen: None, expected, known }
    }

    fn known(&self, now: Moment) -> Known {
        let Known { typical, high } = self.known;
        let age = self.seen.map_or(Duration::ZERO, |seen| now.since(seen));
        let last = typical.min(self.expected);
        if age <= FADES || high <= last {
            return self.known;
        }
        let halves = age.as_secs_f64() / FADES.as_secs_f64() - 1.0;
        Known { typical, high: last + high.saturating_sub(last).mul_f64((-halves).exp2()) }
    }

    fn push(&mut self, duration: Duration, ended: Moment) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if self.last.len() < REMEMBERED {
            self.last.push(ns);
        } else {
            self.last[self.next] = ns;
        }
        self.next = (self.next + 1) % REMEMBERED;
        self.seen = Some(ended);
        let mut sorted = [0; REMEMBERED];
        let n = self.last.len();
        sorted[..n].copy_from_slice(&self.last);
        let high = quantile(&mut sorted[..n], HIGH).max(self.recent());
        let typical = quantile(&mut sorted[..n], 0.5);
        self.known =
            Known { typical: Duration::from_nanos(typical), high: Duration::from_nanos(high) };
    }

    fn recent(&self) -> u64 {
        let mut recent = [0; RECENT];
        let count = self.last.len().min(RECENT);
        for (back, place) in recent[..count].iter_mut().enumerate() {
            *place = self.last[(self.next + REMEMBERED - 1 - back) % REMEMBERED];
        }
        quantile(&mut recent[..count], HIGH_OF_RECENT)
    }
}

/// The smallest value that a share of them does not exceed.
fn quantile(values: &mut [u64], share: f64) -> u64 {
    let place = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len()) - 1;
    *values.select_nth_unstable(place).1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(ms: f64) -> Duration {
        Duration::from_secs_f64(ms / 1e3)
    }

    proptest! {
        #[test]
        fn what_is_expected_covers_nearly_all_of_what_comes(base in 1.0..200.0f64, seed in any::<u64>()) {
            use rand::{RngExt as _, SeedableRng as _};
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let mut durations = Durations::default();
            let (mut over, runs) = (0, 2000);
            for run in 0..runs {
                let took = millis(base * random.random_range(0.95..1.05));
                if run >= REMEMBERED && took > durations.of(4, Moment::START).unwrap().high {
                    over += 1;
                }
                durations.watched(4, took, Moment::START);
            }
            prop_assert!(f64::from(over) / runs as f64 <= 0.08, "{over} of {runs}");
        }

        #[test]
        fn a_lasting_change_shows_after_a_few(before in 1.0..50.0f64, factor in 1.5..8.0f64) {
            let mut durations = Durations::default();
            for _ in 0..500 {
                durations.watched(1, millis(before), Moment::START);
            }
            for _ in 0..RECENT {
                durations.watched(1, millis(before * factor), Moment::START);
            }
            prop_assert!(durations.of(1, Moment::START).unwrap().high >= millis(before * factor * 0.999));
            for _ in 0..REMEMBERED {
                durations.watched(1, millis(before), Moment::START);
            }
            prop_assert!(durations.of(1, Moment::START).unwrap().high <= millis(before * 1.001));
        }

        #[test]
        fn one_freak_of_many_changes_little(before in 1.0..50.0f64) {
            let mut durations = Durations::default();
            for _ in 0..REMEMBERED {
                durations.watched(1, millis(before), Moment::START);
            }
            durations.watched(1, millis(before * 100.0), Moment::START);
            prop_assert!(durations.of(1, Moment::START).unwrap().high <= millis(before * 1.001));
        }

        #[test]
        fn larger_minibatches_are_never_taken_to_be_shorter(
            times in prop::collection::btree_map(1..64u32, 1.0..100.0f64, 1..8), a in 1..128u32, b in 1..128u32,
        ) {
            let mut durations = Durations::default();
            let mut longest = 0.0f64;
            // A device that is monotone itself.
            for (&size, &time) in &times {
                longest = longest.max(time);
                durations.watched(size, millis(longest), Moment::START);
            }
            let (small, large) = (a.min(b), a.max(b));
            prop_assert!(durations.of(small, Moment::START).unwrap().high <= durations.of(large, Moment::START).unwrap().high);
        }
    }

    #[test]
    fn what_is_kept_from_running_is_believed_less_and_less() {
        let mut durations = Durations::default();
        for run in 0..100 {
            let took = if run % 5 == 0 { 500.0 } else { 20.0 };
            durations.watched(1, millis(took), Moment::START);
        }
        let after =
            |seconds| durations.of(1, Moment::START + Duration::from_secs(seconds)).unwrap().high;
        assert_eq!(after(2), millis(500.0));
        assert_eq!(after(4), millis(260.0));
        assert!(after(20) < millis(21.0));
    }

    #[test]
    fn nothing_is_known_of_what_was_never_seen() {
        assert_eq!(Durations::default().of(1, Moment::START), None);
    }
}
