//! Where in the budget plane a strategy loses.

use fulcrum_domain::Problem;
use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;

use super::markup::Picture;
use super::theme::{Area, INK, LINE, SOFT, block, pixels, svg, write};
use crate::answer::Verdict;
use crate::evaluation::{EvaluateError, Evaluation};

const WIDTH: i32 = 1160;
const PANEL_HEIGHT: i32 = 330;
const SHOWN: usize = 4;
const POWER_STEPS: usize = 41;
const LATENCY_STEPS: usize = 16;

/// The distinct values of a budget, in cells of neighbouring values where there are many.
struct Axis {
    values: Vec<f64>,
    cells: usize,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, at_most: usize) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let cells = values.len().min(at_most);
        Self { values, cells }
    }

    fn cell(&self, value: f64) -> usize {
        let place = self.values.partition_point(|v| *v < value);
        place * self.cells / self.values.len().max(1)
    }

    /// The least value of a cell.
    fn value(&self, cell: usize) -> f64 {
        self.values[(cell * self.values.len()).div_ceil(self.cells)]
    }
}

pub(crate) fn draw(evaluation: &Evaluation) -> Result<Option<Picture>, EvaluateError> {
    let paired = |problem: &&Problem| problem.background().is_some() && problem.urgent().is_some();
    let problems = || evaluation.problems.iter().filter(paired);
    let power = Axis::new(problems().map(|p| p.power().get()), POWER_STEPS);
    let latencies = problems().filter_map(|p| Some(p.urgent()?.latency.as_millis()));
    let latency = Axis::new(latencies, LATENCY_STEPS);
    if power.cells == 0 {
        return Ok(None);
    }
    let shown = evaluation.shown_strategies(SHOWN);
    let rows = pixels(shown.len().div_ceil(2));
    let svg = svg((WIDTH as u32, (rows * PANEL_HEIGHT + 56) as u32), |area| {
        scale(area, rows * PANEL_HEIGHT + 30)?;
        for (n, &s) in shown.iter().enumerate() {
            let corner = (pixels(n % 2) * WIDTH / 2, pixels(n / 2) * PANEL_HEIGHT);
            let losses = mean_losses(evaluation, s, &power, &latency);
            let name = &evaluation.settings.strategies[s].name;
            panel(area, corner, name, &losses, &power, &latency)?;
        }
        Ok(())
    })?;
    Ok(Some(Picture {
        heading: "Where in the budget plane a strategy loses".to_owned(),
        caption: "Mean loss over all pairs and arrival rates, by power budget and latency budget. \
                  Grey: no plan exists there, or no problem was asked."
            .to_owned(),
        svg,
    }))
}

/// By power cell, then latency cell; none where no problem is feasible.
fn mean_losses(
    evaluation: &Evaluation,
    strategy: usize,
    power: &Axis,
    latency: &Axis,
) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0u32); power.cells * latency.cells];
    for (i, problem) in evaluation.problems.iter().enumerate() {
        let (Some(stream), Some(_)) = (problem.urgent(), problem.background()) else { continue };
        let Some(answer) = &evaluation.runs[strategy].answers[i] else { continue };
        if evaluation.truth.optimum(i).is_none() {
            continue;
        }
        let loss = match answer.verdict {
            Verdict::Solved { loss } => loss,
            _ => 1.0,
        };
        let column = power.cell(problem.power().get());
        let cell = column * latency.cells + latency.cell(stream.latency.as_millis());
        sums[cell].0 += loss;
        sums[cell].1 += 1;
    }
    sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect()
}

fn panel(
    area: &Area<'_>,
    (left, top): (i32, i32),
    name: &str,
    losses: &[Option<f64>],
    power: &Axis,
    latency: &Axis,
) -> Result<(), EvaluateError> {
    let (x0, y0, width, height) = (left + 74, top + 34, WIDTH / 2 - 100, PANEL_HEIGHT - 90);
    let x = |column: usize| x0 + pixels(column) * width / pixels(power.cells);
    let y = |row: usize| y0 + height - pixels(row) * height / pixels(latency.cells);
    write(area, name, (x0, top + 18), HPos::Left, 17, INK)?;
    for (cell, loss) in losses.iter().enumerate() {
        let (column, row) = (cell / latency.cells, cell % latency.cells);
        let colour = loss.map_or(LINE, heat);
        block(area, (x(column), y(row + 1)), (x(column + 1), y(row)), colour)?;
    }
    let every = |cells: usize, at_most: usize| (0..cells).step_by(cells.div_ceil(at_most).max(1));
    for column in every(power.cells, 9) {
        let middle = i32::midpoint(x(column), x(column + 1));
        let text = format!("{:.0}", power.value(column));
        write(area, &text, (middle, y0 + height + 14), HPos::Center, 14, SOFT)?;
    }
    for row in every(latency.cells, 6) {
        let middle = i32::midpoint(y(row), y(row + 1));
        let text = format!("{:.0}", latency.value(row));
        write(area, &text, (x0 - 8, middle), HPos::Right, 14, SOFT)?;
    }
    write(area, "power budget, W", (x0 + width, y0 + height + 34), HPos::Right, 14, SOFT)?;
    write(area, "latency budget, ms", (x0 + width, top + 18), HPos::Right, 14, SOFT)
}

/// The colours' key.
fn scale(area: &Area<'_>, y: i32) -> Result<(), EvaluateError> {
    const STEPS: i32 = 60;
    for step in 0..STEPS {
        let colour = heat(f64::from(step) / f64::from(STEPS) * WORST);
        let x = 150 + step * 6;
        block(area, (x, y - 7), (x + 6, y + 7), colour)?;
    }
    write(area, "no loss", (140, y), HPos::Right, 14, SOFT)?;
    write(area, "half or more lost", (150 + STEPS * 6 + 10, y), HPos::Left, 14, SOFT)
}

/// The loss from which on the colour stays the same.
const WORST: f64 = 0.5;

/// Green, yellow, red, dark red; even in the square root, so that small losses can be told apart.
fn heat(loss: f64) -> RGBColor {
    const STOPS: [[f64; 3]; 4] =
        [[47.0, 158.0, 119.0], [242.0, 206.0, 96.0], [214.0, 84.0, 48.0], [120.0, 20.0, 50.0]];
    let place = (loss.clamp(0.0, WORST) / WORST).sqrt() * (STOPS.len() - 1) as f64;
    let i = (place as usize).min(STOPS.len() - 2);
    let share = place - i as f64;
    let mix = |c: usize| (STOPS[i][c] + (STOPS[i + 1][c] - STOPS[i][c]) * share).round() as u8;
    RGBColor(mix(0), mix(1), mix(2))
}
