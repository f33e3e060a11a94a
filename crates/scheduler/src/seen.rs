//! What this replica has seen of jobs while it leads, counted for its metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use fulcrum_api::v1;
use fulcrum_service::now_ms;
use fulcrum_store::StoredWindow;
use fulcrum_telemetry::{Metric, Snapshot};

const OF_JOB: &[&str] = &["fulcrum_job", "board"];
static BUDGET_POWER: Metric = Metric::gauge(
    "fulcrum_job_power_budget_watts",
    OF_JOB,
    "What the board may draw: the job's budget, or its share of the site's",
);
static BUDGET_LATENCY: Metric = Metric::gauge(
    "fulcrum_job_latency_budget_seconds",
    OF_JOB,
    "How long a request may take; absent where the job has none",
);
static PLANNED_POWER: Metric =
    Metric::gauge("fulcrum_job_planned_power_watts", OF_JOB, "What the plan expects to draw");
static PLANNED_LATENCY: Metric = Metric::gauge(
    "fulcrum_job_planned_latency_seconds",
    OF_JOB,
    "The longest latency that the plan expects",
);
static PLANNED_THROUGHPUT: Metric = Metric::gauge(
    "fulcrum_job_planned_throughput_hertz",
    OF_JOB,
    "Background minibatches a second that the plan expects",
);
static POWER: Metric =
    Metric::gauge("fulcrum_job_power_watts", OF_JOB, "Mean power in the last window");
static LONGEST: Metric = Metric::gauge(
    "fulcrum_job_longest_latency_seconds",
    OF_JOB,
    "The longest latency in the last window; absent where nothing was answered",
);
static AGE: Metric =
    Metric::gauge("fulcrum_job_window_age_seconds", OF_JOB, "How long ago the last window ended");
static MINIBATCHES: Metric =
    Metric::counter("fulcrum_job_minibatches", OF_JOB, "Background minibatches that ran");
static REQUESTS: Metric =
    Metric::counter("fulcrum_job_requests", OF_JOB, "Requests that were answered");
static LATE: Metric = Metric::counter(
    "fulcrum_job_late_requests",
    OF_JOB,
    "Requests that were answered later than their latency budget",
);
static WINDOWS: Metric =
    Metric::counter("fulcrum_job_windows", OF_JOB, "Windows of time that the board told of");
static PLANS: Metric = Metric::counter(
    "fulcrum_job_plans",
    &["fulcrum_job", "board", "origin"],
    "Plans that were put into force, by where they came from: front, profiles or search",
);
static SUSPECTED: Metric = Metric::counter(
    "fulcrum_job_suspected_profiles",
    OF_JOB,
    "Profiles that were contradicted by what was seen, and are measured again",
);

/// What is told of jobs on boards.
pub(crate) static SEEN: &[&Metric] = &[
    &BUDGET_POWER,
    &BUDGET_LATENCY,
    &PLANNED_POWER,
    &PLANNED_LATENCY,
    &PLANNED_THROUGHPUT,
    &POWER,
    &LONGEST,
    &AGE,
    &MINIBATCHES,
    &REQUESTS,
    &LATE,
    &WINDOWS,
    &PLANS,
    &SUSPECTED,
];

/// A plan in force, as numbers.
#[derive(Debug, Clone, PartialEq)]
struct Planned {
    budget_watts: f64,
    latency_budget_seconds: Option<f64>,
    watts: f64,
    latency_seconds: Option<f64>,
    throughput_hertz: f64,
}

/// What was seen of one job on one board.
#[derive(Debug, Clone, Default, PartialEq)]
struct OnBoard {
    planned: Option<Planned>,
    windows: u64,
    minibatches: i64,
    requests: i64,
    late: i64,
    last: Option<StoredWindow>,
    plans: BTreeMap<String, u64>,
    suspected: u64,
}

/// A job and a board.
type Place = (String, String);

/// What was seen of all jobs.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<BTreeMap<Place, OnBoard>>);

