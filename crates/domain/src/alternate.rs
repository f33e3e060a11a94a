//! How training and inference alternate, and what throughput of training that leaves.
//!
//! A cycle is the time T = β/α in which the requests of one inference minibatch arrive. Each cycle
//! holds one inference minibatch of length `t_in`; training minibatches of length `t_tr` share
//! what is left.

use std::fmt;
use std::str::FromStr;

use crate::units::{Hertz, Seconds};

/// How the two workloads take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Alternate {
    /// Every cycle holds the same whole number of training minibatches and then one inference
    /// minibatch; what is left of the cycle is idle. This is the form of the paper
    /// (arXiv 2509.20205).
    #[default]
    Strict,
    /// Training carries on across cycles: a training minibatch may delay the inference as long as
    /// the latency budget has slack for it.
    SlackAware,
}

impl Alternate {
    /// `strict` or `slack-aware`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::SlackAware => "slack-aware",
        }
    }
}

impl fmt::Display for Alternate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Alternate {
    type Err = UnknownAlternate;
    fn from_str(text: &str) -> Result<Self, UnknownAlternate> {
        match text {
            "strict" => Ok(Self::Strict),
            "slack-aware" => Ok(Self::SlackAware),
            _ => Err(UnknownAlternate(text.to_owned())),
        }
    }
}

/// A text that names no way to alternate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown way to alternate `{0}`; it is `strict` or `slack-aware`")]
pub struct UnknownAlternate(String);

/// What the background workload gets when the two take turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turns {
    /// Background minibatches in a cycle, τ: a whole number when strict, a mean when slack-aware.
    pub minibatches_per_cycle: f64,
    /// The longest time by which a background minibatch delays an inference minibatch.
    pub delay: Seconds,
}

impl Turns {
    /// The long-run turns for a cycle, an inference minibatch that fits into it, a background
    /// minibatch, and the slack Λ − (T + `t_in`) that the latency budget leaves.
    pub fn new(
        alternate: Alternate,
        cycle: Seconds,
        infer: Seconds,
        background: Seconds,
        slack: Seconds,
    ) -> Self {
        let left = (cycle - infer).max(Seconds::ZERO);
        match alternate {
            Alternate::Strict => Self::strict(left, background),
            Alternate::SlackAware => Self::slack_aware(left, background, slack),
        }
    }

    fn strict(left: Seconds, background: Seconds) -> Self {
        Self { minibatches_per_cycle: (left / background).floor(), delay: Seconds::ZERO }
    }

    /// Each cycle runs one background minibatch more than fits whenever the slack can absorb the
    /// overrun, which the next cycle then pays back.
    ///
    /// Without a reset the overrun of cycle n is d = n·e mod `t_tr`, where e is the overrun of the
    /// first. The first d beyond the slack cannot be absorbed: that cycle runs only what fits,
    /// idles the rest, and the pattern starts anew. So the long-run mean is
    /// ⌊n·left/`t_tr`⌋/n for the length n of the pattern, and left/`t_tr` when there is no reset:
    /// when the pattern closes by itself, or is so long that the delays come arbitrarily near the
    /// slack.
    fn slack_aware(left: Seconds, background: Seconds, slack: Seconds) -> Self {
        let share = left / background;
        let slack = slack / background;
        let overrun = share.ceil() - share;
        let carried = |delay: f64| Self { minibatches_per_cycle: share, delay: background * delay };
        if slack >= 1.0 {
            return carried(if overrun > 0.0 { 1.0 } else { 0.0 });
        }
        if overrun > slack {
            return Self::strict(left, background);
        }
        let mut delay: f64 = 0.0;
        let mut longest: f64 = 0.0;
        for cycles in 1..=LONGEST_PATTERN {
            delay += overrun;
            if delay >= 1.0 {
                delay -= 1.0;
            }
            if delay > slack {
                let n = f64::from(cycles);
                // The pattern's minibatches are a whole number of which n·left/t_tr is short by a
                // rounding error at most.
                let minibatches = (n * share - (1.0 - delay)).round();
                return Self {
                    minibatches_per_cycle: minibatches / n,
                    delay: background * longest,
                };
            }
            longest = longest.max(delay);
            if delay < CLOSED {
                return carried(longest);
            }
        }
        carried(slack)
    }

