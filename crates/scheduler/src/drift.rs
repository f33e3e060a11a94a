//! What windows of time say of a plan: whether its budgets hold, and whether what it rests on is
//! still so.

use std::collections::VecDeque;

use fulcrum_api::{duration_from_wire, v1, workload_from_wire};
use fulcrum_domain::Workload;

/// A plan is judged by its last so many windows.
const JUDGED: usize = 5;
/// The first windows after a change are not judged: workers attach, minibatches of before end.
const SETTLING: u32 = 2;
/// A share of late requests above this breaks the latency budget, which holds for the 99th percentile.
const LATE: f64 = 0.01;
/// By so much more than its budget a board may draw: readings scatter.
const POWER_TOLERANCE: f64 = 0.03;
/// What contradicts a plan has to last for so many windows.
const LASTING: u32 = 10;
/// A workload that is off by less than this is as it was measured.
const DURATION_TOLERANCE: f64 = 0.15;
/// A window with fewer minibatches says nothing of how long they last.
const ENOUGH_MINIBATCHES: u64 = 3;
/// After something was found, nothing is said for so many windows: what was done about it has to
/// show first.
const DWELL: u32 = 60;

/// What a plan expects of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The workload.
    pub workload: Workload,
    /// How long a minibatch lasts, in seconds.
    pub seconds: f64,
    /// Samples or requests in one.
    pub batch_size: u32,
}

/// A plan as it can be held against windows: its answers by arrival rate, each with the highest rate
/// that it holds for, ascending.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Promise {
    /// What the board may draw, in watts.
    pub budget_watts: f64,
    /// The inference whose requests have a latency budget; none where there is none.
    pub urgent: Option<Workload>,
    /// What is expected while each answer is in force. A plan that follows no rate has one answer, up
    /// to 0.
    pub answers: Vec<(f64, Vec<Expected>)>,
}

/// Something that contradicts a plan and has lasted.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Minibatches last longer or shorter than was measured.
    Duration {
        /// Of this workload.
        workload: Workload,
        /// In the answer with this place.
        answer: usize,
        /// By this factor.
        factor: f64,
    },
    /// The board draws more than its budget.
    Power {
        /// In the answer with this place.
        answer: usize,
        /// So much, in watts.
        watts: f64,
    },
    /// Requests arrive faster than any answer holds for, or far slower than the first.
    Rate {
        /// So many a second.
        per_second: f64,
    },
}

/// One window, as far as a plan is judged by it.
#[derive(Debug, Clone, Default)]
struct Judged {
    seconds: f64,
    requests: u64,
    late: u64,
    watts: Option<f64>,
    arrived: u64,
}

/// Holds one plan against the windows that come in.
#[derive(Debug, Clone)]
pub struct Watch {
    promise: Promise,
    /// Windows since the plan came into force.
    seen: u32,
    kept: u32,
    judged: VecDeque<Judged>,
    /// For each workload and direction how long it has been off.
    off: Vec<(Workload, bool, u32)>,
    over_power: u32,
    off_rate: u32,
    quiet: u32,
}

impl Watch {
    /// Begins with a plan that has just come into force.
    pub fn new(promise: Promise) -> Self {
        Self {
            promise,
            seen: 0,
            kept: 0,
            judged: VecDeque::new(),
            off: Vec::new(),
            over_power: 0,
            off_rate: 0,
            quiet: 0,
        }
    }

    /// For how many windows in a row the budgets have held.
    pub const fn kept(&self) -> u32 {
        self.kept
    }

    /// How the budgets are broken, if they are.
    pub fn breaks(&self) -> Option<String> {
        if self.judged.len() < JUDGED {
            return None;
        }
        let requests: u64 = self.judged.iter().map(|window| window.requests).sum();
        let late: u64 = self.judged.iter().map(|window| window.late).sum();
        if late > 0 && late as f64 > LATE * requests as f64 {
            return Some(format!("{late} of the last {requests} requests were late"));
        }
        let watts = self.mean_power()?;
        let budget = self.promise.budget_watts;
        (watts > (1.0 + POWER_TOLERANCE) * budget)
            .then(|| format!("it draws {watts:.1} W of {budget:.1} W"))
    }

    /// Takes another window; says what has lasted long enough to act on.
    pub fn window(&mut self, window: &v1::Window) -> Option<Finding> {
        self.seen = self.seen.saturating_add(1);
        if self.seen <= SETTLING {
            return None;
        }
        let urgent = self.promise.urgent.as_ref();
        let of_urgent = window.workloads.iter().find(|seen| {
            urgent.is_some_and(|urgent| workload(seen).is_some_and(|of| of == *urgent))
        });
        self.judged.push_back(Judged {
            seconds: seconds(window.length.as_ref()),
            requests: of_urgent.map_or(0, |seen| seen.requests),
            late: of_urgent.map_or(0, |seen| seen.late_requests),
            watts: window.mean_power_watts,
            arrived: of_urgent.map_or(0, |seen| seen.arrived),
        });
        if self.judged.len() > JUDGED {
            self.judged.pop_front();
        }
        self.kept = if self.breaks().is_some() { 0 } else { self.kept.saturating_add(1) };
        let found = self.lasting(window);
        if self.quiet > 0 {
            self.quiet -= 1;
            return None;
        }
        if found.is_some() {
            self.quiet = DWELL;
        }
        found
    }

