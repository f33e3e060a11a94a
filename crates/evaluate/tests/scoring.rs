//! What an answer is worth, and that the same evaluation comes out every time.

#[allow(dead_code)]
mod toy;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fulcrum_board::ProfileTable;
use fulcrum_domain::{Alternate, Knob, ModeSpace, Problem, Profile, Seconds, Watts, Workload};
use fulcrum_evaluate::{Evaluation, Scope, Settings, Tally, Verdict, evaluate, summary_table};
use fulcrum_search::Recipe;
use proptest::prelude::*;

fn settings(strategies: Vec<Recipe>) -> Settings {
    let alternate = Alternate::Strict;
    Settings { strategies, seed: 1, modes: None, noise: 0.0, known: 0, alternate, random_seeds: 3 }
}

fn run(table: &Arc<ProfileTable>, problems: &[Problem], settings: &Settings) -> Evaluation {
    evaluate(table, problems, settings, &|_, _| {}).expect("known workloads")
}

fn overall(evaluation: &Evaluation, strategy: &str) -> Tally {
    let found = evaluation
        .summaries()
        .iter()
        .find(|s| s.scope == Scope::Overall && s.strategy == strategy)
        .expect("a summary of every strategy");
    found.raw
}

fn verdicts(evaluation: &Evaluation, strategy: usize) -> Vec<Verdict> {
    evaluation.answers(strategy).map(|(_, answer)| answer.verdict).collect()
}

/// Four modes: the training takes 400, 200, 200 and 100 ms and draws 10, 20, 25 and 40 W.
fn two_by_two() -> Arc<ProfileTable> {
    let knob = |name: &str| Knob::new(name, [1.0, 2.0]).expect("finite levels");
    let space = Arc::new(ModeSpace::full_grid(vec![knob("a"), knob("b")]).expect("four modes"));
    let readings = [(400.0, 10.0), (200.0, 20.0), (200.0, 25.0), (100.0, 40.0)];
    let rows = space.ids().zip(readings).flat_map(|(mode, (millis, watts))| {
        let train = Profile::exact(Seconds::from_millis(millis), Watts::new(watts));
        let infer = Profile::exact(Seconds::from_millis(millis / 4.0), Watts::new(watts - 5.0));
        [
            (Workload::train("net"), mode, toy::batch(16), train),
            (Workload::infer("eye"), mode, toy::batch(4), infer),
        ]
    });
    let rows: Vec<_> = rows.collect();
    Arc::new(ProfileTable::new("hand-made", space, rows))
}

#[test]
fn verdicts_on_a_hand_made_table() {
    let problems = [
        toy::train(9.0),
        toy::train(22.0),
        toy::train(45.0),
        // A cycle of 400 ms: 100 ms of inference and no training at 10 W, 50 + 200 ms at 20 W.
        toy::concurrent(10.0, 500.0, 10.0),
        toy::concurrent(10.0, 500.0, 20.0),
        toy::concurrent(10.0, 500.0, 40.0),
        toy::concurrent(10.0, 420.0, 20.0),
    ];
    let strategies = vec![toy::everything(), toy::highest()];
    let evaluation = run(&two_by_two(), &problems, &settings(strategies));
    let optima: Vec<Option<f64>> = (0..problems.len())
        .map(|i| Some(evaluation.truth().optimum(i)?.best.throughput?.get()))
        .collect();
    assert_eq!(optima, [None, Some(5.0), Some(10.0), Some(0.0), Some(2.5), Some(7.5), None]);
    let none = Verdict::Solved { loss: 0.0 };
    assert_eq!(
        verdicts(&evaluation, 0),
        [Verdict::Infeasible, none, none, none, none, none, Verdict::Infeasible]
    );
    // The highest mode alone is too hungry for all but two, and cannot say that there is nothing.
    let highest = verdicts(&evaluation, 1);
    assert_eq!(
        highest[1..6],
        [Verdict::Unsolved, none, Verdict::Unsolved, Verdict::Unsolved, none]
    );
    let tally = overall(&evaluation, "highest");
    assert_eq!((tally.answers, tally.feasible, tally.solved, tally.unsolved()), (7, 5, 2, 3));
    assert_eq!(tally.mean_loss(), Some(0.6));
    assert_eq!(tally.of_strict_optimum(), Some(0.75));
    assert_eq!(tally.violating_share(), Some(0.0));
    assert_eq!((tally.mean_modes(), tally.mean_measurements()), (Some(1.0), Some(11.0 / 7.0)));
}

