//! Schedules of simulated workers, held against what turns promise.

use std::time::Duration;

use fulcrum_domain::{Alternate, Workload};
use fulcrum_interleave::check::{Violation, check};
use fulcrum_interleave::simulate::{
    Arrivals, Execution, Faults, Jitter, Job, Process, Rate, Report, Setup, arrivals, simulate,
};
use fulcrum_interleave::{Agreement, Moment, Terms};
use proptest::prelude::*;

fn ms(millis: f64) -> Duration {
    Duration::from_secs_f64(millis / 1e3)
}

/// A pair as a plan would make it: (training, inference, batch size, arrival rate, budget).
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    preemptible: bool,
    stands: bool,
    train: f64,
    infer: f64,
    batch: u32,
    rate: f64,
    budget: f64,
}

const PREEMPTIBLE: Pair = Pair {
    preemptible: true,
    stands: false,
    train: 0.0,
    infer: 0.0,
    batch: 0,
    rate: 0.0,
    budget: 0.0,
};

impl Pair {
    fn cycle(&self) -> f64 {
        1e3 * f64::from(self.batch) / self.rate
    }

    fn agreement(&self, alternate: Alternate, guard: f64) -> Agreement {
        let per_cycle = ((self.cycle() - self.infer) / self.train).floor().max(0.0);
        Agreement {
            alternate,
            guard,
            minibatches_per_cycle: per_cycle as u32,
            terms: vec![
                Terms::background(Workload::train("a"), 16).expecting(ms(self.train)),
                Terms::urgent(&"b".into(), self.batch, ms(self.budget)).expecting(ms(self.infer)),
            ],
        }
    }

    fn setup(&self, alternate: Alternate, guard: f64, arrivals: Arrivals, jitter: f64) -> Setup {
        let jitter = Jitter { ratio: jitter, drift_per_hour: 0.0 };
        let mut train = Job::train("a", Execution::of(ms(self.train)).with(jitter));
        train.preemptible = self.preemptible;
        let execution = Execution::of(ms(self.infer)).with(jitter);
        let mut infer = Job::infer("b", 1..=self.batch, execution, arrivals);
        infer.stands = self.stands;
        let agreement = self.agreement(alternate, guard);
        Setup::new(agreement, vec![train, infer], Duration::from_mins(1))
    }
}

prop_compose! {
    /// A pair that has a plan: the latency budget holds for a batch that fills evenly.
    fn pair()(
        train in 5.0..120.0f64, infer in 2.0..60.0f64, batch in 1..32u32,
        busy in 0.05..0.9f64, slack in 0.0..3.0f64, preemptible in any::<bool>(), stands in any::<bool>(),
    ) -> Pair {
        let cycle = infer / busy;
        let rate = 1e3 * f64::from(batch) / cycle;
        Pair { preemptible, stands, train, infer, batch, rate, budget: cycle + infer + slack * train }
    }
}

fn recorded(mut setup: Setup) -> (Setup, Report, Vec<Vec<Moment>>) {
    setup.record = true;
    let (report, arrivals) = (simulate(&setup), arrivals(&setup));
    (setup, report, arrivals)
}

fn bursty() -> impl Strategy<Value = Process> {
    prop_oneof![
        Just(Process::Constant),
        Just(Process::Poisson),
        Just(Process::Gamma { cv: 2.0 }),
        Just(Process::OnOff { spell: Duration::from_millis(700) }),
    ]
}

