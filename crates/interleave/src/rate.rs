//! How many requests arrive a second, watched, and the answer for that rate.
//!
//! A front has an answer for every arrival rate. An agent that holds them as a table adapts by
//! itself, without measuring anything: up at once, since latency is at stake, down with hesitation,
//! since every change costs.

use std::collections::VecDeque;
use std::time::Duration;

use crate::moment::Moment;

/// Watches the arrivals of one inference.
#[derive(Debug, Clone)]
pub struct ArrivalRate {
    window: Duration,
    arrivals: VecDeque<Moment>,
    began: Option<Moment>,
}

/// No more arrivals are remembered: with these the rate is known to 3 % where they are independent.
const REMEMBERED: usize = 1024;

/// A watched rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watched {
    /// Requests a second.
    pub per_second: f64,
    /// The standard deviation of that if arrivals are independent.
    pub deviation: f64,
}

impl ArrivalRate {
    /// Watches over so long a time.
    pub fn over(window: Duration) -> Self {
        Self { window, arrivals: VecDeque::new(), began: None }
    }

    /// Requests arrived.
    pub fn arrived(&mut self, at: Moment) {
        self.began.get_or_insert(at);
        if self.arrivals.len() == REMEMBERED {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(at);
    }

    /// The rate now; nothing before a few requests have arrived.
    pub fn now(&mut self, now: Moment) -> Option<Watched> {
        let full = self.arrivals.len() == REMEMBERED;
        while self.arrivals.front().is_some_and(|&at| now.since(at) > self.window) {
            self.arrivals.pop_front();
        }
        let began = self.began?;
        // Where more came than are remembered, the window is as long as they reach back.
        let span = match self.arrivals.front() {
            Some(&first) if full => now.since(first),
            _ => now.since(began).min(self.window),
        };
        let count = self.arrivals.len() as f64;
        let span = span.as_secs_f64();
        if span <= 0.0 || (count < 5.0 && span < self.window.as_secs_f64()) {
            return None;
        }
        Some(Watched { per_second: count / span, deviation: count.max(1.0).sqrt() / span })
    }
}

/// Answers by arrival rate: each holds up to its rate.
#[derive(Debug, Clone)]
pub struct Answers<T> {
    /// Ascending by rate.
    table: Vec<(f64, T)>,
    current: usize,
    /// The answer for the rate that somebody declared.
    declared: Option<usize>,
    since: Option<Moment>,
    dwell: Duration,
}

/// An answer is taken for a rate that is higher by so many deviations than what was seen.
const HEADROOM: f64 = 2.0;
/// A declared rate is given up for a higher one when what was seen is so many deviations above it:
/// with independent arrivals that is chance once in 700 windows.
const CONTRADICTED: f64 = 3.0;
/// And believed again when it is no more than so many above.
const BORNE_OUT: f64 = 1.0;
/// A lower answer is taken only where the rate is below what it holds up to by this share.
const HYSTERESIS: f64 = 0.05;

impl<T> Answers<T> {
    /// A table of answers, each with the highest rate that it holds for. After a change the next
    /// change down waits at least `dwell`. The highest answer is in force first.
    pub fn new(mut table: Vec<(f64, T)>, dwell: Duration) -> Self {
        table.sort_by(|a, b| a.0.total_cmp(&b.0));
        let current = table.len().saturating_sub(1);
        Self { table, current, declared: None, since: None, dwell }
    }

    /// The same answers, with another one in force; the last where there are fewer.
    #[must_use]
    pub fn beginning_with(mut self, place: usize) -> Self {
        self.current = place.min(self.table.len().saturating_sub(1));
        self
    }

    /// The same answers, with the one for the declared rate in force: what is seen has to contradict
    /// that rate before a higher answer takes its place. A plan is made for what was declared, and
    /// whatever headroom it needs is part of it.
    #[must_use]
    pub fn declared(self, place: usize) -> Self {
        let answers = self.beginning_with(place);
        Self { declared: Some(answers.current), ..answers }
    }

    /// The answer in force; none in an empty table.
    pub fn current(&self) -> Option<&T> {
        self.table.get(self.current).map(|(_, answer)| answer)
    }

    /// The highest rate that the answer in force holds for.
    pub fn holds_to(&self) -> Option<f64> {
        self.table.get(self.current).map(|(rate, _)| *rate)
    }

    /// Takes the answer for what was seen, and says whether that is another one. A rate above all of
    /// them gets the highest.
    pub fn follow(&mut self, now: Moment, seen: Watched) -> bool {
        let Some(last) = self.table.len().checked_sub(1) else { return false };
        let holds = |rate: f64| self.table.partition_point(|(to, _)| *to < rate).min(last);
        let rate = seen.per_second + HEADROOM * seen.deviation;
        let (mut up, mut down) = (holds(rate), holds(rate * (1.0 + HYSTERESIS)));
        if let Some(declared) = self.declared {
            let above = seen.per_second - self.table[declared].0;
            if self.current <= declared && above <= CONTRADICTED * seen.deviation {
                up = up.min(declared);
            }
            if above <= BORNE_OUT * seen.deviation {
                down = down.min(declared);
            }
        }
        let since = *self.since.get_or_insert(now);
        let next = if up > self.current {
            up
        } else if down < self.current && now.since(since) >= self.dwell {
            down
        } else {
            return false;
        };
        self.current = next;
        self.since = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution as _, Exp};

