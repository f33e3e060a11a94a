//! The report's text and tables.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::markup::escape;
use crate::evaluation::Evaluation;
use crate::score::Tally;
use crate::summary::{Scope, Summary};

/// How it was scored.
pub(crate) const SCORING: &str = "<section>\n<h2>How it was scored</h2>\n\
<p>Every answer is held against the table, whatever the strategy was told. A plan <b>solves</b> a \
problem if its power mode and batch size meet every budget there, and <b>violates</b> if they do \
not; no plan where one exists is <b>unsolved</b>. <b>Loss</b> is what the plan falls short of the \
best one: 1 − θ/θ<sub>opt</sub> of the training throughput for a pair, the excess of time for \
training alone, the excess of latency for inference alone. Unsolved and violating count as 100 %. \
A plan delivers what the true times leave room for, but never more minibatches a cycle than it \
planned.</p>\n\
<p>Solved and loss are over the problems for which a plan exists, violating over all. \
<b>Modes</b> and <b>measurements</b> are what a search spent on a problem, or what a front spent on \
all of its problems together. <b>Computing</b> is the time of the search without measuring, or of \
looking the answer up in the finished front. <b>Of strict optimum</b> is the mean throughput \
delivered to the pairs over the mean of what the best strictly alternating plans deliver; it can \
pass 1 where the workloads alternate slack-aware. Strategies that are pure luck are means over \
several seeds.</p>\n</section>";

pub(crate) fn lead(evaluation: &Evaluation) -> String {
    let settings = &evaluation.settings;
    let feasible =
        (0..evaluation.problems.len()).filter(|&i| evaluation.truth.optimum(i).is_some()).count();
    let noise = if settings.noise > 0.0 {
        format!("readings with {} % noise", settings.noise * 100.0)
    } else {
        "exact readings".to_owned()
    };
    let modes =
        settings.modes.map_or_else(String::new, |m| format!(", at most {m} modes a search"));
    let lucky = settings.strategies.iter().map(|recipe| settings.seeds(recipe)).max();
    let lucky = match lucky {
        Some(n) if n > 1 => format!(" (random strategies: {n} seeds)"),
        _ => String::new(),
    };
    format!(
        "<p class=\"soft\">{} problems over {} power modes, {feasible} of which have a plan; {} \
         alternation, {noise}{modes}, seed {}{lucky}.</p>",
        evaluation.problems.len(),
        evaluation.table.space().len(),
        settings.alternate,
        settings.seed,
    )
}

pub(crate) fn overall(evaluation: &Evaluation) -> String {
    let rows = evaluation.summaries().iter().filter(|s| s.scope == Scope::Overall);
    let rows: Vec<&Summary> = rows.collect();
    format!("<section>\n<h2>Over all problems</h2>\n{}</section>", table(&rows))
}

/// A table for every kind and group, folded.
pub(crate) fn details(evaluation: &Evaluation) -> String {
    let mut scopes: Vec<(&Scope, Vec<&Summary>)> = Vec::new();
    for summary in evaluation.summaries().iter().filter(|s| s.scope != Scope::Overall) {
        match scopes.last_mut() {
            Some((scope, rows)) if **scope == summary.scope => rows.push(summary),
            _ => scopes.push((&summary.scope, vec![summary])),
        }
    }
    if scopes.is_empty() {
        return String::new();
    }
    let mut html = "<section>\n<h2>By kind of problem, and by workloads</h2>\n".to_owned();
    for (scope, rows) in scopes {
        let open = if matches!(scope, Scope::Kind(_)) { " open" } else { "" };
        let problems = rows.first().map_or(0, |summary| summary.problems);
        let _ = write!(
            html,
            "<details{open}><summary>{} <span class=\"soft\">· {problems} problems</span>\
             </summary>\n{}</details>\n",
            escape(scope.name()),
            table(&rows)
        );
    }
    html + "</section>"
}

