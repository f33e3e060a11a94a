//! The arithmetic of the problems against brute force on random small spaces.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use fulcrum_domain::{
    Alternate, Assessment, Basis, BatchSize, Binding, BudgetValue, Evidence, Front, Hertz,
    Infeasibility, Knob, Measurement, ModeId, ModeSpace, OperatingPoint, Outcome, Problem, Profile,
    Profiles, Role, Seconds, Stream, Watts, Workload, explain,
};
use proptest::prelude::*;

fn profile() -> impl Strategy<Value = Profile> {
    (0.005f64..0.5, 5.0f64..60.0)
        .prop_map(|(time, power)| Profile::exact(Seconds::new(time), Watts::new(power)))
}

/// Operating points on a space of twelve modes, each with up to three batch sizes.
fn points() -> impl Strategy<Value = Vec<OperatingPoint>> {
    let space = ModeSpace::full_grid(vec![
        Knob::new("cpu_khz", [1.0, 2.0, 3.0]).unwrap(),
        Knob::new("gpu_khz", [1.0, 2.0, 3.0, 4.0]).unwrap(),
    ])
    .unwrap();
    let ids: Vec<_> = space.ids().collect();
    let one = (0..ids.len(), profile(), prop::sample::select(vec![1u32, 4, 16]), profile());
    prop::collection::vec(one, 1..30).prop_map(move |drawn| {
        drawn
            .into_iter()
            .map(|(mode, background, batch, urgent)| OperatingPoint {
                mode: ids[mode],
                background: Some(background),
                urgent: BatchSize::new(batch).map(|batch| (batch, urgent)),
            })
            .collect()
    })
}

fn concurrent() -> impl Strategy<Value = Problem> {
    (10.0f64..60.0, 5.0f64..120.0, 0.05f64..2.0).prop_map(|(power, rate, latency)| {
        let stream = Stream {
            workload: Workload::infer("i"),
            rate: Hertz::new(rate),
            latency: Seconds::new(latency),
        };
        Problem::concurrent(Workload::train("t"), stream, Watts::new(power)).unwrap()
    })
}

/// The strict throughput and whether the budgets hold, straight from the formulas of the problem.
fn brute_force(problem: &Problem, point: &OperatingPoint) -> (f64, bool) {
    let stream = problem.urgent().unwrap();
    let (batch, infer) = point.urgent.unwrap();
    let train = point.background.unwrap();
    let cycle = batch.as_f64() / stream.rate.get();
    let mut minibatches = 0.0;
    while (minibatches + 1.0) * train.minibatch.get() <= cycle - infer.minibatch.get() {
        minibatches += 1.0;
    }
    let holds = cycle + infer.minibatch.get() <= stream.latency.get()
        && infer.minibatch.get() <= cycle
        && train.power <= problem.power()
        && infer.power <= problem.power();
    (minibatches / cycle, holds)
}

