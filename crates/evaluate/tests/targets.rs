//! What the strategies must reach on the tables of a real board, over a sample of the protocol.

#[path = "../../board/tests/measured/mod.rs"]
mod measured;

use std::sync::Arc;

use fulcrum_board::{ProfileTable, read_tables};
use fulcrum_domain::{Alternate, ProblemKind};
use fulcrum_evaluate::{Scope, Settings, Summary, evaluate, protocol, sample};
use fulcrum_search::recipe;
use measured::measured;

/// Problems of each pair: few, since a debug build runs them, but all 41 of training alone.
const EACH: usize = 41;

/// The tables of the AGX Orin, where they are.
fn orin_agx() -> Option<Arc<ProfileTable>> {
    measured("orin-agx").map(|path| Arc::new(read_tables(&[path]).expect("good tables")))
}

fn summaries(
    table: &Arc<ProfileTable>,
    strategies: &[&str],
    modes: Option<usize>,
    noise: f64,
    alternate: Alternate,
) -> Vec<Summary> {
    let settings = Settings {
        strategies: strategies.iter().map(|name| recipe(name).expect("a strategy")).collect(),
        seed: 1,
        modes,
        noise,
        alternate,
        known: 0,
        random_seeds: 1,
    };
    let problems = sample(&protocol(table), EACH, 1);
    evaluate(table, &problems, &settings, &|_, _| {}).expect("an evaluation").summaries().to_vec()
}

fn of<'a>(summaries: &'a [Summary], strategy: &str, scope: &Scope) -> &'a Summary {
    let found = summaries.iter().find(|s| s.strategy == strategy && s.scope == *scope);
    found.expect("a summary of the strategy")
}

/// Solved, violating and lost, as shares.
fn shares(summary: &Summary) -> [f64; 3] {
    let raw = &summary.raw;
    [raw.solved_share(), raw.violating_share(), raw.mean_loss()]
        .map(|share| share.expect("problems"))
}

#[test]
fn exact_readings_lead_to_plans_that_hold_and_lose_little() {
    let Some(table) = orin_agx() else { return };
    let found = summaries(&table, &["gmd", "guided", "als"], None, 0.0, Alternate::Strict);
    for (strategy, solved, loss) in
        [("gmd", 0.985, 0.12), ("guided", 0.99, 0.055), ("als", 0.985, 0.08)]
    {
        let [own_solved, violating, own_loss] = shares(of(&found, strategy, &Scope::Overall));
        assert!(own_solved >= solved, "{strategy} solves {own_solved}");
        assert!(violating == 0.0, "{strategy} violates {violating}");
        assert!(own_loss <= loss, "{strategy} loses {own_loss}");
    }
    let train = of(&found, "als", &Scope::Kind(ProblemKind::Train));
    let [solved, _, loss] = shares(train);
    assert!(solved == 1.0 && loss <= 0.015, "als, train only: solves {solved}, loses {loss}");
}

#[test]
fn eight_modes_are_enough_for_most() {
    let Some(table) = orin_agx() else { return };
    let found = summaries(&table, &["guided"], Some(8), 0.0, Alternate::Strict);
    let [_, violating, loss] = shares(of(&found, "guided", &Scope::Overall));
    assert!(violating == 0.0 && loss <= 0.09, "violates {violating}, loses {loss}");
}

#[test]
fn a_lucky_reading_does_not_become_a_violating_plan() {
    let Some(table) = orin_agx() else { return };
    let found = summaries(&table, &["guided"], None, 0.02, Alternate::Strict);
    let [_, violating, loss] = shares(of(&found, "guided", &Scope::Overall));
    // The sample is small: a few plans more or less are a percent.
    assert!(violating <= 0.015 && loss <= 0.15, "violates {violating}, loses {loss}");
}

#[test]
fn slack_trains_faster_than_the_strict_optimum() {
    let Some(table) = orin_agx() else { return };
    let found = summaries(&table, &["guided"], None, 0.0, Alternate::SlackAware);
    let pairs = found
        .iter()
        .filter(|s| matches!(&s.scope, Scope::Group(_)) && s.raw.of_strict_optimum().is_some());
    let mut count = 0;
    for summary in pairs {
        let ratio = summary.raw.of_strict_optimum().expect("a pair");
        assert!(summary.raw.violating == 0);
        // 1.05 over the whole protocol; one sample of a pair may fall a little short.
        assert!(ratio >= 1.02, "{}: {ratio}", summary.scope.name());
        count += 1;
    }
    assert_eq!(count, 9);
}
