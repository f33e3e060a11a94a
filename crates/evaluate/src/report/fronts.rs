//! What can be had, what was measured, and what was chosen.

use fulcrum_domain::{Evidence, Front, OperatingPoint, Problem, Role};
use plotters::prelude::*;

use super::markup::Picture;
use super::theme::{Area, INK, SOFT, axes, drawing, series, svg};
use crate::answer::Verdict;
use crate::evaluation::{EvaluateError, Evaluation};
use crate::group::Group;
use crate::truth::operating_points;

const SIZE: (u32, u32) = (1160, 500);
const SHOWN: usize = 4;

type Line = Vec<(f64, f64)>;

/// Marks of one colour, with their name in the legend.
struct Marks {
    name: String,
    colour: RGBColor,
    dots: Line,
    line: Line,
    radius: u32,
}

/// Time against power of one workload that trains alone: every row, the measured ones, the front.
pub(crate) fn draw_alone(evaluation: &Evaluation) -> Result<Option<Picture>, EvaluateError> {
    let alone = |group: &Group| group.urgent.is_none();
    let Some(g) = evaluation.groups.iter().position(alone) else { return Ok(None) };
    let group = &evaluation.groups[g];
    let place = |point: &OperatingPoint| {
        let profile = point.profile(Role::Background)?;
        Some((profile.power.get(), profile.minibatch.as_millis()))
    };
    let all = operating_points(&evaluation.table, group);
    let front = Front::new(all.iter().copied(), Evidence::Measured);
    let cloud: Line = all.iter().filter_map(place).collect();
    let best: Line = front.points().iter().filter_map(place).collect();
    let mut marks = vec![Marks {
        name: "every mode of the table".to_owned(),
        colour: SOFT,
        dots: cloud,
        line: Vec::new(),
        radius: 2,
    }];
    for (n, s) in evaluation.shown_strategies(SHOWN).into_iter().enumerate() {
        let measured = &evaluation.runs[s].measured[g];
        let (what, dots): (_, Line) = if measured.is_empty() {
            ("chosen by", chosen(evaluation, s, group, place))
        } else {
            ("measured by", measured.iter().filter_map(place).collect())
        };
        let name = format!("{what} {}", evaluation.settings.strategies[s].name);
        marks.push(Marks { name, colour: series(n), dots, line: Vec::new(), radius: 7 - n as u32 });
    }
    marks.push(Marks {
        name: "the true front".to_owned(),
        colour: INK,
        dots: Vec::new(),
        line: best,
        radius: 0,
    });
    let svg = svg(SIZE, |area| {
        plot(area, &marks, "power, W", "minibatch, ms", SeriesLabelPosition::UpperRight)
    })?;
    Ok(Some(Picture {
        heading: format!("A front: {group}"),
        caption: "Time of a training minibatch against power. Everything worth having lies on the \
                  line; a strategy that builds a front is shown with all it measured, one that \
                  searches with the plans it chose over all power budgets."
            .to_owned(),
        svg,
    }))
}

/// The table's points at the modes that a strategy chose.
fn chosen(
    evaluation: &Evaluation,
    strategy: usize,
    group: &Group,
    place: impl Fn(&OperatingPoint) -> Option<(f64, f64)>,
) -> Line {
    let points = operating_points(&evaluation.table, group);
    let answers = group.problems.iter().filter_map(|&i| evaluation.runs[strategy].answers[i]);
    let mut modes: Vec<_> = answers.filter_map(|answer| Some(answer.choice?.mode)).collect();
    modes.sort_unstable();
    modes.dedup();
    points.iter().filter(|p| modes.binary_search(&p.mode).is_ok()).filter_map(place).collect()
}

