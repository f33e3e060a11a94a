//! Everything at once: truth, runs, scores.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fulcrum_board::{ProfileTable, UnknownWorkload};
use fulcrum_domain::Problem;

use crate::answer::Answer;
use crate::clean::{Implausible, without_implausible_rows};
use crate::group::Group;
use crate::runner::{Run, Runner};
use crate::score::Tally;
use crate::settings::Settings;
use crate::summary::{Summary, summarise};
use crate::truth::Truth;

/// What came of an evaluation.
pub struct Evaluation {
    pub(crate) table: Arc<ProfileTable>,
    pub(crate) settings: Settings,
    pub(crate) problems: Vec<Problem>,
    pub(crate) groups: Vec<Group>,
    pub(crate) truth: Truth,
    pub(crate) runs: Vec<Run>,
    pub(crate) removed: Vec<Implausible>,
    summaries: Vec<Summary>,
}

/// Runs the strategies over the problems, on every core, and scores their answers by the table;
/// then once more over the table without its implausible rows, where it has any. That second run is
/// of the groups whose workloads lost rows, and thinned to at most 1,000 problems a group.
///
/// `progress` is told, now and then and from any thread, how many answers of how many there are.
/// The same arguments give the same evaluation but for the times of computing.
///
/// # Errors
/// When there is no strategy or one is named twice, there is no problem, the noise is no share, or a workload is not in the
/// table.
pub fn evaluate(
    table: &Arc<ProfileTable>,
    problems: &[Problem],
    settings: &Settings,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Evaluation, EvaluateError> {
    if settings.strategies.is_empty() {
        return Err(EvaluateError::NoStrategy);
    }
    let names = || settings.strategies.iter().map(|recipe| recipe.name.as_str());
    let mut seen = HashSet::new();
    if let Some(twice) = names().find(|name| !seen.insert(*name)) {
        return Err(EvaluateError::StrategyTwice(twice.to_owned()));
    }
    if problems.is_empty() {
        return Err(EvaluateError::NoProblem);
    }
    if !(0.0..1.0).contains(&settings.noise) {
        return Err(EvaluateError::Noise(settings.noise));
    }
    let groups = Group::of(problems);
    let (clean, removed) = without_implausible_rows(table);
    let affected = |group: &Group| removed.iter().any(|row| group.has(&row.workload));
    let thinned: Vec<_> = groups.iter().map(|group| affected(group).then(|| thin(group))).collect();

    let each: u64 = settings.strategies.iter().map(|recipe| settings.seeds(recipe)).sum();
    let count = |group: &Group| group.problems.len() as u64;
    let clean_groups: Vec<Group> =
        thinned.iter().flatten().map(|(group, _)| group.clone()).collect();
    let total = each * groups.iter().chain(&clean_groups).map(count).sum::<u64>();
    let so_far = AtomicU64::new(0);
    let done = |more: u64| progress(so_far.fetch_add(more, Ordering::Relaxed) + more, total);
    progress(0, total);

    let run = |table: &Arc<ProfileTable>, groups: &[Group]| {
        let truth = Truth::new(table, problems, groups, settings.alternate);
        let runner = Runner { table, problems, groups, truth: &truth, settings, done: &done };
        runner.run().map(|runs| (truth, runs))
    };
    let (truth, runs) = run(table, &groups)?;
    let clean_tallies = if removed.is_empty() {
        None
    } else {
        let (_, clean_runs) = run(&Arc::new(clean), &clean_groups)?;
        let pick = |(raw, clean): (&Run, &Run)| -> Vec<Tally> {
            let mut clean = clean.tallies.iter();
            let groups = raw.tallies.iter().zip(&thinned);
            let tally = groups.map(|(raw, thinned)| match thinned {
                Some((_, factor)) => clean.next().map(|tally| tally.times(*factor)),
                None => Some(*raw),
            });
            tally.map(Option::unwrap_or_default).collect()
        };
        Some(runs.iter().zip(&clean_runs).map(pick).collect::<Vec<_>>())
    };
    let raw: Vec<_> = runs.iter().map(|run| run.tallies.clone()).collect();
    let summaries = summarise(names(), &groups, &raw, clean_tallies.as_deref());
    Ok(Evaluation {
        table: table.clone(),
        settings: settings.clone(),
        problems: problems.to_vec(),
        groups,
        truth,
        runs,
        removed,
        summaries,
    })
}

/// Every so many problems of a large group, evenly, and of how many each is one.
fn thin(group: &Group) -> (Group, u64) {
    const ENOUGH: usize = 1000;
    let factor = group.problems.len().div_ceil(ENOUGH).max(1);
    let problems = group.problems.iter().copied().step_by(factor).collect();
    (Group { problems, ..group.clone() }, factor as u64)
}

impl Evaluation {
    /// One for every scope and strategy.
    pub fn summaries(&self) -> &[Summary] {
        &self.summaries
    }

    /// The groups of problems with the same workloads.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The true optima.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The rows without which the evaluation was run once more.
    pub fn removed(&self) -> &[Implausible] {
        &self.removed
    }

    /// The answers of a strategy (by its place in the settings) with the first seed, each with its
    /// problem.
    pub fn answers(&self, strategy: usize) -> impl Iterator<Item = (&Problem, &Answer)> {
        let answers = self.runs.get(strategy).map_or(&[][..], |run| &run.answers);
        self.problems.iter().zip(answers).filter_map(|(p, answer)| Some((p, answer.as_ref()?)))
    }
}

/// Why there is no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Nothing to run.
    #[error("there is no strategy to evaluate; name at least one")]
    NoStrategy,
    /// The same to run again.
    #[error("the strategy `{0}` is named twice; name it once")]
    StrategyTwice(String),
    /// Nothing to run it on.
    #[error("there is no problem to evaluate; give at least one")]
    NoProblem,
    /// A noise that is no share.
    #[error("the noise is {0}; it must be at least 0 and less than 1 (0.02 is 2 %)")]
    Noise(f64),
    /// A problem about a workload that was not recorded.
    #[error(transparent)]
    UnknownWorkload(#[from] UnknownWorkload),
    /// A picture of the report could not be drawn.
    #[error("the report's pictures cannot be drawn: {0}")]
    Drawing(String),
}
