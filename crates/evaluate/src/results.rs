//! The results file: one row a problem and strategy.

use std::io::{self, Write};

use fulcrum_domain::{Hertz, Knob, Problem, Watts};

use crate::answer::Answer;
use crate::evaluation::Evaluation;
use crate::problems::{fields, millis, text};

const BEFORE: [&str; 9] = [
    "strategy",
    "seed",
    "alternate",
    "train",
    "infer",
    "rate_hz",
    "latency_ms",
    "power_w",
    "status",
];
const AFTER: [&str; 8] = [
    "batch_size",
    "minibatches_per_cycle",
    "throughput_hz",
    "peak_latency_ms",
    "peak_power_w",
    "modes_profiled",
    "measurements",
    "solve_us",
];

impl Evaluation {
    /// Writes the results file, a CSV file with one row a problem and strategy.
    ///
    /// The columns are `strategy, seed, alternate, train, infer, rate_hz, latency_ms, power_w,
    /// status`, one for each knob of the table, then `batch_size, minibatches_per_cycle,
    /// throughput_hz, peak_latency_ms, peak_power_w, modes_profiled, measurements, solve_us`. The
    /// status is the strategy's own claim (`solved`, `infeasible` or `unsolved`), and throughput,
    /// latency and power are what its plan promises. What does not apply is empty. A strategy that
    /// was run with several seeds has the rows of the first. Every number reads back as itself.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write_results(&self, out: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        let knobs = self.table.space().knobs().iter().map(Knob::name);
        writer.write_record(BEFORE.into_iter().chain(knobs).chain(AFTER))?;
        for (s, recipe) in self.settings.strategies.iter().enumerate() {
            for (problem, answer) in self.answers(s) {
                self.row(&mut writer, &recipe.name, problem, answer)?;
            }
        }
        writer.flush()
    }

    fn row(
        &self,
        writer: &mut csv::Writer<impl Write>,
        strategy: &str,
        problem: &Problem,
        answer: &Answer,
    ) -> io::Result<()> {
        let space = self.table.space();
        let choice = answer.choice.as_ref();
        let mut row: Vec<String> = Vec::with_capacity(BEFORE.len() + AFTER.len() + 8);
        row.push(strategy.to_owned());
        row.push(self.settings.seed.to_string());
        row.push(self.settings.alternate.to_string());
        row.extend(fields(problem));
        row.push(answer.status.as_str().to_owned());
        match choice {
            Some(choice) => row.extend(space.levels(choice.mode).map(|level| level.to_string())),
            None => row.extend(space.knobs().iter().map(|_| String::new())),
        }
        row.push(choice.and_then(|c| c.batch_size).map_or_else(String::new, |b| b.to_string()));
        row.push(text(choice.and_then(|c| c.minibatches_per_cycle)));
        row.push(text(choice.and_then(|c| c.throughput).map(Hertz::get)));
        row.push(choice.and_then(|c| c.latency).map_or_else(String::new, millis));
        row.push(text(choice.map(|c| c.power).map(Watts::get)));
        row.push(answer.modes.to_string());
        row.push(answer.measurements.to_string());
        row.push(answer.solve_us.to_string());
        writer.write_record(row)?;
        Ok(())
    }
}