proptest! {
    #[test]
    fn the_best_point_is_what_trying_all_gives(points in points(), problem in concurrent()) {
        let tried = points
            .iter()
            .map(|point| brute_force(&problem, point))
            .filter(|(_, holds)| *holds)
            .map(|(throughput, _)| throughput)
            .reduce(f64::max);
        let best = problem.best(Alternate::Strict, 0.0, &points);
        match (best, tried) {
            (Some((_, found)), Some(tried)) => {
                let found = found.throughput.unwrap().get();
                // A minibatch that fits exactly may fall either way by rounding.
                prop_assert!((found - tried).abs() < 1e-9 * tried.max(1.0));
            }
            (None, None) => {}
            (found, tried) => prop_assert!(false, "{found:?} where trying all gives {tried:?}"),
        }
    }

    #[test]
    fn a_front_answers_as_all_its_points_would(points in points(), problem in concurrent()) {
        let front = Front::new(points.iter().copied(), Evidence::Measured);
        prop_assert!(front.points().len() <= points.len());
        let outcome = front.solve(&problem, Alternate::Strict, 0.0, Basis::Exhausted);
        let best = problem.best(Alternate::Strict, 0.0, &points);
        prop_assert_eq!(outcome.plan().is_some(), best.is_some());
        if let (Some(plan), Some((_, best))) = (outcome.plan(), best) {
            prop_assert_eq!(plan.promise.throughput, best.throughput);
        }
    }

    #[test]
    fn every_remedy_works(points in points(), problem in concurrent()) {
        let front = Front::new(points.iter().copied(), Evidence::Measured);
        let outcome = front.solve(&problem, Alternate::Strict, 0.0, Basis::Exhausted);
        if let Outcome::Infeasible(why) = outcome {
            prop_assert!(!why.remedies.is_empty());
            for remedy in &why.remedies {
                let changed =
                    remedy.budgets.iter().fold(problem.clone(), |problem, b| problem.with(*b));
                let best = changed.best(Alternate::Strict, 0.0, &points);
                prop_assert!(best.is_some(), "{remedy:?} does not work");
            }
            prop_assert!(why.remedies[0].budgets.iter().any(|b| b.budget() == why.binding));
        }
    }

    #[test]
    fn the_power_that_would_work_is_the_least_that_does(
        points in points(), problem in concurrent(),
    ) {
        prop_assume!(problem.best(Alternate::Strict, 0.0, &points).is_none());
        let why = Infeasibility::of(&problem, Alternate::Strict, &points, Basis::Exhausted);
        for remedy in why.remedies {
            if let [BudgetValue::Power(power)] = remedy.budgets[..] {
                let less = problem.with(BudgetValue::Power(power * 0.999));
                prop_assert!(less.best(Alternate::Strict, 0.0, &points).is_none());
            }
        }
    }

    #[test]
    fn a_wider_budget_never_costs_throughput(
        points in points(), problem in concurrent(), wider in 1.0f64..2.0,
    ) {
        let power = BudgetValue::Power(problem.power() * wider);
        let before = problem.best(Alternate::Strict, 0.0, &points);
        let after = problem.with(power).best(Alternate::Strict, 0.0, &points);
        if let Some((_, before)) = before {
            let after = after.unwrap().1;
            prop_assert!(after.throughput >= before.throughput);
        }
    }

    #[test]
    fn a_plan_is_explained_by_what_is_no_better_or_breaks_a_budget(
        points in points(), problem in concurrent(), half in any::<bool>(),
        doubted in prop::collection::vec(any::<bool>(), 40),
    ) {
        // A strategy may have passed over operating points that it did not believe.
        let believed = points.iter().zip(&doubted).filter(|(_, doubted)| !**doubted);
        let front = Front::new(believed.map(|(point, _)| *point), Evidence::Measured);
        let outcome = front.solve(&problem, Alternate::SlackAware, 0.0, Basis::Exhausted);
        if let Some(plan) = outcome.plan() {
            let profiles = profiles_of(&points, |mode| half && mode != plan.point.mode);
            let why = explain(&problem, plan, &profiles, 0.0);
            prop_assert_eq!(why.margins.len(), 3);
            prop_assert_eq!(why.slack_aware, None, "it is already");
            prop_assert!(why.margins.iter().all(|margin| margin.share >= -1e-12));
            if let Some((point, promise)) = why.runner_up {
                prop_assert!(point.mode != plan.point.mode && promise.feasible());
                prop_assert!(promise.by_objective(&plan.promise).is_ge());
            }
            match why.binding {
                Some(Binding::Better { point, promise, .. }) => {
                    prop_assert!(promise.by_objective(&plan.promise).is_lt());
                    let now = problem.assess(plan.alternate, &point).unwrap();
                    prop_assert!(!now.feasible());
                }
                Some(Binding::KeepsOut { modes, nearest }) => {
                    prop_assert!(modes > 0);
                    let own = problem.budgets().find(|own| own.budget() == nearest.budget());
                    let wider = match (own, nearest) {
                        (Some(BudgetValue::Power(own)), BudgetValue::Power(new)) => new > own,
                        (Some(BudgetValue::Latency(own)), BudgetValue::Latency(new)) => new > own,
                        _ => false,
                    };
                    prop_assert!(wider);
                }
                None => {}
            }
        }
    }

    #[test]
    fn a_strict_plan_says_what_carrying_on_across_cycles_would_bring(
        points in points(), problem in concurrent(),
    ) {
        let profiles = profiles_of(&points, |_| false);
        let points = profiles.operating_points(problem.roles());
        let outcome = Front::new(points.clone(), Evidence::Measured)
            .solve(&problem, Alternate::Strict, 0.0, Basis::Exhausted);
        if let Some(plan) = outcome.plan() {
            let carried = |point| problem.assess(Alternate::SlackAware, point);
            let within = points.iter().filter_map(carried).filter(Assessment::feasible);
            let faster = |a: &Hertz, b: &Hertz| a.get().total_cmp(&b.get());
            let most = within.filter_map(|promise| promise.throughput).max_by(faster);
            let why = explain(&problem, plan, &profiles, 0.0);
            prop_assert!(most >= plan.promise.throughput);
            prop_assert_eq!(why.slack_aware.is_some(), most > plan.promise.throughput);
            if let Some((point, promise)) = why.slack_aware {
                prop_assert_eq!(promise.throughput, most);
                prop_assert_eq!(carried(&point), Some(promise));
            }
        }
    }
}

