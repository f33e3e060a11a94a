//! Whose energy it was. One worker at a time has the device, so what is drawn between two readings
//! of the power belongs to those who ran between them, by how long each did, and by how much its
//! profile says that it draws. Nothing is counted twice, and the whole adds up.

use std::collections::BTreeMap;
use std::time::Duration;

use fulcrum_domain::Workload;
use fulcrum_interleave::{Moment, WorkerId};

/// Divides energy among workers and idling.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    expected_watts: Vec<(Workload, f64)>,
    joules: BTreeMap<WorkerId, f64>,
    joules_of_workloads: BTreeMap<Workload, f64>,
    idle_joules: f64,
    /// How long each ran since the last reading, with what it is expected to draw.
    ran: BTreeMap<WorkerId, (Workload, Duration)>,
    /// The last reading.
    last: Option<(Moment, f64)>,
    /// The least that was ever drawn: an idle board draws at most that.
    least_watts: f64,
}

impl Attribution {
    /// What each workload is expected to draw.
    pub(crate) fn expect(&mut self, watts: Vec<(Workload, f64)>) {
        self.expected_watts = watts;
    }

    /// A minibatch ran.
    pub(crate) fn ran(&mut self, worker: WorkerId, workload: &Workload, time: Duration) {
        let entry = self.ran.entry(worker).or_insert_with(|| (workload.clone(), Duration::ZERO));
        entry.1 += time;
    }

    /// So much energy has been drawn until now, and so much power is drawn now.
    pub(crate) fn drawn(&mut self, now: Moment, joules: f64, watts: Option<f64>) {
        if let Some(watts) = watts.filter(|watts| *watts > 0.0) {
            self.least_watts =
                if self.least_watts > 0.0 { self.least_watts.min(watts) } else { watts };
        }
        let Some((then, before)) = self.last.replace((now, joules)) else {
            self.ran.clear();
            return;
        };
        let ran = std::mem::take(&mut self.ran);
        let busy: Duration = ran.values().map(|(_, time)| *time).sum();
        let idle = now.since(then).saturating_sub(busy);
        let watts = |workload: &Workload| {
            let expected = self.expected_watts.iter().find(|(of, _)| of == workload);
            expected.map(|(_, watts)| *watts)
        };
        // Where nothing is expected of one of them, time alone decides.
        let all_known = ran.values().all(|(workload, _)| watts(workload).is_some());
        let weight = |workload: &Workload| {
            if all_known { watts(workload).unwrap_or(1.0) } else { 1.0 }
        };
        let idle_weight = if all_known && !ran.is_empty() && self.least_watts > 0.0 {
            ran.values().map(|(w, _)| weight(w)).fold(self.least_watts, f64::min)
        } else {
            1.0
        };
        let of_worker =
            |(workload, time): &(Workload, Duration)| weight(workload) * time.as_secs_f64();
        let idle_share = idle_weight * idle.as_secs_f64();
        let whole: f64 = ran.values().map(of_worker).sum::<f64>() + idle_share;
        if whole <= 0.0 {
            return;
        }
        let drawn = (joules - before).max(0.0);
        for (worker, entry) in &ran {
            let share = drawn * of_worker(entry) / whole;
            *self.joules.entry(*worker).or_default() += share;
            *self.joules_of_workloads.entry(entry.0.clone()).or_default() += share;
        }
        self.idle_joules += drawn * idle_share / whole;
    }

    /// What was drawn while a worker ran, in joules.
    pub(crate) fn joules(&self, worker: WorkerId) -> f64 {
        self.joules.get(&worker).copied().unwrap_or(0.0)
    }

    /// What was drawn while each workload ran, whichever worker ran it, in joules.
    pub(crate) const fn joules_of_workloads(&self) -> &BTreeMap<Workload, f64> {
        &self.joules_of_workloads
    }

    /// What was drawn while nothing ran, in joules.
    pub(crate) fn idle_joules(&self) -> f64 {
        self.idle_joules
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_divided_adds_up_to_what_was_drawn(
            steps in prop::collection::vec((0..500u64, 0..500u64, 1.0..60.0f64), 1..50),
        ) {
            let mut attribution = Attribution::default();
            attribution.expect(vec![(Workload::train("a"), 40.0), (Workload::infer("b"), 20.0)]);
            let (mut now, mut joules) = (Moment::START, 0.0);
            attribution.drawn(now, joules, None);
            for (a, b, watts) in steps {
                attribution.ran(1, &Workload::train("a"), Duration::from_millis(a));
                attribution.ran(2, &Workload::infer("b"), Duration::from_millis(b));
                now = now + Duration::from_secs(1);
                joules += watts;
                attribution.drawn(now, joules, Some(watts));
            }
            let sum = attribution.joules(1) + attribution.joules(2) + attribution.idle_joules();
            prop_assert!((sum / joules - 1.0).abs() < 1e-9, "{sum} {joules}");
        }
    }

    #[test]
    fn it_is_divided_by_time_and_by_what_each_draws() {
        let mut attribution = Attribution::default();
        let second = Moment::START + Duration::from_secs(1);
        attribution.expect(vec![(Workload::train("a"), 40.0), (Workload::infer("b"), 20.0)]);
        attribution.drawn(Moment::START, 0.0, None);
        attribution.ran(1, &Workload::train("a"), Duration::from_millis(500));
        attribution.ran(2, &Workload::infer("b"), Duration::from_millis(500));
        attribution.drawn(second, 30.0, Some(30.0));
        assert!((attribution.joules(1) - 20.0).abs() < 1e-9);
        assert!((attribution.joules(2) - 10.0).abs() < 1e-9);
        assert_eq!(attribution.idle_joules(), 0.0);
    }
}