proptest! {
    #[test]
    fn every_schedule_keeps_what_turns_promise(
        pair in pair(), process in bursty(), strict in any::<bool>(), guard in 0.0..0.2f64, seed in any::<u64>(),
    ) {
        let alternate = if strict { Alternate::Strict } else { Alternate::SlackAware };
        let arrivals = Arrivals { process, rate: Rate::Steady(pair.rate) };
        let mut setup = pair.setup(alternate, guard, arrivals, 0.0);
        setup.seed = seed;
        let (setup, report, arrivals) = recorded(setup);
        let found = check(&setup, &report.turns, &arrivals);
        prop_assert!(found.is_empty(), "{:?}", &found[..found.len().min(3)]);
        let infer = &report.jobs[1];
        prop_assert_eq!(infer.arrived, infer.answered + infer.waiting);
    }

    #[test]
    fn who_answers_by_itself_answers_as_it_would_be_told_to(
        pair in pair(), process in bursty(), alone in any::<bool>(), guard in 0.0..0.2f64, seed in any::<u64>(),
    ) {
        let schedule = |stands| {
            let arrivals = Arrivals { process: process.clone(), rate: Rate::Steady(pair.rate) };
            let pair = Pair { preemptible: true, stands, ..pair };
            let mut setup = pair.setup(Alternate::SlackAware, guard, arrivals, 0.0);
            setup.seed = seed;
            if alone {
                setup.jobs.swap_remove(0);
            }
            let (setup, report, arrivals) = recorded(setup);
            let found = check(&setup, &report.turns, &arrivals);
            assert!(found.is_empty(), "{:?}", &found[..found.len().min(3)]);
            let trained = if alone { 0 } else { report.jobs[0].minibatches };
            let mut turns = report.turns;
            turns.retain(|turn| !turn.arrived.is_empty());
            let grants: std::collections::BTreeSet<u64> = turns.iter().map(|turn| turn.grant).collect();
            let when: Vec<_> = turns.into_iter().map(|turn| (turn.began, turn.ended, turn.arrived)).collect();
            (when, trained, grants.len())
        };
        let ((told, trained, asked), (itself, trained_beside, once)) = (schedule(false), schedule(true));
        prop_assert_eq!(&told, &itself);
        // But for what is not told of, or not known, at the end.
        let untold = 2 + ((100.0 + pair.budget) / pair.train) as u64;
        prop_assert!(trained.abs_diff(trained_beside) <= untold, "{} {}", trained, trained_beside);
        prop_assert_eq!((asked, once), (told.len(), usize::from(!told.is_empty())));
    }

    #[test]
    fn evenly_spaced_requests_of_a_plan_are_never_late(pair in pair(), strict in any::<bool>()) {
        let alternate = if strict { Alternate::Strict } else { Alternate::SlackAware };
        let report = simulate(&pair.setup(alternate, 0.0, Arrivals::constant(pair.rate), 0.0));
        prop_assert_eq!(report.jobs[1].late, 0, "{:?}", report.jobs[1].latencies.longest());
    }

    #[test]
    fn slack_trains_at_least_as_much_as_the_floor(pair in pair()) {
        let run = |alternate| simulate(&pair.setup(alternate, 0.0, Arrivals::constant(pair.rate), 0.0));
        let (strict, aware) = (run(Alternate::Strict), run(Alternate::SlackAware));
        // But for the cycle that is cut off at the end.
        prop_assert!(aware.jobs[0].minibatches + 40 >= strict.jobs[0].minibatches,
            "{} {}", aware.jobs[0].minibatches, strict.jobs[0].minibatches);
    }
}

#[test]
fn the_throughput_is_that_of_the_closed_form() {
    use fulcrum_domain::{Seconds, Turns};
    for (train, infer, slack) in [(37.0, 11.0, 2.0), (37.0, 11.0, 0.4), (80.0, 25.0, 0.1)] {
        let pair = Pair {
            train,
            infer,
            batch: 8,
            rate: 40.0,
            budget: 200.0 + infer + slack * train,
            ..Pair::default()
        };
        let s = |millis: f64| Seconds::new(millis / 1e3);
        for alternate in [Alternate::Strict, Alternate::SlackAware] {
            let turns = Turns::new(alternate, s(200.0), s(infer), s(train), s(slack * train));
            let mut setup = pair.setup(alternate, 0.0, Arrivals::constant(40.0), 0.0);
            setup.duration = Duration::from_mins(20);
            let found = simulate(&setup).throughput(0);
            let expected = turns.throughput(s(200.0)).get();
            // A batch is full one interval before its cycle ends, slack that the form leaves out.
            let most = (1.0 - 40.0 / 8.0 * infer / 1e3) / (train / 1e3);
            let highest = if alternate == Alternate::Strict { expected } else { most };
            assert!(
                found >= 0.98 * expected && found <= 1.02 * highest,
                "{alternate} {train} {slack}: {found} {expected} {most}"
            );
        }
    }
}

#[test]
fn preemptible_training_costs_no_latency_and_takes_all_the_time_that_is_left() {
    // A minibatch takes longer than the whole latency budget.
    let pair =
        Pair { train: 200.0, infer: 10.0, batch: 4, rate: 40.0, budget: 50.0, ..PREEMPTIBLE };
    let (setup, report, arrivals) =
        recorded(pair.setup(Alternate::SlackAware, 0.0, Arrivals::poisson(40.0), 0.0));
    assert_eq!(check(&setup, &report.turns, &arrivals), []);
    let (train, infer) = (&report.jobs[0], &report.jobs[1]);
    assert!(report.late_share(1) < 0.005, "{} of {} late", infer.late, infer.answered);
    let left = report.duration.saturating_sub(infer.busy);
    assert!(left.saturating_sub(train.busy) < ms(200.0), "{:?} of {left:?}", train.busy);
    assert!(report.turns.iter().any(|turn| turn.preemptions.len() > 2));
    // As a whole, none of them fits.
    let whole = Pair { preemptible: false, ..pair };
    let whole = whole.setup(Alternate::SlackAware, 0.0, Arrivals::poisson(40.0), 0.0);
    assert_eq!(simulate(&whole).jobs[0].minibatches, 0);
}

