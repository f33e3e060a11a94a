//! Tallies by strategy, over everything, each kind of problem and each group.

use std::io::{self, Write};

use fulcrum_domain::ProblemKind;

use crate::group::Group;
use crate::score::Tally;

/// Over which problems a summary goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Overall,
    /// Those of one kind.
    Kind(ProblemKind),
    /// Those of the same workloads, by their names.
    Group(String),
}

impl Scope {
    /// `overall`, the name of the kind, or those of the workloads.
    pub fn name(&self) -> &str {
        match self {
            Self::Overall => "overall",
            Self::Kind(kind) => kind.as_str(),
            Self::Group(name) => name,
        }
    }
}

/// How one strategy did over some of the problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The strategy's name.
    pub strategy: String,
    /// Over which problems.
    pub scope: Scope,
    /// How many problems these are.
    pub problems: usize,
    /// On the table as it was recorded.
    pub raw: Tally,
    /// On the table without its implausible rows, if it has any.
    pub clean: Option<Tally>,
}

/// The summaries by scope (overall, then the kinds, then the groups; each only if there is more
/// than one), then by strategy. Tallies come by strategy, then group.
pub(crate) fn summarise<'a>(
    strategies: impl Iterator<Item = &'a str>,
    groups: &[Group],
    raw: &[Vec<Tally>],
    clean: Option<&[Vec<Tally>]>,
) -> Vec<Summary> {
    let mut kinds: Vec<ProblemKind> = groups.iter().map(|group| group.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut scopes = vec![(Scope::Overall, (0..groups.len()).collect::<Vec<_>>())];
    if kinds.len() > 1 {
        scopes.extend(kinds.into_iter().map(|kind| {
            let of_kind = (0..groups.len()).filter(|&g| groups[g].kind == kind);
            (Scope::Kind(kind), of_kind.collect())
        }));
    }
    if groups.len() > 1 {
        let group = |(i, group): (usize, &Group)| (Scope::Group(group.to_string()), vec![i]);
        scopes.extend(groups.iter().enumerate().map(group));
    }
    let strategies: Vec<&str> = strategies.collect();
    let mut summaries = Vec::with_capacity(scopes.len() * strategies.len());
    for (scope, members) in scopes {
        for (s, strategy) in strategies.iter().enumerate() {
            let merged = |tallies: &[Vec<Tally>]| {
                let mut sum = Tally::default();
                for &g in &members {
                    sum.merge(&tallies[s][g]);
                }
                sum
            };
            summaries.push(Summary {
                strategy: (*strategy).to_owned(),
                scope: scope.clone(),
                problems: members.iter().map(|&g| groups[g].problems.len()).sum(),
                raw: merged(raw),
                clean: clean.map(merged),
            });
        }
    }
    summaries
}

/// The summaries as a table, its header first.
pub fn summary_table(summaries: &[Summary]) -> Vec<Vec<String>> {
    let header = [
        "strategy",
        "group",
        "problems",
        "feasible",
        "solved %",
        "violating %",
        "mean loss %",
        "modes",
        "measurements",
        "solve us",
        "vs strict optimum",
        "infeasible said %",
        "clean loss %",
        "clean solved %",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(summaries.iter().map(row));
    rows
}

/// Writes a table of summaries as a CSV file.
///
/// # Errors
/// When writing fails.
pub fn write_summary_table(table: &[Vec<String>], out: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    for row in table {
        writer.write_record(row)?;
    }
    writer.flush()
}

fn row(summary: &Summary) -> Vec<String> {
    let Summary { strategy, scope, problems, raw, clean } = summary;
    let seeds = (raw.answers / (*problems).max(1) as u64).max(1);
    let clean = |of: fn(&Tally) -> Option<f64>| clean.as_ref().and_then(of);
    vec![
        strategy.clone(),
        scope.name().to_owned(),
        problems.to_string(),
        (raw.feasible / seeds).to_string(),
        percent(raw.solved_share()),
        // One plan in the whole protocol must not read as none.
        number(raw.violating_share().map(|share| share * 100.0), 3),
        percent(raw.mean_loss()),
        number(raw.mean_modes(), 1),
        number(raw.mean_measurements(), 1),
        number(raw.mean_solve_us(), 1),
        number(raw.of_strict_optimum(), 3),
        percent(raw.infeasible_share()),
        percent(clean(Tally::mean_loss)),
        percent(clean(Tally::solved_share)),
    ]
}

fn percent(share: Option<f64>) -> String {
    number(share.map(|share| share * 100.0), 2)
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}
