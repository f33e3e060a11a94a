//! Random small boards whose workloads are monotone: raising a knob never slows one down and
//! never saves power.

use std::collections::BTreeSet;
use std::sync::Arc;

use fulcrum_domain::{
    Alternate, BatchSize, Failure, Hertz, Knob, Measurement, ModeId, ModeSpace, OperatingPoint,
    Outcome, Problem, Profile, Profiles, Reading, Role, Seconds, Setting, Stream, Watts, Workload,
};
use fulcrum_search::{Allowance, Recipe, Step, Task};
use proptest::prelude::*;

/// A workload whose time is a sum of terms that fall with each knob, and whose power is a sum of
/// terms that grow with it.
#[derive(Debug, Clone)]
struct Nature {
    time: Vec<f64>,
    power: Vec<f64>,
    constant: (f64, f64),
    /// The share of the time that each request of a batch adds.
    by_request: f64,
}

impl Nature {
    fn profile(&self, point: &[u16], batch: BatchSize) -> Profile {
        let place = |i: &u16| f64::from(*i) + 1.0;
        let time: f64 = self.time.iter().zip(point).map(|(a, i)| a / place(i)).sum();
        let power: f64 = self.power.iter().zip(point).map(|(a, i)| a * place(i)).sum();
        let size = 1.0 + self.by_request * (batch.as_f64() - 1.0);
        Profile::exact(
            Seconds::new((self.constant.0 + time) * size),
            Watts::new(self.constant.1 + power),
        )
    }
}

/// A problem on a small board, with the truth about it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) setting: Arc<Setting>,
    pub(crate) problem: Problem,
    pub(crate) alternate: Alternate,
    pub(crate) seed: u64,
    truth: Vec<(Measurement, Profile)>,
}

impl Case {
    pub(crate) fn task(&self, allowance: Allowance) -> Task {
        Task {
            setting: self.setting.clone(),
            problem: self.problem.clone(),
            alternate: self.alternate,
            allowance,
            relatives: Arc::default(),
            seed: self.seed,
        }
    }

    pub(crate) fn read(&self, measurement: Measurement) -> Reading {
        let found = self.truth.iter().find(|(m, _)| *m == measurement);
        found.map(|(_, profile)| *profile).ok_or(Failure::Unavailable)
    }

    /// The true operating points.
    pub(crate) fn points(&self) -> Vec<OperatingPoint> {
        let profiles: Profiles = self.truth.iter().copied().collect();
        profiles.operating_points(self.problem.roles())
    }

    pub(crate) fn solvable(&self) -> bool {
        self.problem.best(self.alternate, 0.0, &self.points()).is_some()
    }

    /// Everything that can be measured.
    pub(crate) fn size(&self) -> usize {
        self.truth.len()
    }
}

/// What a search did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) asked: Vec<Measurement>,
    pub(crate) outcome: Outcome,
}

impl Run {
    pub(crate) fn modes(&self) -> BTreeSet<ModeId> {
        self.asked.iter().map(|m| m.mode).collect()
    }
}

/// Runs a strategy to its end; one that asks for more than there is would never end.
pub(crate) fn search(
    recipe: &Recipe,
    case: &Case,
    allowance: Allowance,
    mut read: impl FnMut(Measurement) -> Reading,
) -> Run {
    let mut strategy = recipe.start(case.task(allowance));
    let mut asked = Vec::new();
    loop {
        match strategy.ask() {
            Step::Done(outcome) => return Run { asked, outcome },
            Step::Measure(measurement) => {
                asked.push(measurement);
                assert!(asked.len() <= case.size(), "{} does not end: {asked:?}", recipe.name);
                strategy.tell(measurement, read(measurement));
            }
        }
    }
}

fn nature(knobs: usize) -> impl Strategy<Value = Nature> {
    let weights = || prop::collection::vec(0.0..1.0f64, knobs);
    (weights(), weights(), 0.01..0.5f64, 0.5..5.0f64, 0.05..1.0f64).prop_map(
        |(time, power, fastest, least, by_request)| Nature {
            time,
            power: power.into_iter().map(|weight| 5.0 * weight).collect(),
            constant: (fastest, least),
            by_request,
        },
    )
}

fn space() -> impl Strategy<Value = ModeSpace> {
    prop::collection::vec(1..=5usize, 1..=4).prop_flat_map(|sizes| {
        let total: usize = sizes.iter().product();
        // Every fourth mode is missing, or none.
        let holes = prop_oneof![
            Just(vec![true; total]),
            prop::collection::vec(prop::bool::weighted(0.75), total)
        ];
        (Just(sizes), holes).prop_map(|(sizes, kept)| {
            let knobs: Vec<Knob> = sizes
                .iter()
                .enumerate()
                .map(|(i, &n)| Knob::new(format!("knob_{i}"), (0..n).map(|l| l as f64 + 1.0)))
                .collect::<Result<_, _>>()
                .unwrap();
            let full = ModeSpace::full_grid(knobs).unwrap();
            let names: Vec<String> = full.knobs().iter().map(|k| k.name().to_owned()).collect();
            let rows: Vec<Vec<f64>> = full
                .ids()
                .filter(|id| kept[id.index()])
                .map(|id| full.levels(id).collect())
                .collect();
            if rows.is_empty() { full } else { ModeSpace::from_modes(&names, &rows).unwrap() }
        })
    })
}

/// A random problem on a random small board.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    space()
        .prop_flat_map(|space| {
            let knobs = space.knobs().len();
            (
                Just(space),
                nature(knobs),
                nature(knobs),
                prop::sample::subsequence(vec![1u32, 4, 16, 32, 64], 1..=5),
                0..4usize,
                (2.0..40.0f64, 0.3..4.0f64, 1.0..40.0f64),
                any::<bool>(),
                0..4u64,
            )
        })
        .prop_map(|(space, background, urgent, batches, kind, budgets, slack_aware, seed)| {
            let (power, latency, rate) = budgets;
            let stream = Stream {
                workload: Workload::infer("urgent"),
                rate: Hertz::new(rate),
                latency: Seconds::new(latency),
            };
            let power = Watts::new(power);
            let problem = match kind {
                0 => Problem::train_only(Workload::train("background"), power),
                1 => Problem::infer_only(stream, power),
                2 => Problem::concurrent(Workload::train("background"), stream, power),
                _ => Problem::two_inferences(Workload::infer("background"), stream, power),
            }
            .unwrap();
            let urgent_batches: Vec<BatchSize> =
                batches.into_iter().filter_map(BatchSize::new).collect();
            let setting = Arc::new(Setting {
                presets: vec![space.lowest(), space.middle()],
                space: Arc::new(space),
                background_batch: BatchSize::new(16).unwrap(),
                urgent_batches,
            });
            let truth = setting
                .space
                .ids()
                .flat_map(|mode| setting.measurements_at(mode, problem.roles()))
                .map(|m| {
                    let point = setting.space.point(m.mode);
                    let profile = match m.role {
                        Role::Background => background.profile(point, BatchSize::ONE),
                        Role::Urgent => urgent.profile(point, m.batch_size),
                    };
                    (m, profile)
                })
                .collect();
            let alternate = if slack_aware { Alternate::SlackAware } else { Alternate::Strict };
            Case { setting, problem, alternate, seed, truth }
        })
}
