//! Running strategies over problems, on every core.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fulcrum_board::{Board, ProfileTable, Replay, UnknownWorkload, setting};
use fulcrum_domain::{
    BatchSize, Evidence, Front, Hertz, Measurement, ModeId, OperatingPoint, Outcome, Plan, Problem,
    Seconds, Watts,
};
use fulcrum_search::{
    Allowance, Expected, FrontBuilder, FrontTask, GUARD_SIGMAS, Method, Reading, Recipe, Setting,
    Step, Task, optimistic_front,
};
use rayon::prelude::*;

use crate::choices::Choices;
use crate::evaluation::Settings;
use crate::group::Group;
use crate::score::{Tally, Verdict, judge};
use crate::truth::Truth;

/// What a strategy says of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Here is a plan.
    Solved,
    /// There is no plan.
    Infeasible,
    /// No plan was found.
    Unsolved,
}

impl Status {
    /// `solved`, `infeasible` or `unsolved`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Solved => "solved",
            Self::Infeasible => "infeasible",
            Self::Unsolved => "unsolved",
        }
    }
}

/// The plan that a strategy answers with, and what it promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The power mode.
    pub mode: ModeId,
    /// The urgent workload's batch size.
    pub batch_size: Option<BatchSize>,
    /// Background minibatches in a cycle, when two workloads take turns.
    pub minibatches_per_cycle: Option<f64>,
    /// The background workload's throughput.
    pub throughput: Option<Hertz>,
    /// The longest a request waits.
    pub latency: Option<Seconds>,
    /// The largest power drawn.
    pub power: Watts,
}

/// A strategy's answer to a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// What it says.
    pub status: Status,
    /// Its plan.
    pub choice: Option<Choice>,
    /// Distinct power modes measured for it; for a front, by the front.
    pub modes: usize,
    /// Measurements made for it; for a front, by the front.
    pub measurements: usize,
    /// Time of computing, in microseconds, without measuring.
    pub solve_us: f64,
    /// What it is worth.
    pub verdict: Verdict,
    /// The background workload's throughput in truth; zero without a plan that holds.
    pub delivered: Hertz,
}

/// What came of one strategy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// By group, over all seeds.
    pub(crate) tallies: Vec<Tally>,
    /// By problem, of the first seed.
    pub(crate) answers: Vec<Option<Answer>>,
    /// By group, what the first seed's front measured; empty for a search.
    pub(crate) measured: Vec<Vec<OperatingPoint>>,
}

/// Everything a run needs.
pub(crate) struct Runner<'a> {
    pub(crate) table: &'a Arc<ProfileTable>,
    pub(crate) problems: &'a [Problem],
    pub(crate) groups: &'a [Group],
    pub(crate) truth: &'a Truth,
    pub(crate) settings: &'a Settings,
    pub(crate) done: &'a (dyn Fn(u64) + Sync),
}

/// How often a strategy is run: one that is nothing but luck is judged by its mean.
pub(crate) fn seeds(recipe: &Recipe, settings: &Settings) -> u64 {
    if recipe.name.starts_with("random-") { settings.random_seeds.max(1) } else { 1 }
}

/// One piece of work: problems of one group, for one strategy and seed. A front answers all of its
/// group's problems; searches are cut into pieces that keep every core busy to the end.
struct Job {
    strategy: usize,
    group: usize,
    seed: u64,
    problems: Range<usize>,
}

struct Done {
    tally: Tally,
    answers: Vec<Answer>,
    measured: Vec<OperatingPoint>,
}

const SEARCHES_A_JOB: usize = 64;