type Column = (&'static str, fn(&Tally) -> Option<f64>, fn(f64) -> String, Better);

#[derive(Clone, Copy, PartialEq)]
enum Better {
    Higher,
    Lower,
    Neither,
}

const RAW: [Column; 8] = [
    ("solved", Tally::solved_share, percent, Better::Higher),
    ("violating", Tally::violating_share, percent, Better::Neither),
    ("mean loss", Tally::mean_loss, percent, Better::Lower),
    ("of strict optimum", Tally::of_strict_optimum, three, Better::Higher),
    ("infeasible said", Tally::infeasible_share, percent, Better::Neither),
    ("modes", Tally::mean_modes, one, Better::Neither),
    ("measurements", Tally::mean_measurements, one, Better::Neither),
    ("µs computing", Tally::mean_solve_us, one, Better::Neither),
];
const CLEAN: [Column; 3] = [RAW[0], RAW[1], RAW[2]];

fn table(rows: &[&Summary]) -> String {
    let cleaned = rows.iter().any(|summary| summary.clean.is_some());
    let clean = if cleaned { &CLEAN[..] } else { &[] };
    let mut html = "<div class=\"scroll\"><table>\n<thead>".to_owned();
    if cleaned {
        let _ = write!(
            html,
            "<tr class=\"over\"><th></th><th colspan=\"{}\">raw table</th><th colspan=\"{}\">\
             without implausible rows</th></tr>",
            RAW.len(),
            CLEAN.len()
        );
    }
    html.push_str("<tr><th>strategy</th>");
    for (name, ..) in RAW.iter().chain(clean) {
        let _ = write!(html, "<th>{name}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let _ = write!(html, "<tr><td>{}</td>", escape(&row.strategy));
        let raw = RAW.iter().map(|column| (column, (|summary| Some(&summary.raw)) as Pick));
        for (column, pick) in raw
            .chain(clean.iter().map(|column| (column, (|summary| summary.clean.as_ref()) as Pick)))
        {
            html.push_str(&cell(column, pick, row, rows));
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody></table></div>\n"
}

type Pick = for<'a> fn(&'a Summary) -> Option<&'a Tally>;

/// A cell, marked if no other strategy but the exhaustive one is better.
fn cell(column: &Column, pick: Pick, row: &Summary, rows: &[&Summary]) -> String {
    let (_, of, show, better) = column;
    let value = |summary: &Summary| pick(summary).and_then(of);
    let Some(own) = value(row) else { return "<td>–</td>".to_owned() };
    let others = || rows.iter().filter(|r| r.strategy != "optimum").filter_map(|r| value(r));
    let best = match better {
        Better::Higher => others().all(|other| other <= own),
        Better::Lower => others().all(|other| other >= own),
        Better::Neither => false,
    };
    let class =
        if best && rows.len() > 2 && row.strategy != "optimum" { " class=\"best\"" } else { "" };
    format!("<td{class}>{}</td>", show(own))
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn one(value: f64) -> String {
    format!("{value:.1}")
}

fn three(value: f64) -> String {
    format!("{value:.3}")
}

/// Which rows were left out of the clean table.
pub(crate) fn removed_rows(evaluation: &Evaluation) -> String {
    const SHOWN: usize = 12;
    let removed = &evaluation.removed;
    if removed.is_empty() {
        return "<section>\n<h2>Implausible rows</h2>\n<p>The table has none.</p>\n</section>"
            .into();
    }
    let mut by_workload: BTreeMap<String, usize> = BTreeMap::new();
    for row in removed {
        *by_workload.entry(row.workload.to_string()).or_default() += 1;
    }
    let counts: Vec<String> =
        by_workload.iter().map(|(workload, n)| format!("{}: {n}", escape(workload))).collect();
    let mut html = format!(
        "<section>\n<h2>Implausible rows</h2>\n<p>{} of {} rows contradict their neighbours: raising \
         a knob by a level would slow the minibatch or save power by far more than the noise of \
         these readings ({}). The columns on the right of each table leave them out, for the \
         strategies and for the optimum alike, over at most 1,000 problems a pair. The farthest \
         off:</p>\n\
         <div class=\"scroll\"><table><thead><tr><th>workload</th><th>batch size</th><th>power \
         mode</th><th>time</th><th>× neighbour's</th><th>power</th>\
         <th>× neighbour's</th></tr></thead><tbody>\n",
        removed.len(),
        evaluation.table.len(),
        counts.join(", "),
    );
    let mut worst: Vec<_> = removed.iter().collect();
    let off =
        |row: &crate::Implausible| row.time_factor.ln().abs().max(row.power_factor.ln().abs());
    worst.sort_by(|a, b| off(b).total_cmp(&off(a)));
    for row in worst.into_iter().take(SHOWN) {
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.2}</td><td>{}</td>\
             <td>{:.2}</td></tr>",
            escape(&row.workload.to_string()),
            row.batch_size,
            escape(&evaluation.table.space().describe(row.mode)),
            row.profile.minibatch,
            row.time_factor,
            row.profile.power,
            row.power_factor,
        );
    }
    html + "</tbody></table></div>\n</section>"
}