    /// The throughput of the background workload.
    pub fn throughput(&self, cycle: Seconds) -> Hertz {
        Hertz::new(self.minibatches_per_cycle / cycle.get())
    }
}

/// After so many cycles without a reset, one that came later would change the mean by less than
/// one minibatch in as many cycles.
const LONGEST_PATTERN: u32 = 1000;
/// A delay of less than this share of a background minibatch is none but for rounding.
const CLOSED: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turns(alternate: Alternate, cycle: f64, infer: f64, background: f64, slack: f64) -> Turns {
        let s = Seconds::new;
        Turns::new(alternate, s(cycle), s(infer), s(background), s(slack))
    }

    /// The rule of the run-time, followed cycle by cycle: (mean minibatches a cycle, longest delay).
    fn simulated(cycle: f64, infer: f64, background: f64, slack: f64, cycles: u32) -> (f64, f64) {
        let (mut delay, mut longest, mut minibatches) = (0.0f64, 0.0f64, 0.0f64);
        for _ in 0..cycles {
            let left = cycle - delay - infer;
            let mut k = (left / background).ceil().max(0.0);
            if delay + infer + k * background > cycle + slack {
                k = (left / background).floor().max(0.0);
            }
            delay = (delay + infer + k * background - cycle).max(0.0);
            longest = longest.max(delay);
            minibatches += k;
        }
        (minibatches / f64::from(cycles), longest)
    }

    proptest! {
        #[test]
        fn the_closed_form_is_what_following_the_rule_gives(
            cycle in 0.1f64..2.0, infer_share in 0.05f64..0.95,
            background in 0.02f64..0.5, slack in 0.0f64..0.6,
        ) {
            let infer = cycle * infer_share;
            let closed = turns(Alternate::SlackAware, cycle, infer, background, slack);
            let (mean, longest) = simulated(cycle, infer, background, slack, 20_000);
            // An unfinished pattern at the end, or one longer than is followed.
            prop_assert!((closed.minibatches_per_cycle - mean).abs() < 2e-3,
                "closed {} followed {mean}", closed.minibatches_per_cycle);
            prop_assert!(closed.delay.get() >= longest - 1e-3 * background);
            prop_assert!(closed.delay.get() <= slack.min(background) + 1e-9);
        }

        #[test]
        fn slack_never_costs_throughput(
            cycle in 0.1f64..2.0, infer_share in 0.05f64..0.95,
            background in 0.02f64..0.5, slack in 0.0f64..0.6,
        ) {
            let infer = cycle * infer_share;
            let strict = turns(Alternate::Strict, cycle, infer, background, slack);
            let aware = turns(Alternate::SlackAware, cycle, infer, background, slack);
            prop_assert!(aware.minibatches_per_cycle >= strict.minibatches_per_cycle);
            prop_assert!(aware.minibatches_per_cycle <= (cycle - infer) / background + 1e-9);
        }
    }

    #[test]
    fn strict_takes_the_floor() {
        let strict = turns(Alternate::Strict, 1.0, 0.1, 0.4, 0.5);
        assert_eq!(strict.minibatches_per_cycle, 2.0);
        assert_eq!(strict.throughput(Seconds::new(1.0)), Hertz::new(2.0));
    }

    #[test]
    fn with_slack_for_a_whole_minibatch_nothing_is_idle() {
        let aware = turns(Alternate::SlackAware, 1.0, 0.1, 0.4, 0.5);
        assert!((aware.minibatches_per_cycle - 2.25).abs() < 1e-12);
        assert_eq!(aware.delay, Seconds::new(0.4));
    }

    #[test]
    fn a_pattern_too_long_to_follow_may_delay_by_all_of_the_slack() {
        // The first reset comes after 3,690 cycles, just past what is followed.
        let (cycle, background, slack) = (1.908_084_288, 0.337_956_147, 0.337_515_012);
        let infer = cycle * 0.622_010_566;
        let (_, longest) = simulated(cycle, infer, background, slack, 20_000);
        let aware = turns(Alternate::SlackAware, cycle, infer, background, slack);
        assert!(aware.delay.get() >= longest - 1e-9, "{} < {longest}", aware.delay.get());
    }
}