impl Runner<'_> {
    /// Runs every strategy over the problems of every group.
    pub(crate) fn run(&self) -> Result<Vec<Run>, UnknownWorkload> {
        let board = Replay::new(self.table.clone());
        let settings = self
            .groups
            .iter()
            .map(|group| setting(&board, &self.problems[group.problems[0]]).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let jobs = self.jobs();
        let done: Vec<Done> = jobs
            .par_iter()
            .with_max_len(1)
            .map(|job| self.work(job, &settings[job.group]))
            .collect();
        let empty = Run {
            tallies: vec![Tally::default(); self.groups.len()],
            answers: vec![None; self.problems.len()],
            measured: vec![Vec::new(); self.groups.len()],
        };
        let mut runs = vec![empty; self.settings.strategies.len()];
        for (job, done) in jobs.iter().zip(done) {
            let run = &mut runs[job.strategy];
            run.tallies[job.group].merge(&done.tally);
            if job.seed == self.settings.seed {
                let problems = &self.groups[job.group].problems[job.problems.clone()];
                for (&i, answer) in problems.iter().zip(done.answers) {
                    run.answers[i] = Some(answer);
                }
                run.measured[job.group] = done.measured;
            }
        }
        Ok(runs)
    }

    /// The fronts first, which are the longest, so that they are not what is waited for at the end.
    fn jobs(&self) -> Vec<Job> {
        let mut fronts = Vec::new();
        let mut searches = Vec::new();
        for (strategy, recipe) in self.settings.strategies.iter().enumerate() {
            for seed in 0..seeds(recipe, self.settings) {
                let seed = self.settings.seed.wrapping_add(seed);
                for (group, of) in self.groups.iter().enumerate() {
                    let job = |problems| Job { strategy, group, seed, problems };
                    let count = of.problems.len();
                    if matches!(recipe.method, Method::Front(_)) {
                        fronts.push(job(0..count));
                    } else {
                        let starts = (0..count).step_by(SEARCHES_A_JOB);
                        searches.extend(
                            starts.map(|start| job(start..count.min(start + SEARCHES_A_JOB))),
                        );
                    }
                }
            }
        }
        fronts.sort_by_key(|job| {
            let recipe = &self.settings.strategies[job.strategy];
            std::cmp::Reverse(recipe.allowance_for(2).measurements)
        });
        fronts.extend(searches);
        fronts
    }

    fn work(&self, job: &Job, setting: &Arc<Setting>) -> Done {
        let recipe = &self.settings.strategies[job.strategy];
        let problems = &self.groups[job.group].problems[job.problems.clone()];
        match recipe.method {
            Method::Front(start) => self.by_front(job, start, setting, problems),
            Method::Search(start) => self.by_search(job, start, setting, problems),
        }
    }

    fn by_search(
        &self,
        job: &Job,
        start: fn(Task) -> Box<dyn fulcrum_search::Strategy>,
        setting: &Arc<Setting>,
        problems: &[usize],
    ) -> Done {
        let recipe = &self.settings.strategies[job.strategy];
        let mut answers = Vec::with_capacity(problems.len());
        let mut tally = Tally::default();
        for &i in problems {
            let problem = &self.problems[i];
            let task = Task {
                setting: setting.clone(),
                problem: problem.clone(),
                alternate: self.settings.alternate,
                allowance: self.allowance(recipe, problem),
                seed: job.seed,
            };
            let mut bench = self.bench(problem, noise_seed(job.seed, problem));
            let started = Instant::now();
            let mut strategy = start(task);
            let outcome = loop {
                match strategy.ask() {
                    Step::Measure(measurement) => {
                        let reading = bench.measure(measurement);
                        strategy.tell(measurement, reading);
                    }
                    Step::Done(outcome) => break outcome,
                }
            };
            let computing = started.elapsed().saturating_sub(bench.measuring);
            let said = match outcome {
                Outcome::Solved(plan) => Ok(plan),
                Outcome::Infeasible(_) => Err(Status::Infeasible),
                Outcome::Unsolved(_) => Err(Status::Unsolved),
            };
            let answer = self.answer(i, said, &bench, computing);
            tally.add(&answer, self.truth.optimum(i));
            if job.seed == self.settings.seed {
                answers.push(answer);
            }
        }
        (self.done)(problems.len() as u64);
        Done { tally, answers, measured: Vec::new() }
    }

    fn by_front(
        &self,
        job: &Job,
        start: fn(FrontTask) -> Box<dyn FrontBuilder>,
        setting: &Arc<Setting>,
        problems: &[usize],
    ) -> Done {
        let recipe = &self.settings.strategies[job.strategy];
        let first = &self.problems[problems[0]];
        let roles = first.roles();
        let mut builder = start(FrontTask {
            setting: setting.clone(),
            roles,
            expected: Expected::spanning(problems.iter().map(|&i| &self.problems[i])),
            alternate: self.settings.alternate,
            allowance: recipe.allowance_for(roles.len()),
            seed: job.seed,
        });
        let mut bench = self.bench(first, noise_seed(job.seed, first));
        while let Some(measurement) = builder.ask() {
            let reading = bench.measure(measurement);
            builder.tell(measurement, reading);
        }
        let front = AnsweringFront::new(setting, &*builder, roles);
        let mut answers = Vec::with_capacity(problems.len());
        let mut tally = Tally::default();
        for piece in problems.chunks(1024) {
            for &i in piece {
                let started = Instant::now();
                let said = front.answer(&self.problems[i], self.settings);
                let answer = self.answer(i, said, &bench, started.elapsed());
                tally.add(&answer, self.truth.optimum(i));
                if job.seed == self.settings.seed {
                    answers.push(answer);
                }
            }
            (self.done)(piece.len() as u64);
        }
        Done { tally, answers, measured: builder.profiles().operating_points(roles) }
    }

    fn bench(&self, problem: &Problem, noise_seed: u64) -> Bench {
        let mut board = Replay::new(self.table.clone());
        if self.settings.noise > 0.0 {
            board = board.with_noise(self.settings.noise, noise_seed);
        }
        Bench {
            board,
            problem: problem.clone(),
            modes: BTreeSet::new(),
            measurements: 0,
            measuring: Duration::ZERO,
        }
    }

    /// What a search may measure. The setting counts where the number of modes is free to choose: a
    /// strategy that has to see every mode still does.
    fn allowance(&self, recipe: &Recipe, problem: &Problem) -> Allowance {
        let own = recipe.allowance_for(problem.roles().len());
        match self.settings.modes {
            Some(modes) if own.modes != usize::MAX => Allowance { modes, ..own },
            _ => own,
        }
    }

    fn answer(
        &self,
        i: usize,
        said: Result<Plan, Status>,
        bench: &Bench,
        computing: Duration,
    ) -> Answer {
        let problem = &self.problems[i];
        let (status, plan) = match said {
            Ok(plan) => (Status::Solved, Some(plan)),
            Err(status) => (status, None),
        };
        let choice = plan.map(|plan| Choice {
            mode: plan.point.mode,
            batch_size: plan.point.batch_size(),
            minibatches_per_cycle: plan.promise.minibatches_per_cycle,
            throughput: plan.promise.throughput,
            latency: plan.promise.latency,
            power: plan.promise.power,
        });
        let truth = plan.and_then(|plan| self.truth.assess(problem, &plan.point));
        let optimum = self.truth.optimum(i);
        let (verdict, delivered) = judge(problem, status, choice.as_ref(), truth, optimum);
        Answer {
            status,
            choice,
            modes: bench.modes.len(),
            measurements: bench.measurements,
            solve_us: computing.as_secs_f64() * 1e6,
            verdict,
            delivered,
        }
    }
}

