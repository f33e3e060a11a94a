//! Loss, and what went unsolved or violated a budget, by strategy.

use plotters::style::text_anchor::HPos;

use super::markup::Picture;
use super::theme::{
    Area, CLEAN, INK, LINE, LOSS, SOFT, UNSOLVED, VIOLATING, block, pixels, svg, write,
};
use crate::evaluation::{EvaluateError, Evaluation};
use crate::summary::{Scope, Summary};

const WIDTH: u32 = 1160;
const ROW: i32 = 34;
const TOP: i32 = 46;
const NAMES: i32 = 190;
const LOSS_WIDTH: i32 = 430;
const SHARES: i32 = 730;
const SHARES_WIDTH: i32 = 330;

pub(crate) fn draw(evaluation: &Evaluation) -> Result<Picture, EvaluateError> {
    let mut rows: Vec<&Summary> =
        evaluation.summaries().iter().filter(|s| s.scope == Scope::Overall).collect();
    let loss = |summary: &Summary| summary.raw.mean_loss().unwrap_or(0.0);
    rows.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
    let cleaned = rows.iter().any(|summary| summary.clean.is_some());
    let height = TOP as u32 + rows.len() as u32 * ROW as u32 + 8;
    let svg = svg((WIDTH, height), |area| {
        legend(area, cleaned)?;
        for (i, summary) in rows.iter().enumerate() {
            row(area, summary, TOP + pixels(i) * ROW)?;
        }
        Ok(())
    })?;
    let caption = "Over all problems; best first. Left: mean loss, where an unsolved problem and \
                   a plan that misses a budget count as 100 %. Right: the shares of these two.";
    let heading = "Loss and violations by strategy".to_owned();
    Ok(Picture { heading, caption: caption.to_owned(), svg })
}

fn legend(area: &Area<'_>, cleaned: bool) -> Result<(), EvaluateError> {
    let entry = |x: i32, colour, text: &str| {
        block(area, (x, 14), (x + 12, 26), colour)?;
        write(area, text, (x + 18, 20), HPos::Left, 15, SOFT)
    };
    entry(NAMES, LOSS, "mean loss, raw table")?;
    if cleaned {
        entry(NAMES + 190, CLEAN, "without implausible rows")?;
    }
    entry(SHARES, UNSOLVED, "unsolved")?;
    entry(SHARES + 110, VIOLATING, "violating")
}

fn row(area: &Area<'_>, summary: &Summary, top: i32) -> Result<(), EvaluateError> {
    let middle = top + ROW / 2;
    write(area, &summary.strategy, (NAMES - 12, middle), HPos::Right, 16, INK)?;
    let raw = summary.raw.mean_loss().unwrap_or(0.0);
    let clean = summary.clean.as_ref().and_then(crate::Tally::mean_loss);
    let length = |loss: f64, width: i32| (loss.clamp(0.0, 1.0) * f64::from(width)) as i32;
    block(area, (NAMES, top + 5), (NAMES + LOSS_WIDTH, top + ROW - 7), LINE)?;
    let split = if clean.is_some() { top + 18 } else { top + ROW - 7 };
    block(area, (NAMES, top + 5), (NAMES + length(raw, LOSS_WIDTH), split), LOSS)?;
    if let Some(clean) = clean {
        let end = (NAMES + length(clean, LOSS_WIDTH), top + ROW - 7);
        block(area, (NAMES, split), end, CLEAN)?;
    }
    let label = format!("{:.1} %", raw * 100.0);
    write(area, &label, (NAMES + LOSS_WIDTH + 10, middle), HPos::Left, 15, INK)?;

    let tally = &summary.raw;
    let of_all = |count: u64| count as f64 / tally.answers.max(1) as f64;
    let violating = tally.violating_share().unwrap_or(0.0);
    let unsolved = of_all(tally.unsolved());
    let (first, second) = (length(unsolved, SHARES_WIDTH), length(violating, SHARES_WIDTH));
    block(area, (SHARES, top + 5), (SHARES + SHARES_WIDTH, top + ROW - 7), LINE)?;
    block(area, (SHARES, top + 5), (SHARES + first, top + ROW - 7), UNSOLVED)?;
    let end = (SHARES + first + second, top + ROW - 7);
    block(area, (SHARES + first, top + 5), end, VIOLATING)?;
    let label = format!("{:.1} · {:.1} %", unsolved * 100.0, violating * 100.0);
    write(area, &label, (SHARES + SHARES_WIDTH + 10, middle), HPos::Left, 15, INK)
}
