//! The policy: what a free device should do now.
//!
//! When as many requests wait as a minibatch takes, inference starts. Otherwise a background
//! minibatch runs, unless it could make the oldest request late; then the device waits for a full
//! minibatch, or for the last safe moment, and answers what is there by then. So a request may be
//! held up by background minibatches just as far as its latency budget has slack.

use std::time::Duration;

use fulcrum_domain::Alternate;

use crate::moment::Moment;

/// Requests without a latency budget are answered as if they had this one, but as soon as they can
/// be.
const NO_BUDGET: Duration = Duration::from_secs(1);

/// What waits for one inference workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Requests that wait.
    pub waiting: u32,
    /// When the oldest of them arrived; of no meaning while none waits.
    pub oldest: Moment,
    /// The most requests that a minibatch answers.
    pub batch_size: u32,
    /// How long a request may take. None where nothing was promised.
    pub latency_budget: Option<Duration>,
    /// The longest that a full minibatch takes.
    pub minibatch: Duration,
}

impl Stream {
    /// Whether to answer without waiting for more.
    fn is_full(&self) -> bool {
        self.waiting >= self.batch_size || (self.latency_budget.is_none() && self.waiting > 0)
    }

    /// When the oldest request should be answered, or one that would arrive now.
    fn deadline(&self, now: Moment) -> Moment {
        let arrived = if self.waiting > 0 { self.oldest } else { now };
        arrived + self.latency_budget.unwrap_or(NO_BUDGET)
    }

    fn is_promised(&self) -> bool {
        self.latency_budget.is_some()
    }
}

/// What would run in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Background {
    /// How long it can hold up requests: the longest that a minibatch takes; zero where it is
    /// preempted in the midst of one.
    pub holds_up: Duration,
    /// At most so many minibatches before the next inference; none for as many as there is time
    /// for.
    pub left: Option<u32>,
}

/// What a free device should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Answer requests of a stream in one minibatch.
    Infer {
        /// The stream, by its place.
        stream: usize,
        /// How many of the oldest.
        requests: u32,
    },
    /// Run background minibatches.
    Background {
        /// None may begin later than this, as long as no more requests arrive.
        start_until: Moment,
        /// At most so many; none for as many as there is time for.
        minibatches: Option<u32>,
    },
    /// Do nothing until then, unless a request arrives.
    Wait {
        /// The last safe moment to answer what waits.
        until: Moment,
    },
}

/// What a free device should do now. Durations are taken to be longer by the share `guard`.
pub fn decide(
    now: Moment,
    guard: f64,
    streams: &[Stream],
    background: Option<Background>,
) -> Decision {
    let guarded = |time: Duration| time.mul_f64(1.0 + guard);
    let waiting = || streams.iter().enumerate().filter(|(_, stream)| stream.waiting > 0);
    let by_deadline = |(_, stream): &(usize, &Stream)| stream.deadline(now);
    if let Some((place, full)) = waiting().filter(|(_, s)| s.is_full()).min_by_key(by_deadline) {
        // Another stream's requests may not bear to wait for this minibatch.
        let first = waiting().min_by_key(by_deadline).filter(|(_, first)| {
            now + guarded(full.minibatch) + guarded(first.minibatch) > first.deadline(now)
        });
        let (stream, chosen) = first.unwrap_or((place, full));
        return Decision::Infer { stream, requests: chosen.waiting.min(chosen.batch_size) };
    }
    // When each stream's inference has to begin at the latest, with those before it.
    let latest_start = |stream: &Stream| {
        let deadline = stream.deadline(now);
        let before = streams.iter().filter(|s| s.is_promised() && s.deadline(now) <= deadline);
        deadline - before.map(|s| guarded(s.minibatch)).sum()
    };
    let promised = || streams.iter().filter(|stream| stream.is_promised());
    let last_safe = promised()
        .filter(|stream| stream.waiting > 0)
        .map(latest_start)
        .min()
        .unwrap_or(Moment::NEVER);
    if now >= last_safe
        && let Some((stream, urgent)) = waiting().min_by_key(by_deadline)
    {
        return Decision::Infer { stream, requests: urgent.waiting };
    }
    if let Some(background) = background.filter(|background| background.left != Some(0)) {
        let holds_up = guarded(background.holds_up);
        // A request that arrives just after a background minibatch began must not be late either.
        let bears = promised().all(|stream| now + holds_up <= latest_start(stream));
        if bears || holds_up.is_zero() {
            let start_until =
                if last_safe == Moment::NEVER { last_safe } else { last_safe - holds_up };
            return Decision::Background { start_until, minibatches: background.left };
        }
    }
    Decision::Wait { until: last_safe }
}

