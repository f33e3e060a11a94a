//! A run while it goes on, where somebody looks: what came of it so far, against its budgets.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::report::{Report, WorkloadReport};

/// How often it is drawn.
const DRAWN: Duration = Duration::from_millis(250);

/// A bar for the time, and below it a line for each workload. None is longer than the terminal is
/// wide.
pub(super) struct Live {
    below: MultiProgress,
    time: ProgressBar,
    workloads: Vec<ProgressBar>,
    drawn: Instant,
}

impl Live {
    /// Of a run that takes so long; none where stderr is no terminal.
    pub(super) fn begin(time: Duration) -> Option<Self> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let below = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let length = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {wide_msg}") {
            bar.set_style(style);
        }
        let time = below.add(bar);
        Some(Self { below, time, workloads: Vec::new(), drawn: Instant::now() })
    }

    /// Whether it is time to draw it again.
    pub(super) fn is_due(&self) -> bool {
        self.drawn.elapsed() >= DRAWN
    }

    /// Draws what came of it so far.
    pub(super) fn draw(&mut self, so_far: &Report) {
        self.drawn = Instant::now();
        self.time.set_position((1e3 * so_far.seconds) as u64);
        self.time.set_message(time_line(so_far));
        for (place, workload) in so_far.workloads.iter().enumerate() {
            if place == self.workloads.len() {
                self.workloads.push(self.below.add(line()));
            }
            self.workloads[place].set_message(workload_line(workload, so_far));
        }
    }

    /// Takes it away: the report says the same at the end, and more.
    pub(super) fn end(self) {
        // What cannot be taken away stays.
        let _ = self.below.clear();
    }
}

fn line() -> ProgressBar {
    let line = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        line.set_style(style);
    }
    line
}

fn time_line(so_far: &Report) -> String {
    let seconds = so_far.seconds;
    let power = match (so_far.mean_power_w, so_far.power_budget_w) {
        (Some(mean), Some(budget)) => format!("  {mean:.1} W of {budget:.1} W"),
        (Some(mean), None) => format!("  {mean:.1} W"),
        (None, _) => String::new(),
    };
    format!("{seconds:.0} s{power}, idle {:.0} %", 100.0 * so_far.idle_ratio)
}

fn workload_line(workload: &WorkloadReport, so_far: &Report) -> String {
    let WorkloadReport { workload: name, kind, late_requests: late, .. } = workload;
    let longest = so_far.workloads.iter().map(|other| other.workload.len()).max().unwrap_or(0);
    let Some(p99) = workload.latency_p99_ms else {
        let promised = so_far.promised_minibatches_per_second.filter(|_| *kind == "train");
        let promised = promised.map(|own| format!(" of {own:.1}")).unwrap_or_default();
        let rate = workload.minibatches_per_second;
        return format!("{name:longest$} {kind:5}  {rate:.1}{promised} minibatches/s");
    };
    let budget = workload.latency_budget_ms.map(|own| format!(" of {own:.0}")).unwrap_or_default();
    let rate = workload.requests as f64 / so_far.seconds;
    format!("{name:longest$} {kind:5}  {rate:.1} requests/s  p99 {p99:.0}{budget} ms  {late} late")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(name: &str, kind: &'static str, latency: Option<f64>) -> WorkloadReport {
        WorkloadReport {
            workload: name.into(),
            kind,
            minibatches: 92,
            minibatches_per_second: 9.2,
            device_share_ratio: 0.8,
            requests: 600,
            latency_budget_ms: latency.map(|_| 800.0),
            latency_p50_ms: latency,
            latency_p99_ms: latency,
            latency_longest_ms: latency,
            late_requests: 1,
            energy_joules: None,
        }
    }

    #[test]
    fn what_is_reached_stands_beside_what_was_to_be() {
        let mut so_far = Report {
            seconds: 10.0,
            alternate: "slack-aware",
            guard_ratio: 0.1,
            promised_minibatches_per_second: Some(9.16),
            power_budget_w: Some(30.0),
            mean_power_w: Some(26.31),
            idle_ratio: 0.061,
            workloads: Vec::new(),
            fenced: Vec::new(),
            missed_minibatches: 0,
        };
        assert_eq!(time_line(&so_far), "10 s  26.3 W of 30.0 W, idle 6 %");
        let line = |of: &WorkloadReport| workload_line(of, &so_far);
        let (train, infer) = (workload("a", "train", None), workload("b", "infer", Some(512.4)));
        assert_eq!(line(&train), "a train  9.2 of 9.2 minibatches/s");
        assert_eq!(line(&infer), "b infer  60.0 requests/s  p99 512 of 800 ms  1 late");
        // Where nobody said what is to be reached, and nothing measures power.
        assert_eq!(line(&workload("b", "infer", None)), "b infer  9.2 minibatches/s");
        so_far.mean_power_w = None;
        assert_eq!(time_line(&so_far), "10 s, idle 6 %");
    }
}