/// A board on which a problem's workloads are measured, with what that costs.
struct Bench {
    board: Replay,
    problem: Problem,
    modes: BTreeSet<ModeId>,
    measurements: usize,
    measuring: Duration,
}

impl Bench {
    fn measure(&mut self, wanted: Measurement) -> Reading {
        let started = Instant::now();
        self.modes.insert(wanted.mode);
        self.measurements += 1;
        let reading = match self.problem.workload(wanted.role) {
            Some(workload) => self.board.measure(workload, wanted.mode, wanted.batch_size),
            None => Err(fulcrum_search::Failure::Unavailable),
        };
        self.measuring += started.elapsed();
        reading
    }
}

/// A finished front, prepared to answer many problems: what `conclude` answers, with the work that
/// is the same for every problem done once.
struct AnsweringFront {
    choices: Choices,
    /// The best that could still be had elsewhere; none where everything is known.
    bounds: Option<Choices>,
    evidence: Evidence,
}

impl AnsweringFront {
    fn new(
        setting: &Setting,
        builder: &dyn FrontBuilder,
        roles: &'static [fulcrum_domain::Role],
    ) -> Self {
        let own = builder.front();
        let evidence = own.evidence();
        let profiles = builder.profiles();
        let front = match evidence {
            Evidence::Measured => Front::new(profiles.operating_points(roles), evidence),
            Evidence::Predicted => own,
        };
        let all: usize = roles.iter().map(|&role| setting.batches(role).len()).sum();
        let exhausted = profiles.len() == all * setting.space.len();
        let bounds = (!exhausted).then(|| {
            let bounds = optimistic_front(setting, roles, profiles);
            Choices::new(bounds.points().iter().copied(), 0.0)
        });
        Self {
            choices: Choices::new(front.points().iter().copied(), GUARD_SIGMAS),
            bounds,
            evidence,
        }
    }

    fn answer(&self, problem: &Problem, settings: &Settings) -> Result<Plan, Status> {
        let alternate = settings.alternate;
        match self.choices.best(problem, alternate) {
            Some((point, promise)) => {
                Ok(Plan { point, alternate, promise, evidence: self.evidence })
            }
            None if self.evidence == Evidence::Predicted => Err(Status::Unsolved),
            None => match &self.bounds {
                Some(bounds) if bounds.any(problem) => Err(Status::Unsolved),
                _ => Err(Status::Infeasible),
            },
        }
    }
}

/// Follows from the problem itself rather than from its place in a list, so that a problem answers
/// the same in a sample as among all.
fn noise_seed(seed: u64, problem: &Problem) -> u64 {
    let mut hash = seed ^ 0x9e37_79b9_7f4a_7c15;
    let mut mix = |word: u64| {
        hash = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 32;
    };
    for workload in problem.roles().iter().filter_map(|&role| problem.workload(role)) {
        workload.name.bytes().for_each(|byte| mix(u64::from(byte)));
        mix(workload.kind as u64);
    }
    mix(problem.power().get().to_bits());
    if let Some(stream) = problem.urgent() {
        mix(stream.rate.get().to_bits());
        mix(stream.latency.get().to_bits());
    }
    hash
}
