//! What may be set here, whoever asks: ranges of the knobs, and how often the mode may change.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fulcrum_board::Moment;
use fulcrum_domain::{ModeId, ModeSpace};

/// The operator's limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// By knob, the lowest and the highest level that may be set; a knob that is not named is free.
    pub ranges: BTreeMap<String, (f64, f64)>,
    /// The shortest time between two changes.
    pub minimum_dwell: Duration,
    /// The most changes within a minute.
    pub changes_a_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { ranges: BTreeMap::new(), minimum_dwell: Duration::ZERO, changes_a_minute: 600 }
    }
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A level is out of the range that is allowed here.
    #[error("{knob} at {level} is not allowed here; it may be {low} to {high}")]
    OutOfRange {
        /// The knob.
        knob: String,
        /// What was asked for.
        level: f64,
        /// The lowest that is allowed.
        low: f64,
        /// The highest.
        high: f64,
    },
    /// The mode was changed a moment ago.
    #[error("the mode was changed a moment ago; it may be again in {wait:?}")]
    TooSoon {
        /// How long to wait.
        wait: Duration,
    },
    /// The mode was changed too often.
    #[error("the mode was changed {limit} times within a minute; it may be again in {wait:?}")]
    TooMany {
        /// The most changes within a minute.
        limit: u32,
        /// How long to wait.
        wait: Duration,
    },
}

const MINUTE: Duration = Duration::from_mins(1);

/// Lets changes pass that keep to the limits.
#[derive(Debug)]
pub struct ModeGate {
    limits: Limits,
    changes: VecDeque<Moment>,
}

impl ModeGate {
    /// A gate for these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, changes: VecDeque::new() }
    }

    /// Whether the mode may be changed to this one now.
    ///
    /// # Errors
    /// Says which limit speaks against it.
    pub fn admit(&self, space: &ModeSpace, mode: ModeId, now: Moment) -> Result<(), Refusal> {
        for (knob, level) in space.knobs().iter().zip(space.levels(mode)) {
            if let Some(&(low, high)) = self.limits.ranges.get(knob.name())
                && !(low..=high).contains(&level)
            {
                let knob = knob.name().to_owned();
                return Err(Refusal::OutOfRange { knob, level, low, high });
            }
        }
        let since = |change: &Moment| now.since(*change);
        if let Some(last) = self.changes.back().map(since)
            && last < self.limits.minimum_dwell
        {
            return Err(Refusal::TooSoon { wait: self.limits.minimum_dwell.saturating_sub(last) });
        }
        let limit = self.limits.changes_a_minute;
        let recent = self.changes.iter().map(since).filter(|since| *since < MINUTE);
        if recent.clone().count() >= limit as usize {
            let oldest = recent.max().unwrap_or_default();
            return Err(Refusal::TooMany { limit, wait: MINUTE.saturating_sub(oldest) });
        }
        Ok(())
    }

    /// The mode was changed.
    pub fn changed(&mut self, now: Moment) {
        self.changes.push_back(now);
        while self.changes.len() > self.limits.changes_a_minute as usize + 1 {
            self.changes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use fulcrum_domain::Knob;
    use proptest::prelude::*;

    use super::*;

    fn space() -> ModeSpace {
        let knob = Knob::new("gpu_khz", [100.0, 200.0, 300.0]).unwrap();
        ModeSpace::full_grid(vec![knob]).unwrap()
    }

    #[test]
    fn a_level_out_of_range_is_refused_with_the_range() {
        let ranges = BTreeMap::from([("gpu_khz".to_owned(), (100.0, 200.0))]);
        let gate = ModeGate::new(Limits { ranges, ..Limits::default() });
        let space = space();
        assert_eq!(gate.admit(&space, space.lowest(), Moment::START), Ok(()));
        let refused = gate.admit(&space, space.highest(), Moment::START).unwrap_err();
        let message = "gpu_khz at 300 is not allowed here; it may be 100 to 200";
        assert_eq!(refused.to_string(), message);
    }

    proptest! {
        #[test]
        fn changes_keep_to_the_dwell_and_the_rate(
            gaps in prop::collection::vec(0..20_000u64, 1..80),
            dwell in 0..5_000u64,
            limit in 1..10u32,
        ) {
            let space = space();
            let minimum_dwell = Duration::from_millis(dwell);
            let limits =
                Limits { minimum_dwell, changes_a_minute: limit, ..Limits::default() };
            let mut gate = ModeGate::new(limits);
            let mut now = Moment::START;
            let mut changes: Vec<Moment> = Vec::new();
            for gap in gaps {
                now = now + Duration::from_millis(gap);
                match gate.admit(&space, space.lowest(), now) {
                    Ok(()) => {
                        gate.changed(now);
                        changes.push(now);
                    }
                    Err(Refusal::TooSoon { wait }) => {
                        // Whoever waits as told is not refused for the same reason.
                        let later = gate.admit(&space, space.lowest(), now + wait);
                        let again = matches!(later, Err(Refusal::TooSoon { .. }));
                        prop_assert!(wait > Duration::ZERO && !again);
                    }
                    Err(Refusal::TooMany { wait, .. }) => {
                        let later = gate.admit(&space, space.lowest(), now + wait);
                        let again = matches!(later, Err(Refusal::TooMany { .. }));
                        prop_assert!(wait > Duration::ZERO && !again);
                    }
                    Err(other) => prop_assert!(false, "{other}"),
                }
            }
            for pair in changes.windows(2) {
                prop_assert!(pair[1].since(pair[0]) >= minimum_dwell);
            }
            for window in changes.windows(limit as usize + 1) {
                prop_assert!(window[limit as usize].since(window[0]) >= MINUTE);
            }
        }
    }
}