#[test]
fn preemptible_training_that_has_to_make_way_for_other_training_is_preempted_all_the_same() {
    let pair =
        Pair { train: 2000.0, infer: 5.0, batch: 4, rate: 40.0, budget: 60.0, ..PREEMPTIBLE };
    let mut setup = pair.setup(Alternate::SlackAware, 0.0, Arrivals::poisson(40.0), 0.0);
    setup.jobs.push(Job::train("c", Execution::of(ms(2000.0))).preemptible());
    let report = simulate(&setup);
    assert!(report.late_share(1) < 0.005, "{} late", report.late_share(1));
    let (one, other) = (report.jobs[0].minibatches, report.jobs[2].minibatches);
    assert!(one.abs_diff(other) <= 1 && one + other > 20, "{one} {other}");
}

#[test]
fn training_that_comes_while_other_training_runs_gets_its_share() {
    let jobs = ["a", "b"].map(|name| Job::train(name, Execution::of(ms(30.0)))).to_vec();
    let report = simulate(&Setup::new(Agreement::default(), jobs, Duration::from_mins(1)));
    let (one, other) = (report.throughput(0), report.throughput(1));
    assert!((one - other).abs() < 1.0 && one + other > 33.0, "{one} {other} a second");
}

#[test]
fn a_changed_schedule_is_found_out() {
    let pair =
        Pair { train: 40.0, infer: 10.0, batch: 8, rate: 40.0, budget: 260.0, ..Pair::default() };
    let setup = pair.setup(Alternate::SlackAware, 0.0, Arrivals::poisson(40.0), 0.0);
    let (setup, report, arrivals) = recorded(setup);
    assert_eq!(check(&setup, &report.turns, &arrivals), []);
    let late = report.turns.iter().position(|turn| turn.arrived.len() > 1).unwrap();

    let mut twice = report.turns.clone();
    twice[late + 1].arrived.clone_from(&report.turns[late].arrived);
    twice[late + 1].job = 1;
    assert!(matches!(check(&setup, &twice, &arrivals)[..], [Violation::AnsweredTwice(_), ..]));

    let mut overlapping = report.turns.clone();
    overlapping[late].ended = overlapping[late].ended + ms(1.0);
    overlapping[late + 1].began = overlapping[late].ended - ms(1.0);
    assert!(
        check(&setup, &overlapping, &arrivals).iter().any(|v| matches!(v, Violation::AtOnce(_)))
    );

    let lost: Vec<_> = report.turns.iter().filter(|turn| turn.job == 0).cloned().collect();
    assert!(check(&setup, &lost, &arrivals).iter().any(|v| matches!(v, Violation::Lost(_))));

    let mut lazy = report.turns.clone();
    let first = lazy
        .iter()
        .position(|turn| turn.job == 0 && turn.began > Moment::START + ms(5_000.0))
        .unwrap();
    lazy.remove(first);
    assert!(check(&setup, &lazy, &arrivals).iter().any(|v| matches!(v, Violation::Idle(_))));

    // Inference that begins later than it has to.
    let pair = Pair { preemptible: true, ..pair };
    let preemptible_setup = pair.setup(Alternate::SlackAware, 0.0, Arrivals::poisson(40.0), 0.0);
    let (preemptible, report_of_it, arrivals_of_it) = recorded(preemptible_setup);
    assert_eq!(check(&preemptible, &report_of_it.turns, &arrivals_of_it), []);
    let mut late = report_of_it.turns.clone();
    let turn = late.iter().position(|turn| turn.job == 0 && turn.preemptions.len() == 1).unwrap();
    let preemption = late[turn].preemptions[0];
    let inference = late.iter().position(|t| t.job == 1 && t.began == preemption.began).unwrap();
    late[inference].began = preemption.began + ms(400.0);
    late[inference].ended = preemption.ended + ms(400.0);
    late[turn].preemptions[0].began = preemption.began + ms(400.0);
    late[turn].preemptions[0].ended = preemption.ended + ms(400.0);
    late[turn].ended = late[turn].ended + ms(400.0);
    assert!(
        check(&preemptible, &late, &arrivals_of_it)
            .iter()
            .any(|v| matches!(v, Violation::MadeLate(_)))
    );

    let strict = Setup { agreement: pair.agreement(Alternate::Strict, 0.0), ..setup };
    assert!(
        check(&strict, &report.turns, &arrivals)
            .iter()
            .any(|v| matches!(v, Violation::TooManyInCycle(_)))
    );
}

