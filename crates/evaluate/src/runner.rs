//! Running strategies over problems, on every core.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fulcrum_board::{ProfileTable, Replay, UnknownWorkload, setting};
use fulcrum_domain::{OperatingPoint, Outcome, Plan, Problem, Setting};
use fulcrum_search::{
    Allowance, Expected, FrontBuilder, FrontTask, Method, Recipe, Relative, Step, Strategy, Task,
};
use rayon::prelude::*;

use crate::answer::{Answer, Choice, Status};
use crate::answering_front::AnsweringFront;
use crate::bench::Bench;
use crate::group::Group;
use crate::relatives::relatives;
use crate::score::{Tally, judge};
use crate::settings::Settings;
use crate::truth::Truth;

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
        let relatives: Vec<Arc<[Relative]>> = self
            .groups
            .iter()
            .zip(&settings)
            .map(|(group, setting)| relatives(self.table, group, setting, self.settings.known))
            .collect();
        let jobs = self.jobs();
        let done: Vec<Done> = jobs
            .par_iter()
            .with_max_len(1)
            .map(|job| self.work(job, &settings[job.group], &relatives[job.group]))
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
            for seed in 0..self.settings.seeds(recipe) {
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

    fn work(&self, job: &Job, setting: &Arc<Setting>, relatives: &Arc<[Relative]>) -> Done {
        let recipe = &self.settings.strategies[job.strategy];
        let problems = &self.groups[job.group].problems[job.problems.clone()];
        match recipe.method {
            Method::Front(start) => self.by_front(job, start, (setting, relatives), problems),
            Method::Search(start) => self.by_search(job, start, (setting, relatives), problems),
        }
    }

    fn by_search(
        &self,
        job: &Job,
        start: fn(Task) -> Box<dyn Strategy>,
        (setting, relatives): (&Arc<Setting>, &Arc<[Relative]>),
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
                relatives: relatives.clone(),
                seed: job.seed,
            };
            let mut bench = self.bench(problem, job.seed);
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
            let computing = started.elapsed().saturating_sub(bench.measuring());
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
        (setting, relatives): (&Arc<Setting>, &Arc<[Relative]>),
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
            relatives: relatives.clone(),
            seed: job.seed,
        });
        let mut bench = self.bench(first, job.seed);
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

    fn bench(&self, problem: &Problem, seed: u64) -> Bench {
        Bench::new(self.table, problem, self.settings.noise, seed)
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
        let choice = plan.as_ref().map(Choice::from);
        let truth = plan.and_then(|plan| self.truth.assess(problem, &plan.point));
        let optimum = self.truth.optimum(i);
        let (verdict, delivered) = judge(problem, status, choice.as_ref(), truth, optimum);
        Answer {
            status,
            choice,
            modes: bench.modes(),
            measurements: bench.measurements(),
            solve_us: computing.as_secs_f64() * 1e6,
            verdict,
            delivered,
        }
    }
}