/// Throughput over the power budget for one pair at one rate and latency budget.
pub(crate) fn draw_pair(evaluation: &Evaluation) -> Result<Option<Picture>, EvaluateError> {
    let pair = |group: &&Group| group.background.is_some() && group.urgent.is_some();
    let Some(group) = evaluation.groups.iter().find(pair) else { return Ok(None) };
    let Some((stream, problems)) = busiest_stream(evaluation, group) else { return Ok(None) };
    let power = |i: usize| evaluation.problems[i].power().get();
    let optimum = |best: fn(&crate::Optimum) -> fulcrum_domain::Assessment| -> Line {
        let each = problems.iter().filter_map(|&i| {
            Some((power(i), best(evaluation.truth.optimum(i)?).throughput?.get()))
        });
        each.collect()
    };
    let line =
        |name: String, colour, line| Marks { name, colour, dots: Vec::new(), line, radius: 0 };
    let mut marks = vec![line("the optimum".to_owned(), INK, steps(&optimum(|o| o.best)))];
    if evaluation.settings.alternate == fulcrum_domain::Alternate::SlackAware {
        let strict = optimum(|o| o.strict);
        marks.push(line("the strict optimum".to_owned(), SOFT, steps(&strict)));
    }
    for (n, s) in evaluation.shown_strategies(SHOWN).into_iter().enumerate() {
        let dots = problems.iter().filter_map(|&i| {
            let answer = evaluation.runs[s].answers[i].as_ref()?;
            let solved = matches!(answer.verdict, Verdict::Solved { .. });
            solved.then(|| (power(i), answer.delivered.get()))
        });
        let name = evaluation.settings.strategies[s].name.clone();
        let (dots, radius) = (dots.collect(), 7 - n as u32);
        marks.push(Marks { name, colour: series(n), dots, line: Vec::new(), radius });
    }
    let svg = svg(SIZE, |area| {
        plot(area, &marks, "power budget, W", "throughput, 1/s", SeriesLabelPosition::UpperLeft)
    })?;
    Ok(Some(Picture {
        heading: format!("What a power budget buys: {group}"),
        caption: format!(
            "Training minibatches a second, delivered in truth, at {} requests a second that have \
             to be answered within {}.",
            stream.rate.get(),
            stream.latency
        ),
        svg,
    }))
}

/// The stream with the most problems, the middle one of equals, and these problems by power.
fn busiest_stream<'a>(
    evaluation: &'a Evaluation,
    group: &Group,
) -> Option<(&'a fulcrum_domain::Stream, Vec<usize>)> {
    let mut by_stream: Vec<(&fulcrum_domain::Stream, Vec<usize>)> = Vec::new();
    for &i in &group.problems {
        let stream = evaluation.problems[i].urgent()?;
        match by_stream.iter_mut().find(|(known, _)| *known == stream) {
            Some((_, problems)) => problems.push(i),
            None => by_stream.push((stream, vec![i])),
        }
    }
    let most = by_stream.iter().map(|(_, problems)| problems.len()).max()?;
    by_stream.retain(|(_, problems)| problems.len() == most);
    let middle = by_stream.len() / 2;
    let (stream, mut problems) = by_stream.swap_remove(middle);
    let power = |i: &usize| Problem::power(&evaluation.problems[*i]);
    problems.sort_by(|a, b| power(a).total_cmp(&power(b)));
    Some((stream, problems))
}

fn plot(
    area: &Area<'_>,
    marks: &[Marks],
    x: &str,
    y: &str,
    corner: SeriesLabelPosition,
) -> Result<(), EvaluateError> {
    let all = || marks.iter().flat_map(|m| m.dots.iter().chain(&m.line));
    let range = |of: fn(&(f64, f64)) -> f64| {
        let (least, most) = all()
            .map(of)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if least.is_finite() && least < most { (least, most) } else { (0.5, 1.5) }
    };
    let ((left, right), (_, high)) = (range(|p| p.0), range(|p| p.1));
    let pad = 0.03 * (right - left);
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(74)
        .build_cartesian_2d(left - pad..right + pad, 0.0..high * 1.06)
        .map_err(drawing)?;
    axes(&mut chart, (x, &|v| format!("{v:.0}")), (y, &|v| rounded(*v)))?;
    for mark in marks {
        let (colour, radius) = (mark.colour, mark.radius);
        if mark.line.is_empty() {
            let dots = mark.dots.iter().map(|p| Circle::new(*p, radius, colour.filled()));
            let drawn = chart.draw_series(dots).map_err(drawing)?;
            drawn.label(&mark.name).legend(move |(x, y)| {
                Circle::new((x + 8, y), radius.max(3), colour.filled()).into_dyn()
            });
        } else {
            let line = LineSeries::new(mark.line.iter().copied(), colour.stroke_width(2));
            let drawn = chart.draw_series(line).map_err(drawing)?;
            drawn.label(&mark.name).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)).into_dyn()
            });
        }
    }
    let labels = chart
        .configure_series_labels()
        .position(corner)
        .label_font(("sans-serif", 15, &SOFT))
        .margin(12)
        .draw();
    labels.map_err(drawing)
}

/// A line that stays level up to the next budget: nothing is known in between.
fn steps(line: &[(f64, f64)]) -> Line {
    let corners = line.windows(2).flat_map(|pair| [pair[0], (pair[1].0, pair[0].1)]);
    corners.chain(line.last().copied()).collect()
}

fn rounded(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v >= 20.0 => format!("{v:.0}"),
        v if v >= 1.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}