/// The profiles of operating points; without the background's at some modes.
fn profiles_of(points: &[OperatingPoint], half: impl Fn(ModeId) -> bool) -> Profiles {
    let of = |point: &OperatingPoint, role| {
        let batch_size = match role {
            Role::Background => BatchSize::ONE,
            Role::Urgent => point.batch_size()?,
        };
        Some((Measurement { mode: point.mode, role, batch_size }, point.profile(role)?))
    };
    let background =
        points.iter().filter(|p| !half(p.mode)).filter_map(|p| of(p, Role::Background));
    background.chain(points.iter().filter_map(|p| of(p, Role::Urgent))).collect()
}

#[test]
fn what_is_half_measured_says_which_budget_binds() {
    let space = ModeSpace::full_grid(vec![Knob::new("gpu_khz", [1.0, 2.0, 3.0]).unwrap()]).unwrap();
    let profile = |t, p| Profile::exact(Seconds::new(t), Watts::new(p));
    let at = |mode: usize, role, t, p| {
        let mode = space.id(mode).unwrap();
        (Measurement { mode, role, batch_size: BatchSize::ONE }, profile(t, p))
    };
    let profiles: Profiles = [
        at(0, Role::Background, 0.02, 10.0),
        at(0, Role::Urgent, 0.01, 9.0),
        // Too hungry by a little, and by a lot; training was not measured there.
        at(1, Role::Urgent, 0.005, 16.0),
        at(2, Role::Urgent, 0.004, 30.0),
    ]
    .into_iter()
    .collect();
    let stream = Stream {
        workload: Workload::infer("i"),
        rate: Hertz::new(10.0),
        latency: Seconds::new(0.3),
    };
    let train = Workload::train("t");
    let problem = Problem::concurrent(train, stream, Watts::new(15.0)).unwrap();
    let points = profiles.operating_points(problem.roles());
    let front = Front::new(points, Evidence::Measured);
    let outcome = front.solve(&problem, Alternate::Strict, 0.0, Basis::Measured);
    let why = explain(&problem, outcome.plan().unwrap(), &profiles, 0.0);
    let nearest = BudgetValue::Power(Watts::new(15.0) * (16.0 / 15.0));
    assert_eq!(why.binding, Some(Binding::KeepsOut { modes: 2, nearest }));
    assert_eq!(why.runner_up, None);
}

#[test]
fn the_four_problems_minimise_and_maximise_what_they_say() {
    let space = ModeSpace::full_grid(vec![Knob::new("gpu_khz", [1.0, 2.0]).unwrap()]).unwrap();
    let at = |mode, t: f64, p: f64| OperatingPoint {
        mode,
        background: Some(Profile::exact(Seconds::new(t), Watts::new(p))),
        urgent: Some((BatchSize::ONE, Profile::exact(Seconds::new(t / 10.0), Watts::new(p - 1.0)))),
    };
    let points = [at(space.lowest(), 0.2, 10.0), at(space.highest(), 0.1, 20.0)];
    let stream = || Stream {
        workload: Workload::infer("i"),
        rate: Hertz::new(4.0),
        latency: Seconds::new(0.3),
    };
    let chosen = |problem: &Problem| {
        let (point, found) = problem.best(Alternate::Strict, 0.0, &points).unwrap();
        (point.mode, found)
    };
    let (train, watts) = (Workload::train("t"), Watts::new);
    let (mode, found) = chosen(&Problem::train_only(train.clone(), watts(15.0)).unwrap());
    assert_eq!((mode, found.throughput), (space.lowest(), Some(Hertz::new(5.0))));
    // The urgent workload alone draws a watt less than the one in the background.
    let (mode, _) = chosen(&Problem::infer_only(stream(), watts(19.5)).unwrap());
    assert_eq!(mode, space.highest());
    let (mode, found) = chosen(&Problem::concurrent(train, stream(), watts(19.5)).unwrap());
    assert_eq!((mode, found.minibatches_per_cycle), (space.lowest(), Some(1.0)));
    let other = Workload::infer("other");
    let (mode, found) = chosen(&Problem::two_inferences(other, stream(), watts(20.0)).unwrap());
    assert_eq!((mode, found.minibatches_per_cycle), (space.highest(), Some(2.0)));
}