#[test]
fn whatever_workers_do_no_request_is_lost_and_nothing_gets_stuck() {
    let first: u64 = std::env::var("FULCRUM_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let (mut crashes, mut fences) = (0, 0);
    for seed in first..first + 1000 {
        let pair = Pair {
            train: 30.0,
            infer: 12.0,
            batch: 8,
            rate: 60.0,
            budget: 250.0,
            ..Pair::default()
        };
        let process = match seed % 3 {
            0 => Process::Poisson,
            1 => Process::Gamma { cv: 2.0 },
            _ => Process::OnOff { spell: Duration::from_millis(500) },
        };
        let arrivals = Arrivals { process, rate: Rate::Steady(60.0) };
        let pair = Pair { preemptible: seed % 2 == 0, stands: seed % 4 < 2, ..pair };
        let mut setup = pair.setup(Alternate::SlackAware, 0.1, arrivals, 0.05);
        setup.seed = seed;
        for job in &mut setup.jobs {
            job.faults = Faults { crash: 0.004, hang: 0.002, late: 0.02 };
        }
        // A second stream without a budget of its own, with rare requests. Beside it no turn stands.
        if seed % 8 < 4 {
            setup.jobs.push(
                Job::infer("c", [1, 4], Execution::of(ms(5.0)), Arrivals::poisson(3.0))
                    .failing(Faults { crash: 0.01, hang: 0.0, late: 0.1 })
                    .standing(),
            );
        }
        let report = simulate(&setup);
        for job in &report.jobs[1..] {
            assert_eq!(job.arrived, job.answered + job.failed + job.waiting, "FULCRUM_SEED={seed}");
            // What was counted was answered.
            assert!(job.latencies.count() <= job.answered, "FULCRUM_SEED={seed}");
            assert!(job.answered + job.failed > job.arrived / 2, "stuck: FULCRUM_SEED={seed}");
        }
        assert!(report.jobs[0].minibatches > 50, "stuck: FULCRUM_SEED={seed} {:?}", report.jobs[0]);
        crashes += report.jobs.iter().map(|job| job.crashes).sum::<u64>();
        fences += report.jobs.iter().map(|job| job.fences).sum::<u64>();
    }
    assert!(crashes > 1000 && fences > 1000, "{crashes} {fences}: too few faults to show anything");
}

#[test]
fn overload_sheds_training_first_and_says_who_will_be_late() {
    use fulcrum_interleave::{Action, Event, Minibatch, Turns};
    // Twice as many requests as the device can answer.
    let pair =
        Pair { train: 20.0, infer: 100.0, batch: 4, rate: 80.0, budget: 300.0, ..Pair::default() };
    let report = simulate(&pair.setup(Alternate::SlackAware, 0.0, Arrivals::constant(80.0), 0.0));
    assert!(report.jobs[0].minibatches < 20, "{}", report.jobs[0].minibatches);
    assert!(report.jobs[1].answered > 2_300, "{}", report.jobs[1].answered);

    let mut turns = Turns::new();
    let mut actions = Vec::new();
    let mut at = |event: Event<'_>, millis: f64| {
        actions.clear();
        turns.handle(Moment::START + ms(millis), event, &mut actions);
        actions.clone()
    };
    at(Event::Agreed(&pair.agreement(Alternate::SlackAware, 0.0)), 0.0);
    at(
        Event::Attached {
            worker: 1,
            workload: &Workload::infer("b"),
            batch_sizes: &[1, 4],
            preemptible: false,
            stands: false,
        },
        0.0,
    );
    // Twenty at once: five minibatches of 100 ms, of which three are in time.
    let told = at(Event::Arrived { worker: 1, at: &[Moment::START; 20] }, 0.0);
    assert!(matches!(told[0], Action::Grant { requests: 4, .. }), "{told:?}");
    let now = Moment::START + ms(290.0);
    let minibatch = Minibatch { began: Moment::START, ended: now, requests: 4 };
    let told = at(Event::Ran { worker: 1, grant: 1, minibatches: &[minibatch], done: true }, 290.0);
    assert!(told.contains(&Action::Late { worker: 1, requests: 16 }), "{told:?}");
}