    use super::*;

    fn surely(per_second: f64) -> Watched {
        Watched { per_second, deviation: 0.0 }
    }

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    proptest! {
        #[test]
        fn an_even_rate_is_found(rate in 1.0..1000.0f64) {
            let mut watched = ArrivalRate::over(Duration::from_secs(10));
            let end = 20.0;
            for request in 0..(end * rate) as u64 {
                watched.arrived(Moment::START + Duration::from_secs_f64(request as f64 / rate));
            }
            let found = watched.now(Moment::START + Duration::from_secs_f64(end)).unwrap();
            // A window of ten seconds has one request more or less.
            prop_assert!((found.per_second - rate).abs() < 0.21 + 0.01 * rate, "{found:?}");
        }

        #[test]
        fn the_answer_in_force_holds_for_the_rate(rates in prop::collection::vec(0.0..120.0f64, 1..60)) {
            let table = (1..=10).map(|n| (f64::from(n) * 10.0, n)).collect();
            let mut answers = Answers::new(table, Duration::from_secs(5));
            for (second, &rate) in rates.iter().enumerate() {
                answers.follow(at(1000 * second as u64), surely(rate));
                let holds = answers.holds_to().unwrap();
                prop_assert!(holds >= rate.min(100.0), "{holds} {rate}");
            }
        }
    }

    #[test]
    fn it_goes_up_at_once_and_down_with_hesitation() {
        let mut answers =
            Answers::new(vec![(10.0, 'a'), (20.0, 'b'), (30.0, 'c')], Duration::from_secs(5));
        assert!(!answers.follow(at(0), surely(5.0)));
        assert!(answers.follow(at(5_000), surely(5.0)));
        assert_eq!(answers.current(), Some(&'a'));
        assert!(answers.follow(at(5_100), surely(15.0)));
        assert_eq!(answers.current(), Some(&'b'));
        assert!(!answers.follow(at(6_000), surely(9.0)), "too soon");
        assert!(!answers.follow(at(20_000), surely(9.8)), "too near");
        assert!(answers.follow(at(20_000), surely(9.0)));
    }

    #[test]
    fn a_declared_rate_is_believed_until_what_is_seen_contradicts_it() {
        let table = vec![(45.0, 'a'), (60.0, 'b'), (75.0, 'c')];
        let mut answers = Answers::new(table, Duration::from_secs(20)).declared(1);
        let seen = |per_second| Watched { per_second, deviation: 1.7 };
        assert!(!answers.follow(at(20_000), seen(60.04)));
        assert!(!answers.follow(at(40_000), seen(64.0)), "chance");
        assert!(answers.follow(at(60_000), seen(66.0)));
        assert_eq!(answers.current(), Some(&'c'));
        assert!(!answers.follow(at(61_000), seen(60.0)), "too soon");
        assert!(!answers.follow(at(90_000), seen(63.0)), "not borne out yet");
        assert!(answers.follow(at(90_000), seen(60.5)));
        assert_eq!(answers.current(), Some(&'b'));
        assert!(answers.follow(at(120_000), seen(38.0)));
        assert_eq!(answers.current(), Some(&'a'));
        assert!(answers.follow(at(140_000), seen(60.5)), "up to what was declared, no further");
        assert_eq!(answers.current(), Some(&'b'));
    }

    #[test]
    fn independent_arrivals_at_the_declared_rate_hardly_ever_leave_it() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let gaps = Exp::new(60.0).unwrap();
        let mut watched = ArrivalRate::over(Duration::from_secs(20));
        let table = vec![(45.0, 'a'), (60.0, 'b'), (75.0, 'c')];
        let mut answers = Answers::new(table, Duration::from_secs(20)).declared(1);
        let (mut next, mut away) = (0.0, 0);
        let looks = 2 * 3600;
        for look in 1..=looks {
            while next < 0.5 * f64::from(look) {
                watched.arrived(Moment::START + Duration::from_secs_f64(next));
                next += gaps.sample(&mut rng);
            }
            let now = at(500 * u64::try_from(look).unwrap());
            if look > 40
                && let Some(seen) = watched.now(now)
            {
                answers.follow(now, seen);
            }
            away += i32::from(answers.current() != Some(&'b'));
        }
        assert!(f64::from(away) < 0.05 * f64::from(looks), "{away} of {looks} looks");
    }

    #[test]
    fn when_nothing_comes_any_more_the_rate_falls_to_nothing() {
        let mut watched = ArrivalRate::over(Duration::from_secs(10));
        assert_eq!(watched.now(at(0)), None);
        for request in 0..100 {
            watched.arrived(at(100 * request));
        }
        assert_eq!(watched.now(at(60_000)).unwrap().per_second, 0.0);
    }
}
