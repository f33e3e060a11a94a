//! What every strategy keeps to, on random small monotone boards.

#![expect(clippy::unwrap_used, reason = "what a test builds or was just solved is there")]

mod small_space;

use fulcrum_domain::{Basis, Evidence, Failure, Infeasibility, Measurement, Outcome};
use fulcrum_search::{Allowance, Recipe, all};
use proptest::prelude::*;
use small_space::{Case, case, search};

/// The strategies whose models cost more than a moment a run.
const MODELS: [&str; 4] = ["guided", "als", "cbo", "nn-250"];

/// The strategies that are run often.
fn cheap() -> impl Iterator<Item = Recipe> {
    all().into_iter().filter(|recipe| !MODELS.contains(&recipe.name.as_str()))
}

/// Those that are run a few times only.
fn models() -> impl Iterator<Item = Recipe> {
    all().into_iter().filter(|recipe| MODELS.contains(&recipe.name.as_str()))
}

/// Those that find a plan whenever there is one, given leave to measure everything. The other
/// searches settle for a place where no single step helps, or for what they drew at first.
const COMPLETE: [&str; 3] = ["gmd", "guided", "optimum"];

fn everything(case: &Case) -> Allowance {
    Allowance { modes: case.setting.space.len(), measurements: case.size() }
}

/// What is true of every answer, whatever was measured.
fn check_answer(recipe: &Recipe, case: &Case, allowance: Allowance) {
    let name = &recipe.name;
    let run = search(recipe, case, allowance, |m| case.read(m));
    let mut distinct = run.asked.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), run.asked.len(), "{name} asks twice");
    assert!(run.asked.len() <= allowance.measurements, "{name} measures too much");
    assert!(run.modes().len() <= allowance.modes, "{name} visits too many modes");
    assert_eq!(run, search(recipe, case, allowance, |m| case.read(m)), "{name} is not repeatable");
    match &run.outcome {
        Outcome::Solved(plan) if plan.evidence == Evidence::Measured => {
            for role in case.problem.roles() {
                let batch = plan.point.batch_size().unwrap_or(case.setting.background_batch);
                let needed = case.setting.measurement(plan.point.mode, *role, batch);
                assert!(run.asked.contains(&needed), "{name} did not measure its plan");
                assert_eq!(case.read(needed).ok(), plan.point.profile(*role), "{name}");
            }
            let found = case.problem.assess(case.alternate, &plan.point).unwrap();
            assert!(found.feasible(), "{name} violates");
        }
        Outcome::Solved(_) => assert_eq!(name, "nn-250", "only the neural net predicts"),
        Outcome::Infeasible(Infeasibility { basis, .. }) => {
            // What a model believes may be wrong where the allowance does not pay for finding out;
            // it says with what probability.
            let sure = !matches!(basis, Basis::Believed { .. });
            assert!(!(sure && case.solvable()), "{name} errs: infeasible, {basis:?}");
        }
        Outcome::Unsolved(_) => {}
    }
}

fn check_completeness(recipe: &Recipe, case: &Case) {
    let run = search(recipe, case, everything(case), |m| case.read(m));
    assert_eq!(run.outcome.plan().is_some(), case.solvable(), "{}", recipe.name);
}

/// One reading in so many fails; the search must end all the same, and keep to what it read.
fn check_failures(recipe: &Recipe, case: &Case, one_in: usize, offset: usize) {
    let mut count = offset;
    let allowance = Allowance { modes: everything(case).modes, measurements: 60.min(case.size()) };
    let run = search(recipe, case, allowance, |m| {
        count += 1;
        if count.is_multiple_of(one_in) { Err(Failure::Crashed) } else { case.read(m) }
    });
    if let Some(plan) = run.outcome.plan() {
        let found = case.problem.assess(case.alternate, &plan.point).unwrap();
        assert!(found.feasible(), "{} violates", recipe.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_search_keeps_its_allowance_and_its_word(
        case in case(),
        modes in 1..20usize,
        measurements in 1..40usize,
    ) {
        for recipe in cheap() {
            check_answer(&recipe, &case, Allowance::modes(modes));
            check_answer(&recipe, &case, Allowance { modes, measurements });
        }
    }

    #[test]
    fn a_complete_strategy_solves_what_is_solvable(case in case()) {
        for recipe in cheap().filter(|recipe| COMPLETE.contains(&recipe.name.as_str())) {
            check_completeness(&recipe, &case);
        }
    }

    #[test]
    fn gmd_trusts_no_monotony_where_it_may_see_every_mode(case in case()) {
        // Every mode reads as the one on the other end of the space does.
        let modes: Vec<_> = case.setting.space.ids().collect();
        let opposite = |m: Measurement| {
            let mode = modes[modes.len() - 1 - m.mode.index()];
            case.read(Measurement { mode, ..m })
        };
        let recipe = fulcrum_search::recipe("gmd").unwrap();
        let run = search(&recipe, &case, Allowance::modes(modes.len()), opposite);
        prop_assert_eq!(run.outcome.plan().is_some(), case.solvable());
    }

    #[test]
    fn the_optimum_is_the_best_there_is(case in case()) {
        let recipe = fulcrum_search::recipe("optimum").unwrap();
        let run = search(&recipe, &case, everything(&case), |m| case.read(m));
        let best = case.problem.best(case.alternate, 0.0, &case.points());
        let found = run.outcome.plan().map(|plan| plan.promise);
        let equal = match (best, found) {
            (Some((_, best)), Some(found)) => found.by_objective(&best).is_eq(),
            (None, None) => true,
            _ => false,
        };
        prop_assert!(equal);
    }

    #[test]
    fn failures_end_no_search_badly(case in case(), one_in in 1..4usize, offset in 0..4usize) {
        for recipe in cheap() {
            check_failures(&recipe, &case, one_in, offset);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_model_keeps_its_allowance_and_its_word(case in case(), modes in 1..12usize) {
        for recipe in models() {
            check_answer(&recipe, &case, Allowance { modes, measurements: 30 });
        }
    }

    #[test]
    fn a_complete_model_solves_what_is_solvable(case in case()) {
        for recipe in models().filter(|recipe| COMPLETE.contains(&recipe.name.as_str())) {
            check_completeness(&recipe, &case);
        }
    }

    #[test]
    fn failures_end_no_model_badly(case in case(), one_in in 1..4usize, offset in 0..4usize) {
        for recipe in models().filter(|recipe| recipe.name != "nn-250") {
            check_failures(&recipe, &case, one_in, offset);
        }
    }
}