    fn lasting(&mut self, window: &v1::Window) -> Option<Finding> {
        let answer = self.answer_in_force(window);
        let durations = self.durations(window, answer);
        let watts = self.mean_power().filter(|_| self.judged.len() == JUDGED);
        let limit = (1.0 + POWER_TOLERANCE) * self.promise.budget_watts;
        let power = watts.filter(|&watts| lasts(&mut self.over_power, watts > limit));
        let rate = self.arrival_rate().filter(|_| self.judged.len() == JUDGED);
        let rate = rate.filter(|&rate| lasts(&mut self.off_rate, self.promise.is_beyond(rate)));
        durations
            .or_else(|| power.map(|watts| Finding::Power { answer, watts }))
            .or_else(|| rate.map(|per_second| Finding::Rate { per_second }))
    }

    fn durations(&mut self, window: &v1::Window, answer: usize) -> Option<Finding> {
        let mut found = None;
        let expected = self.promise.answers.get(answer).map_or(&[][..], |(_, of)| of.as_slice());
        for seen in &window.workloads {
            let Some(expected) = expected
                .iter()
                .find(|expected| workload(seen).is_some_and(|w| w == expected.workload))
            else {
                continue;
            };
            if seen.minibatches < ENOUGH_MINIBATCHES || !is_full(seen, expected) {
                continue;
            }
            let factor = seconds(seen.busy.as_ref()) / seen.minibatches as f64 / expected.seconds;
            for longer in [true, false] {
                let is_off = if longer {
                    factor > 1.0 + DURATION_TOLERANCE
                } else {
                    factor < 1.0 - DURATION_TOLERANCE
                };
                let key = |(of, way, _): &&mut (Workload, bool, u32)| {
                    *of == expected.workload && *way == longer
                };
                let count = match self.off.iter_mut().find(key) {
                    Some((_, _, count)) => count,
                    None => {
                        self.off.push((expected.workload.clone(), longer, 0));
                        let Some((_, _, count)) = self.off.last_mut() else { continue };
                        count
                    }
                };
                if lasts(count, is_off) {
                    let workload = expected.workload.clone();
                    found = Some(Finding::Duration { workload, answer, factor });
                }
            }
        }
        found
    }

    /// The place of the answer in force.
    fn answer_in_force(&self, window: &v1::Window) -> usize {
        let answers = &self.promise.answers;
        answers.iter().position(|(hertz, _)| *hertz == window.answer_hertz).unwrap_or(0)
    }

    /// Mean power over the judged windows; none where one of them has none.
    fn mean_power(&self) -> Option<f64> {
        let all: Option<Vec<f64>> =
            self.judged.iter().map(|window| Some(window.watts? * window.seconds)).collect();
        let time: f64 = self.judged.iter().map(|window| window.seconds).sum();
        all.filter(|_| time > 0.0).map(|joules| joules.iter().sum::<f64>() / time)
    }

    fn arrival_rate(&self) -> Option<f64> {
        let time: f64 = self.judged.iter().map(|window| window.seconds).sum();
        let arrived: u64 = self.judged.iter().map(|window| window.arrived).sum();
        (time > 0.0 && arrived > 0).then(|| arrived as f64 / time)
    }
}

impl Promise {
    /// Whether a rate is one that the answers were not made for.
    fn is_beyond(&self, rate: f64) -> bool {
        match self.answers.as_slice() {
            [(lowest, _), .., (highest, _)] => rate > *highest || rate < 0.5 * lowest,
            _ => false,
        }
    }
}

/// Counts how long something lasts; whether it has lasted long enough.
fn lasts(count: &mut u32, is_so: bool) -> bool {
    *count = if is_so { *count + 1 } else { 0 };
    if *count < LASTING {
        return false;
    }
    *count = 0;
    true
}

/// Whether minibatches were as large as they were measured: only then their times can be compared.
fn is_full(seen: &v1::WorkloadWindow, expected: &Expected) -> bool {
    let infers = expected.workload.kind == fulcrum_domain::WorkloadKind::Infer;
    let full = seen.minibatches as f64 * f64::from(expected.batch_size);
    !infers || (0.95 * full..=1.05 * full).contains(&(seen.requests as f64))
}

fn workload(seen: &v1::WorkloadWindow) -> Option<Workload> {
    workload_from_wire(&seen.workload, seen.kind).ok()
}