/// How many background minibatches a cycle may still have: τ where they alternate strictly, less
/// those that ran.
pub(crate) fn left_in_cycle(alternate: Alternate, per_cycle: u32, ran: u32) -> Option<u32> {
    match alternate {
        Alternate::Strict => Some(per_cycle.saturating_sub(ran)),
        Alternate::SlackAware => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> Moment {
        Moment::START + ms(millis)
    }

    fn stream(waiting: u32, oldest: u64) -> Stream {
        Stream {
            waiting,
            oldest: at(oldest),
            batch_size: 8,
            latency_budget: Some(ms(200)),
            minibatch: ms(20),
        }
    }

    const TRAINING: Option<Background> =
        Some(Background { holds_up: Duration::from_millis(50), left: None });

    #[test]
    fn a_full_minibatch_is_answered_at_once() {
        let decision = decide(at(100), 0.0, &[stream(9, 90)], TRAINING);
        assert_eq!(decision, Decision::Infer { stream: 0, requests: 8 });
    }

    #[test]
    fn training_runs_as_long_as_the_oldest_request_bears_it() {
        let decide = |now| decide(at(now), 0.0, &[stream(3, 100)], TRAINING);
        // 100 + 200 - 20 - 50.
        let runs = Decision::Background { start_until: at(230), minibatches: None };
        assert_eq!(decide(120), runs);
        assert_eq!(decide(230), runs);
        assert_eq!(decide(231), Decision::Wait { until: at(280) });
        assert_eq!(decide(280), Decision::Infer { stream: 0, requests: 3 });
    }

    #[test]
    fn the_guard_takes_everything_to_last_longer() {
        let decision = decide(at(120), 0.1, &[stream(3, 100)], TRAINING);
        assert_eq!(decision, Decision::Background { start_until: at(223), minibatches: None });
    }

    #[test]
    fn training_that_no_request_bears_does_not_run() {
        let long = Some(Background { holds_up: ms(190), left: None });
        let decision = decide(at(100), 0.0, &[stream(0, 0)], long);
        assert_eq!(decision, Decision::Wait { until: Moment::NEVER });
    }

    #[test]
    fn preemptible_training_runs_up_to_the_last_safe_moment_whatever_its_length() {
        let preemptible = Some(Background { holds_up: Duration::ZERO, left: None });
        let decide = |now, stream| decide(at(now), 0.0, &[stream], preemptible);
        let runs = Decision::Background { start_until: at(280), minibatches: None };
        assert_eq!(decide(120, stream(3, 100)), runs);
        assert_eq!(decide(279, stream(3, 100)), runs);
        assert_eq!(decide(280, stream(3, 100)), Decision::Infer { stream: 0, requests: 3 });
        // A budget that no inference meets is no reason for training to stand still.
        let hopeless = Stream { latency_budget: Some(ms(5)), ..stream(0, 0) };
        let forever = Decision::Background { start_until: Moment::NEVER, minibatches: None };
        assert_eq!(decide(100, hopeless), forever);
    }

    #[test]
    fn with_nobody_waiting_training_goes_on_until_somebody_comes() {
        let decision = decide(at(100), 0.0, &[stream(0, 0)], TRAINING);
        let forever = Decision::Background { start_until: Moment::NEVER, minibatches: None };
        assert_eq!(decision, forever);
    }

    #[test]
    fn a_nearer_deadline_goes_before_a_full_minibatch() {
        let full = stream(8, 95);
        let urgent = Stream { latency_budget: Some(ms(35)), ..stream(1, 90) };
        let decision = decide(at(100), 0.0, &[full, urgent], TRAINING);
        assert_eq!(decision, Decision::Infer { stream: 1, requests: 1 });
        // With time for both, the full one need not wait.
        let patient = Stream { latency_budget: Some(ms(150)), ..urgent };
        let decision = decide(at(100), 0.0, &[full, patient], TRAINING);
        assert_eq!(decision, Decision::Infer { stream: 0, requests: 8 });
    }

    #[test]
    fn requests_without_a_budget_are_answered_as_they_come() {
        let free = Stream { latency_budget: None, ..stream(2, 90) };
        assert_eq!(
            decide(at(100), 0.0, &[free], TRAINING),
            Decision::Infer { stream: 0, requests: 2 }
        );
    }

    prop_compose! {
        fn any_stream()(
            waiting in 0..12u32, oldest in 0..1000u64, batch_size in 1..10u32,
            budget in prop::option::of(1..400u64), minibatch in 1..60u64,
        ) -> Stream {
            Stream {
                waiting, oldest: at(oldest), batch_size,
                latency_budget: budget.map(ms), minibatch: ms(minibatch),
            }
        }
    }

    proptest! {
        #[test]
        fn a_background_minibatch_never_makes_a_request_late_that_could_be_in_time(
            streams in prop::collection::vec(any_stream(), 0..4), minibatch in 1..100u64,
        ) {
            let background = Some(Background { holds_up: ms(minibatch), left: None });
            let now = at(1000);
            if let Decision::Background { start_until, .. } = decide(now, 0.0, &streams, background) {
                let end = start_until.max(now) + ms(minibatch);
                // One at a time by deadline, everything that waits is in time.
                let mut by_deadline: Vec<&Stream> = streams.iter().filter(|s| s.waiting > 0).collect();
                by_deadline.sort_by_key(|s| s.deadline(now));
                let mut done = if start_until == Moment::NEVER { now } else { end };
                for stream in by_deadline {
                    done = done + stream.minibatch;
                    prop_assert!(done <= stream.deadline(now));
                }
            }
        }

        #[test]
        fn the_device_never_waits_beside_preemptible_training(
            streams in prop::collection::vec(any_stream(), 0..4),
        ) {
            let now = at(1000);
            let preemptible = Some(Background { holds_up: Duration::ZERO, left: None });
            match decide(now, 0.0, &streams, preemptible) {
                Decision::Wait { .. } => prop_assert!(false, "it waits"),
                decision @ Decision::Infer { .. } => {
                    prop_assert_eq!(decision, decide(now, 0.0, &streams, None));
                }
                // Then inference has to begin no sooner than with nobody in the background.
                Decision::Background { start_until, .. } => {
                    let wait = Decision::Wait { until: start_until };
                    prop_assert_eq!(wait, decide(now, 0.0, &streams, None));
                }
            }
        }

        #[test]
        fn the_device_waits_only_where_there_is_nothing_that_may_run(
            streams in prop::collection::vec(any_stream(), 0..4),
        ) {
            let now = at(1000);
            if let Decision::Wait { until } = decide(now, 0.0, &streams, None) {
                prop_assert!(until > now);
                prop_assert!(streams.iter().all(|s| s.waiting < s.batch_size));
            }
        }

        #[test]
        fn nobody_is_answered_who_does_not_wait(
            streams in prop::collection::vec(any_stream(), 0..4), minibatch in prop::option::of(1..100u64),
        ) {
            let background = minibatch.map(|m| Background { holds_up: ms(m), left: None });
            if let Decision::Infer { stream, requests } = decide(at(1000), 0.1, &streams, background) {
                prop_assert!(requests >= 1 && requests <= streams[stream].waiting);
                prop_assert!(requests <= streams[stream].batch_size);
            }
        }
    }
}