impl Seen {
    /// A window has ended.
    pub(crate) fn window(&self, window: &StoredWindow) {
        self.on(&window.job, &window.board, |seen| {
            seen.windows += 1;
            seen.minibatches += window.minibatches;
            seen.requests += window.requests;
            seen.late += window.late_requests;
            seen.last = Some(window.clone());
        });
    }

    /// A plan is in force; it is new there if it has an origin.
    pub(crate) fn plan(
        &self,
        (job, board): (&str, &str),
        budget_watts: f64,
        problem: &v1::Problem,
        plan: &v1::Plan,
        origin: Option<&str>,
    ) {
        let has_requests = !problem.infer.is_empty();
        let planned = Planned {
            budget_watts,
            latency_budget_seconds: Some(problem.latency_seconds).filter(|_| has_requests),
            watts: plan.peak_power_watts,
            latency_seconds: Some(plan.peak_latency_seconds).filter(|_| has_requests),
            throughput_hertz: plan.throughput_hertz,
        };
        self.on(job, board, |seen| {
            seen.planned = Some(planned);
            if let Some(origin) = origin {
                *seen.plans.entry(origin.to_owned()).or_default() += 1;
            }
        });
    }

    /// Profiles were contradicted.
    pub(crate) fn suspected(&self, job: &str, board: &str, profiles: u64) {
        self.on(job, board, |seen| seen.suspected += profiles);
    }

    /// Adds what was seen of the jobs that boards have now; others are forgotten.
    pub(crate) fn tell(&self, snapshot: &mut Snapshot, now: &BTreeSet<Place>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|place, _| now.contains(place));
        for ((job, board), seen) in &*all {
            let of = [job.as_str(), board.as_str()];
            if let Some(planned) = &seen.planned {
                snapshot.set(&BUDGET_POWER, of, planned.budget_watts);
                snapshot.set_known(&BUDGET_LATENCY, of, planned.latency_budget_seconds);
                snapshot.set(&PLANNED_POWER, of, planned.watts);
                snapshot.set_known(&PLANNED_LATENCY, of, planned.latency_seconds);
                snapshot.set(&PLANNED_THROUGHPUT, of, planned.throughput_hertz);
            }
            if let Some(last) = &seen.last {
                snapshot.set_known(&POWER, of, last.power_watts);
                snapshot.set_known(&LONGEST, of, last.longest_latency_seconds);
                snapshot.set(&AGE, of, (now_ms() - last.ended_at_ms).max(0) as f64 / 1e3);
            }
            for (metric, count) in
                [(&MINIBATCHES, seen.minibatches), (&REQUESTS, seen.requests), (&LATE, seen.late)]
            {
                snapshot.set(metric, of, count as f64);
            }
            snapshot.set(&WINDOWS, of, seen.windows as f64);
            snapshot.set(&SUSPECTED, of, seen.suspected as f64);
            for (origin, count) in &seen.plans {
                snapshot.set(&PLANS, [job, board, origin], *count as f64);
            }
        }
    }

    fn on(&self, job: &str, board: &str, change: impl FnOnce(&mut OnBoard)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry((job.to_owned(), board.to_owned())).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_that_has_another_job_is_told_no_more() {
        let seen = Seen::default();
        let window = |job: &str| StoredWindow {
            job: job.into(),
            board: "gate-1".into(),
            ended_at_ms: now_ms(),
            seconds: 1.0,
            minibatches: 7,
            requests: 60,
            late_requests: 1,
            longest_latency_seconds: None,
            power_watts: Some(20.0),
        };
        seen.window(&window("before"));
        seen.window(&window("now"));
        seen.window(&window("now"));
        let mut snapshot = Snapshot::default();
        seen.tell(&mut snapshot, &[("now".to_owned(), "gate-1".to_owned())].into());
        let text = snapshot.text();
        let line = "fulcrum_job_minibatches_total{fulcrum_job=\"now\",board=\"gate-1\"} 14.0";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("before"), "{text}");
        assert!(!text.contains("fulcrum_job_longest_latency"), "nothing was answered: {text}");
    }
}
