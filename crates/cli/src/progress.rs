//! Progress on stderr: a bar where stderr is a terminal, plain lines or silence where it is not.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use fulcrum_domain::{Measurement, ModeSpace, Problem, Reading, Seconds};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::measuring::Cost;

/// A measurement that took less is not worth telling how long.
const SOON: Duration = Duration::from_millis(5);

/// Whether lines about single measurements are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Always.
    Always,
    /// Where someone watches: stderr is a terminal.
    WhenWatched,
    /// Never.
    Never,
}

/// A bar that counts up, and lines above it.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    watched: bool,
    lines: bool,
}

impl Progress {
    /// Progress up to `length` of something.
    pub(crate) fn new(length: u64, unit: &str, lines: Lines) -> Self {
        let watched = std::io::stderr().is_terminal();
        let target =
            if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let template = format!("{{bar:32}} {{pos}}/{{len}} {unit}  {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        let lines = match lines {
            Lines::Always => true,
            Lines::WhenWatched => watched,
            Lines::Never => false,
        };
        Self { bar, watched, lines }
    }

    /// Moves the bar.
    pub(crate) fn at(&self, position: u64, length: u64) {
        self.bar.set_length(length);
        self.bar.set_position(position);
    }

    /// Says what was measured.
    pub(crate) fn measured(
        &self,
        space: &ModeSpace,
        problem: &Problem,
        measurement: Measurement,
        reading: &Reading,
        cost: &Cost,
    ) {
        self.bar.set_message(format!("{} measurements", cost.measurements));
        if !self.lines {
            return;
        }
        let workload = problem.workload(measurement.role).map(ToString::to_string);
        let said = match reading {
            Ok(profile) => format!("{:>8.1} {:>8.1}", profile.minibatch, profile.power),
            Err(failure) => failure.to_string(),
        };
        // What a table answers takes no time worth naming.
        let took = match cost.latest {
            latest if latest < SOON => String::new(),
            latest => format!("  in {:.1}", Seconds::new(latest.as_secs_f64())),
        };
        let line = format!(
            "{:>4}  {:<20} batch {:>3}  {said}  {}{took}",
            cost.measurements,
            workload.unwrap_or_default(),
            measurement.batch_size.get(),
            space.describe(measurement.mode),
        );
        if self.watched {
            self.bar.println(line);
        } else {
            // The search is worth more than its commentary.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
