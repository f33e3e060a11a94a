//! A run's report as one page, with a picture of its last turns.

use std::fmt::Write as _;

use fulcrum_api::{pieces_ns, v1};

use super::report::{Report, rows, summary};

const WIDTH: f64 = 1100.0;
const LANE: f64 = 42.0;
const LEFT: f64 = 150.0;
/// So much of the run is shown, in nanoseconds.
const SHOWN_NS: u64 = 5_000_000_000;
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// The page.
pub(super) fn page(report: &Report, turns: &[v1::Turn]) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>fulcrum run</title>\
         <style>body{font:15px system-ui,sans-serif;margin:2em auto;max-width:1280px;color:#222}\
         table{border-collapse:collapse}th,td{padding:.3em .8em;text-align:right;\
         border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}\
         svg{margin-top:1em}</style></head><body><h1>Turns taken</h1>",
    );
    for line in summary(report) {
        let _ = write!(html, "<p>{}</p>", escaped(&line));
    }
    html.push_str("<table>");
    for (place, row) in rows(report).iter().enumerate() {
        let tag = if place == 0 { "th" } else { "td" };
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<{tag}>{}</{tag}>", escaped(cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
    html.push_str(&picture(turns));
    html.push_str("</body></html>\n");
    html
}

/// One lane a workload, one bar a minibatch, or several where it was preempted; red where requests
/// were late.
fn picture(turns: &[v1::Turn]) -> String {
    let Some(end) = turns.iter().map(|turn| turn.ended_ns).max() else {
        return "<p>Nothing ran.</p>".into();
    };
    let from = end.saturating_sub(SHOWN_NS);
    let shown: Vec<&v1::Turn> = turns.iter().filter(|turn| turn.ended_ns > from).collect();
    let from = shown.iter().map(|turn| turn.began_ns).min().unwrap_or(from).max(from);
    let mut lanes: Vec<(String, i32)> =
        shown.iter().map(|turn| (turn.workload.clone(), turn.kind)).collect();
    lanes.sort();
    lanes.dedup();
    let span = (end - from).max(1) as f64;
    let at = |ns: u64| LEFT + WIDTH * ns.saturating_sub(from) as f64 / span;
    let height = LANE * lanes.len() as f64 + 40.0;
    let mut svg = format!(
        "<svg role=\"img\" aria-label=\"the last turns\" viewBox=\"0 0 {} {height}\" width=\"100%\">",
        LEFT + WIDTH + 20.0
    );
    for (place, (workload, kind)) in lanes.iter().enumerate() {
        let top = LANE * place as f64;
        let kind = if *kind == i32::from(v1::WorkloadKind::Infer) { "infer" } else { "train" };
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{}\" font-size=\"13\">{} {kind}</text>",
            top + 24.0,
            escaped(workload)
        );
    }
    for turn in shown {
        let lane = lanes.iter().position(|lane| *lane == (turn.workload.clone(), turn.kind));
        let lane = lane.unwrap_or(0);
        let late = turn.late_requests > 0;
        let colour = if late { "#c00" } else { COLOURS[lane % COLOURS.len()] };
        let ran_ns: u64 = pieces_ns(turn).map(|piece| piece.end - piece.start).sum();
        for piece in pieces_ns(turn) {
            let (left, right) = (at(piece.start), at(piece.end));
            let _ = write!(
                svg,
                "<rect x=\"{left:.2}\" y=\"{:.1}\" width=\"{:.2}\" height=\"{:.1}\" fill=\"{colour}\">\
                 <title>{} {:.2} ms, {} requests, {} late</title></rect>",
                LANE * lane as f64 + 6.0,
                (right - left).max(0.4),
                LANE - 14.0,
                escaped(&turn.workload),
                ran_ns as f64 / 1e6,
                turn.latencies_seconds.len(),
                turn.late_requests,
            );
        }
    }
    let bottom = LANE * lanes.len() as f64 + 18.0;
    for tick in 0..=10u32 {
        let seconds = span / 1e9 * f64::from(tick) / 10.0;
        let x = LEFT + WIDTH * f64::from(tick) / 10.0;
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{bottom}\" font-size=\"11\" text-anchor=\"middle\">{seconds:.2} s</text>"
        );
    }
    svg.push_str("</svg>");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