fn seconds(duration: Option<&prost_types::Duration>) -> f64 {
    duration.and_then(duration_from_wire).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use fulcrum_api::duration_to_wire;
    use fulcrum_domain::WorkloadKind;
    use proptest::prelude::*;
    use std::time::Duration;

    use super::*;

    fn promise() -> Promise {
        let expected = |batch_size| {
            vec![
                Expected { workload: Workload::train("a"), seconds: 0.05, batch_size: 16 },
                Expected { workload: Workload::infer("b"), seconds: 0.02, batch_size },
            ]
        };
        Promise {
            budget_watts: 30.0,
            urgent: Some(Workload::infer("b")),
            answers: vec![(20.0, expected(4)), (40.0, expected(8)), (80.0, expected(16))],
        }
    }

    /// A second of 40 requests a second, in minibatches of eight, and of training in between.
    fn second(train_ms: u64, watts: f64, rate: u64, late: u64) -> v1::Window {
        let of = |name: &str, kind, minibatches: u64, each_ms: u64| v1::WorkloadWindow {
            workload: name.into(),
            kind: fulcrum_api::kind_to_wire(kind).into(),
            minibatches,
            busy: Some(duration_to_wire(Duration::from_millis(each_ms * minibatches))),
            ..Default::default()
        };
        v1::Window {
            length: Some(duration_to_wire(Duration::from_secs(1))),
            mean_power_watts: Some(watts),
            workloads: vec![
                of("a", WorkloadKind::Train, 15, train_ms),
                v1::WorkloadWindow {
                    arrived: rate,
                    requests: rate,
                    late_requests: late,
                    ..of("b", WorkloadKind::Infer, rate / 8, 20)
                },
            ],
            answer_hertz: 40.0,
            ..Default::default()
        }
    }

    /// What was found, in which window.
    fn found(window: &v1::Window, count: u32) -> Vec<(u32, Finding)> {
        let mut watch = Watch::new(promise());
        (1..=count).filter_map(|n| watch.window(window).map(|found| (n, found))).collect()
    }

    #[test]
    fn what_is_as_planned_contradicts_nothing_and_keeps_its_budgets() {
        let mut watch = Watch::new(promise());
        for _ in 0..100 {
            assert_eq!(watch.window(&second(50, 29.0, 40, 0)), None);
        }
        assert_eq!((watch.kept(), watch.breaks()), (98, None));
    }

    #[test]
    fn what_lasts_longer_than_known_is_found_once_it_has_lasted() {
        let all = found(&second(60, 29.0, 40, 0), 100);
        let (first, finding) = &all[0];
        assert_eq!(*first, SETTLING + LASTING);
        let Finding::Duration { workload, answer, factor } = finding else { panic!("{finding:?}") };
        assert_eq!((workload, *answer), (&Workload::train("a"), 1));
        assert!((factor - 1.2).abs() < 1e-9);
        assert_eq!(all.len(), 2, "and then only after a while: {all:?}");
        assert!(all[1].0 > first + DWELL);
        assert_eq!(found(&second(40, 29.0, 40, 0), 12).len(), 1, "shorter is another thing too");
    }

    #[test]
    fn a_board_that_draws_too_much_is_found_and_breaks_its_budget() {
        let all = found(&second(50, 31.5, 40, 0), 40);
        assert!(matches!(all[0].1, Finding::Power { answer: 1, .. }), "{all:?}");
        let mut watch = Watch::new(promise());
        (0..10).for_each(|_| drop(watch.window(&second(50, 31.5, 40, 0))));
        assert!(watch.breaks().unwrap().contains("31.5 W of 30.0 W"));
        assert_eq!(watch.kept(), 0);
    }

    #[test]
    fn power_that_is_not_known_breaks_nothing() {
        let unknown = v1::Window { mean_power_watts: None, ..second(50, 0.0, 40, 0) };
        let mut watch = Watch::new(promise());
        (0..10).for_each(|_| assert_eq!(watch.window(&unknown), None));
        assert_eq!(watch.breaks(), None);
    }

    #[test]
    fn a_rate_that_no_answer_holds_for_is_found() {
        let fast = v1::Window { answer_hertz: 80.0, ..second(50, 29.0, 96, 0) };
        let all = found(&fast, 40);
        assert_eq!(all[0].1, Finding::Rate { per_second: 96.0 });
        assert!(found(&second(50, 29.0, 72, 0), 40).is_empty(), "an answer holds for it");
        let slow = v1::Window { answer_hertz: 20.0, ..second(50, 29.0, 8, 0) };
        assert!(matches!(found(&slow, 40)[0].1, Finding::Rate { .. }));
    }

    #[test]
    fn one_late_request_in_a_hundred_is_within_the_budget() {
        let mut watch = Watch::new(promise());
        for n in 0..10 {
            watch.window(&second(50, 29.0, 40, u64::from(n % 5 == 0)));
        }
        assert_eq!(watch.breaks(), None, "1 of 200");
        for _ in 0..5 {
            watch.window(&second(50, 29.0, 40, 1));
        }
        assert!(watch.breaks().unwrap().contains("5 of the last 200 requests were late"));
    }

    proptest! {
        #[test]
        fn what_comes_and_goes_is_never_found(off in 2..LASTING, windows in 20..200u32) {
            let mut watch = Watch::new(promise());
            for n in 0..windows {
                let train = if n % off == 0 { 50 } else { 70 };
                prop_assert_eq!(watch.window(&second(train, 29.0, 40, 0)), None);
            }
        }
    }
}
