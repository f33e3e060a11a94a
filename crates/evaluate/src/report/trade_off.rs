//! Loss against measurements spent.

use fulcrum_search::Method;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::markup::Picture;
use super::theme::{INK, axes, drawing, pixels, series, svg, write};
use crate::evaluation::{EvaluateError, Evaluation};
use crate::summary::{Scope, Summary};

const SIZE: (u32, u32) = (1160, 520);

struct Spot<'a> {
    name: &'a str,
    measurements: f64,
    loss: f64,
    front: bool,
}

pub(crate) fn draw(evaluation: &Evaluation) -> Result<Picture, EvaluateError> {
    let fronts = evaluation
        .settings
        .strategies
        .iter()
        .map(|recipe| matches!(recipe.method, Method::Front(_)));
    let overall = evaluation.summaries().iter().filter(|s| s.scope == Scope::Overall);
    let mut spots: Vec<Spot<'_>> = overall.zip(fronts).map(|(s, front)| spot(s, front)).collect();
    spots.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    let most = spots.iter().map(|s| s.measurements).fold(10.0, f64::max);
    let worst = spots.iter().map(|s| s.loss).fold(0.05, f64::max).min(1.5);
    let svg = svg(SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(14)
            .margin_right(130)
            .x_label_area_size(46)
            .y_label_area_size(70)
            .build_cartesian_2d((0.8..most * 1.5).log_scale(), -0.02 * worst..worst * 1.08)
            .map_err(drawing)?;
        axes(
            &mut chart,
            ("measurements (logarithmic)", &|count| format!("{count:.0}")),
            ("mean loss", &|loss| format!("{:.0} %", loss * 100.0)),
        )?;
        let mut taken: Vec<(i32, i32, i32)> = Vec::new();
        for spot in &spots {
            let colour = series(usize::from(spot.front));
            let at = (spot.measurements.max(1.0), spot.loss.min(worst));
            chart.draw_series([Circle::new(at, 6, colour.filled())]).map_err(drawing)?;
            let (x, y) = chart.backend_coord(&at);
            let y = free_line(&mut taken, x + 12, y, 8 * pixels(spot.name.len()));
            write(area, spot.name, (x + 12, y), HPos::Left, 15, INK)?;
        }
        Ok(())
    })?;
    let caption = "Over all problems. Blue: measured once for all problems of the same workloads. \
                   Orange: measured anew for each problem.";
    Ok(Picture {
        heading: "Loss against measurements spent".to_owned(),
        caption: caption.to_owned(),
        svg,
    })
}

fn spot(summary: &Summary, front: bool) -> Spot<'_> {
    Spot {
        name: &summary.strategy,
        measurements: summary.raw.mean_measurements().unwrap_or(0.0),
        loss: summary.raw.mean_loss().unwrap_or(0.0),
        front,
    }
}

/// The height nearest to `y` at which a label of this width covers no other; it takes the place.
fn free_line(taken: &mut Vec<(i32, i32, i32)>, x: i32, y: i32, width: i32) -> i32 {
    let free = |y: i32| {
        !taken.iter().any(|&(tx, ty, tw)| (ty - y).abs() < 16 && x < tx + tw && tx < x + width)
    };
    let shifts = (0..12).flat_map(|n| [-n * 8, n * 8]);
    let y = shifts.map(|shift| y + shift).find(|&y| free(y)).unwrap_or(y);
    taken.push((x, y, width));
    y
}
