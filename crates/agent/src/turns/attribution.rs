//! Whose energy it was. One worker at a time has the device, so what is drawn between two readings
//! of the power belongs to those who ran between them, by how long each did, and by how much its
//! profile says that it draws. Nothing is counted twice, and the whole adds up.
//!
//! A minibatch is told of when it has ended, and may have begun many readings before. So what was
//! drawn between two readings is divided once a later minibatch has ended, or after a while. One that
//! preempted another says nothing of that one, which goes on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fulcrum_domain::Workload;
use fulcrum_interleave::{Moment, Ran, WorkerId};

/// So long a minibatch is waited for that may have run; nothing did, if none has ended by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// Divides energy among workers and idling.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    expected_watts: Vec<(Workload, f64)>,
    joules: BTreeMap<WorkerId, f64>,
    joules_of_workloads: BTreeMap<Workload, f64>,
    idle_joules: f64,
    /// The last reading.
    last: Option<(Moment, f64)>,
    /// What was drawn between readings and is not divided yet, ascending.
    spans: VecDeque<Span>,
    /// What ran after the last reading: whose, and from when to when.
    ahead: Vec<(WorkerId, Workload, Piece)>,
    /// When the last minibatch that was told of had ended: all before it are known.
    known_until: Moment,
    /// The least that was ever drawn: an idle board draws at most that.
    least_watts: f64,
}

/// When something ran: from when to when.
type Piece = (Moment, Moment);

/// From one reading to the next.
#[derive(Debug)]
struct Span {
    began: Moment,
    ended: Moment,
    joules: f64,
    /// How long each ran.
    ran: BTreeMap<WorkerId, (Workload, Duration)>,
}

impl Span {
    fn add(&mut self, worker: WorkerId, workload: &Workload, (began, ended): Piece) {
        let time = ended.min(self.ended).since(began.max(self.began));
        if time > Duration::ZERO {
            let entry =
                self.ran.entry(worker).or_insert_with(|| (workload.clone(), Duration::ZERO));
            entry.1 += time;
        }
    }
}

impl Attribution {
    /// What each workload is expected to draw.
    pub(crate) fn expect(&mut self, watts: Vec<(Workload, f64)>) {
        self.expected_watts = watts;
    }

    /// A minibatch ran.
    pub(crate) fn ran(&mut self, workload: &Workload, ran: &Ran) {
        for piece in ran.pieces() {
            let (began, ended) = piece;
            for span in self.spans.iter_mut().rev().take_while(|span| span.ended > began) {
                span.add(ran.worker, workload, piece);
            }
            if self.last.is_some_and(|(read, _)| read < ended) {
                self.ahead.push((ran.worker, workload.clone(), piece));
            }
        }
        if !ran.preempts {
            self.known_until = self.known_until.max(ran.minibatch.ended);
        }
    }

    /// So much energy has been drawn until now, and so much power is drawn now.
    pub(crate) fn drawn(&mut self, now: Moment, joules: f64, watts: Option<f64>) {
        if let Some(watts) = watts.filter(|watts| *watts > 0.0) {
            self.least_watts =
                if self.least_watts > 0.0 { self.least_watts.min(watts) } else { watts };
        }
        let Some((then, before)) = self.last.replace((now, joules)) else { return };
        let drawn = (joules - before).max(0.0);
        let mut span = Span { began: then, ended: now, joules: drawn, ran: BTreeMap::new() };
        for (worker, workload, piece) in &self.ahead {
            span.add(*worker, workload, *piece);
        }
        self.ahead.retain(|(_, _, (_, ended))| *ended > now);
        self.spans.push_back(span);
        while let Some(span) = self.spans.front()
            && (span.ended <= self.known_until || now.since(span.ended) > PATIENCE)
        {
            if let Some(span) = self.spans.pop_front() {
                self.divide(&span);
            }
        }
    }

    fn divide(&mut self, span: &Span) {
        let busy: Duration = span.ran.values().map(|(_, time)| *time).sum();
        let idle = span.ended.since(span.began).saturating_sub(busy);
        let watts = |workload: &Workload| {
            let expected = self.expected_watts.iter().find(|(of, _)| of == workload);
            expected.map(|(_, watts)| *watts)
        };
        // Where nothing is expected of one of them, time alone decides.
        let all_known = span.ran.values().all(|(workload, _)| watts(workload).is_some());
        let weight = |workload: &Workload| {
            if all_known { watts(workload).unwrap_or(1.0) } else { 1.0 }
        };
        let idle_weight = if all_known && !span.ran.is_empty() && self.least_watts > 0.0 {
            span.ran.values().map(|(w, _)| weight(w)).fold(self.least_watts, f64::min)
        } else {
            1.0
        };
        let of_worker =
            |(workload, time): &(Workload, Duration)| weight(workload) * time.as_secs_f64();
        let idle_share = idle_weight * idle.as_secs_f64();
        let whole: f64 = span.ran.values().map(of_worker).sum::<f64>() + idle_share;
        if whole <= 0.0 {
            return;
        }
        for (worker, entry) in &span.ran {
            let share = span.joules * of_worker(entry) / whole;
            *self.joules.entry(*worker).or_default() += share;
            *self.joules_of_workloads.entry(entry.0.clone()).or_default() += share;
        }
        self.idle_joules += span.joules * idle_share / whole;
    }

    /// What was drawn while a worker ran, in joules.
    pub(crate) fn joules(&self, worker: WorkerId) -> f64 {
        self.joules.get(&worker).copied().unwrap_or(0.0)
    }