#[test]
fn a_front_answers_all_problems_and_luck_is_averaged() {
    let table = toy::table(5);
    let problems: Vec<Problem> =
        (10..40).map(|p| toy::concurrent(20.0, 900.0, f64::from(p))).collect();
    let evaluation = run(&table, &problems, &settings(vec![toy::every_third()]));
    let tally = overall(&evaluation, "random-third");
    assert_eq!(tally.answers, 90, "three seeds");
    assert_eq!(verdicts(&evaluation, 0).len(), 30, "the answers of the first");
    assert_eq!(tally.violating, 0);
    assert!(
        evaluation.answers(0).all(|(_, answer)| answer.modes == 8 && answer.measurements == 32)
    );
    let rows = summary_table(evaluation.summaries());
    assert_eq!(rows[0][..4], ["strategy", "group", "problems", "feasible"]);
    assert_eq!(rows[1][..3], ["random-third", "overall", "30"]);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let table = toy::table(4);
    let problems: Vec<Problem> = (9..30)
        .flat_map(|p| {
            let p = f64::from(p);
            [toy::train(p), toy::infer(30.0, 90.0, p), toy::concurrent(30.0, 700.0, p)]
        })
        .collect();
    let mut settings = settings(vec![toy::everything(), toy::highest(), toy::every_third()]);
    settings.noise = 0.02;
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let (last, total) = (AtomicU64::new(0), AtomicU64::new(0));
        let progress = |done: u64, of: u64| {
            last.fetch_max(done, Ordering::Relaxed);
            total.store(of, Ordering::Relaxed);
        };
        let evaluation =
            pool.install(|| evaluate(&table, &problems, &settings, &progress)).expect("all known");
        assert_eq!(last.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        without_times(&evaluation)
    };
    assert_eq!(with(1), with(2));
    assert_eq!(with(2), with(7));
}

/// The results file but for its last column, the time of computing.
fn without_times(evaluation: &Evaluation) -> Vec<String> {
    let mut file = Vec::new();
    evaluation.write_results(&mut file).expect("memory");
    let text = String::from_utf8(file).expect("text");
    text.lines().filter_map(|line| Some(line.rsplit_once(',')?.0.to_owned())).collect()
}

#[test]
fn what_cannot_be_evaluated_is_said() {
    let table = toy::table(2);
    let message = |problems: &[Problem], settings: &Settings| {
        evaluate(&table, problems, settings, &|_, _| {}).map(|_| ()).expect_err("wrong").to_string()
    };
    let one = settings(vec![toy::highest()]);
    assert!(message(&[], &one).contains("no problem"));
    assert!(message(&[toy::train(9.0)], &settings(Vec::new())).contains("no strategy"));
    let noisy = Settings { noise: f64::NAN, ..one.clone() };
    assert!(message(&[toy::train(9.0)], &noisy).contains("noise"));
    let other = Problem::train_only(Workload::train("other"), Watts::new(9.0)).expect("positive");
    assert!(message(&[other], &one).contains("unknown workload `other train`"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_optimum_never_loses_and_a_loss_is_a_share(
        rate in 5.0f64..120.0, millis in 20.0f64..1500.0, power in 6.0f64..40.0, slack_aware: bool,
    ) {
        let problems = [toy::train(power), toy::infer(rate, millis, power), toy::concurrent(rate, millis, power)];
        let strategies = vec![toy::everything(), toy::highest(), toy::every_third()];
        let mut settings = settings(strategies);
        if slack_aware {
            settings.alternate = Alternate::SlackAware;
        }
        let evaluation = run(&toy::table(4), &problems, &settings);
        for verdict in verdicts(&evaluation, 0) {
            match verdict {
                Verdict::Solved { loss } => prop_assert!(loss.abs() < 1e-12),
                other => prop_assert_eq!(other, Verdict::Infeasible),
            }
        }
        for strategy in [1, 2] {
            for (i, verdict) in verdicts(&evaluation, strategy).into_iter().enumerate() {
                match verdict {
                    Verdict::Solved { loss } if i == 2 => prop_assert!((0.0..=1.0).contains(&loss)),
                    Verdict::Solved { loss } => prop_assert!(loss >= 0.0),
                    other => prop_assert_ne!(other, Verdict::Violating),
                }
            }
        }
    }
}