    /// What was drawn while each workload ran, whichever worker ran it, in joules.
    pub(crate) const fn joules_of_workloads(&self) -> &BTreeMap<Workload, f64> {
        &self.joules_of_workloads
    }

    /// What was drawn while nothing ran, in joules. What may have been drawn by a minibatch that goes
    /// on is nobody's yet.
    pub(crate) fn idle_joules(&self) -> f64 {
        self.idle_joules
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use fulcrum_interleave::{Minibatch, Preemption};

    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    fn ran(worker: WorkerId, began: u64, ended: u64) -> Ran {
        Ran::new(worker, 1, Minibatch { began: at(began), ended: at(ended), requests: 0 })
    }

    /// Two workers that take turns, of minibatches of these lengths with these pauses before them,
    /// and a reading every `every` milliseconds; until everything is divided.
    fn after(minibatches: &[(u64, u64)], every: u64, watts: impl Fn(u64) -> f64) -> Attribution {
        let workloads = [Workload::train("a"), Workload::infer("b")];
        let mut attribution = Attribution::default();
        attribution.expect(vec![(workloads[0].clone(), 40.0), (workloads[1].clone(), 20.0)]);
        let (mut now, mut joules, mut read) = (0, 0.0, 0);
        let mut read_until = |attribution: &mut Attribution, until: u64| {
            while read <= until {
                attribution.drawn(at(read), joules, Some(watts(read)));
                joules += watts(read) * every as f64 / 1e3;
                read += every;
            }
        };
        for (turn, &(pause, time)) in minibatches.iter().enumerate() {
            let (began, ended) = (now + pause, now + pause + time);
            read_until(&mut attribution, ended);
            let who = turn % 2;
            attribution.ran(&workloads[who], &ran(who as u64, began, ended));
            now = ended;
        }
        read_until(&mut attribution, now + 12_000);
        attribution
    }

    proptest! {
        #[test]
        fn what_is_divided_adds_up_to_what_was_drawn(
            minibatches in prop::collection::vec((0..300u64, 1..500u64), 1..50),
            every in 10..1000u64,
        ) {
            let attribution = after(&minibatches, every, |at| 10.0 + (at % 7) as f64);
            let undivided: f64 = attribution.spans.iter().map(|span| span.joules).sum();
            let sum = attribution.joules(0) + attribution.joules(1) + attribution.idle_joules();
            let (_, drawn) = attribution.last.unwrap();
            prop_assert!(((sum + undivided) / drawn - 1.0).abs() < 1e-9, "{sum} {undivided} {drawn}");
            prop_assert!(attribution.spans.iter().all(|span| span.ended > at(0)));
        }

        #[test]
        fn whoever_runs_all_the_time_drew_everything(
            minibatches in prop::collection::vec(1..500u64, 1..50), every in 10..1000u64,
        ) {
            let last: u64 = minibatches.iter().sum();
            let minibatches: Vec<_> = minibatches.into_iter().map(|time| (0, time)).collect();
            // Nothing is drawn once nobody runs any more; the span in which that is has a bit of both.
            let attribution = after(&minibatches, every, |at| if at + every <= last { 30.0 } else { 0.0 });
            let (_, drawn) = attribution.last.unwrap();
            let idle = attribution.idle_joules();
            prop_assert!(idle <= 1e-9 + drawn * 1e-9, "{idle} of {drawn}");
        }
    }

    #[test]
    fn it_is_divided_by_time_and_by_what_each_draws() {
        let mut attribution = Attribution::default();
        attribution.expect(vec![(Workload::train("a"), 40.0), (Workload::infer("b"), 20.0)]);
        attribution.drawn(at(0), 0.0, None);
        attribution.ran(&Workload::train("a"), &ran(1, 0, 500));
        attribution.ran(&Workload::infer("b"), &ran(2, 500, 1000));
        attribution.drawn(at(1000), 30.0, Some(30.0));
        assert!((attribution.joules(1) - 20.0).abs() < 1e-9);
        assert!((attribution.joules(2) - 10.0).abs() < 1e-9);
        assert_eq!(attribution.idle_joules(), 0.0);
    }

    #[test]
    fn a_minibatch_that_was_preempted_pays_for_the_time_in_which_it_ran() {
        let mut attribution = Attribution::default();
        for reading in 0..=3 {
            // The inference that preempts it has ended before it, and is told of first.
            if reading == 2 {
                let ran = Ran { preempts: true, ..ran(2, 300, 1500) };
                attribution.ran(&Workload::infer("b"), &ran);
            }
            attribution.drawn(at(1000 * reading), 10.0 * reading as f64, None);
        }
        assert_eq!(attribution.spans.len(), 3, "nothing is known of who was preempted");
        let preemption = Preemption { began: at(300), ended: at(1500) };
        let long = Ran { preemptions: vec![preemption], ..ran(1, 0, 3000) };
        attribution.ran(&Workload::train("a"), &long);
        attribution.drawn(at(4000), 40.0, None);
        assert!((attribution.joules(2) - 12.0).abs() < 1e-9, "{}", attribution.joules(2));
        assert!((attribution.joules(1) - 18.0).abs() < 1e-9, "{}", attribution.joules(1));
        assert_eq!(attribution.idle_joules(), 0.0);
    }

    #[test]
    fn a_minibatch_that_never_ends_keeps_no_more_than_ten_seconds() {
        let mut attribution = Attribution::default();
        for second in 0..60 {
            attribution.drawn(at(1000 * second), second as f64, Some(1.0));
        }
        assert_eq!(attribution.spans.len(), 11);
        assert_eq!(attribution.idle_joules(), 48.0);
    }
}
