//! The plan to run: searched for, read from a file, or given by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use fulcrum_api::{RemoteBoard, TurnPlan, mode_from_wire, v1};
use fulcrum_board::Profiler;
use fulcrum_domain::{Alternate, ModeId, Outcome, Problem, Role, Watts, Workload};
use fulcrum_interleave::{Agreement, Terms};
use fulcrum_search::{Recipe, Task};
use serde::Deserialize;

use crate::arguments::{StreamBudgets, Workloads, strategy};
use crate::exit::{Exit, Failure};
use crate::measuring::search;
use crate::output::basis_in_words;

/// Which plan to run.
#[derive(Args)]
pub(crate) struct WantedArgs {
    /// Run this plan: what `fulcrum plan -o json` printed
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["train", "infer", "power", "batch"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    workloads: Workloads,
    #[command(flatten)]
    stream: StreamBudgets,
    /// Power budget: the plan is searched for on the board, and then run
    #[arg(long)]
    power: Option<Watts>,
    /// Most requests a minibatch answers: nothing is searched for, and the power mode stays
    #[arg(long, value_name = "COUNT", conflicts_with = "power")]
    batch: Option<u32>,
    /// Most requests a minibatch answers while more than --batch wait: larger minibatches work a
    /// backlog off sooner
    #[arg(long, value_name = "COUNT", requires = "batch")]
    largest_batch: Option<u32>,
    /// Size of training minibatches of real programs, and where nothing is searched for
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    train_batch: u32,
    /// How the workloads take turns: strict or slack-aware
    #[arg(long, default_value = "slack-aware")]
    alternate: Alternate,
    /// By how much longer than known a minibatch is taken to last: 0.1 for a tenth
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    guard: f64,
    /// How to search
    #[arg(long, value_name = "NAME", value_parser = strategy, default_value = "guided")]
    strategy: Recipe,
}

/// A plan to run.
pub(super) struct Wanted {
    pub(super) plan: TurnPlan,
    pub(super) mode: Option<ModeId>,
    /// Requests a second.
    pub(super) rate: Option<f64>,
    pub(super) power: Option<Watts>,
    /// Training minibatches a second that the plan promises.
    pub(super) promised_throughput: Option<f64>,
}

impl WantedArgs {
    /// The problem that a plan is searched for, where one is.
    pub(super) fn searches_for(&self) -> Option<Result<Problem, Failure>> {
        let power = self.power.filter(|_| self.plan.is_none())?;
        Some(self.workloads.problem(&self.stream, power))
    }

    /// The size of training minibatches of programs that are started here.
    pub(super) fn train_batch(&self) -> u32 {
        self.train_batch
    }

    /// The plan, or how a search without one ends. A board whose readings are known without waiting
    /// for them may stand in for the search.
    pub(super) fn decide(
        &self,
        board: &mut RemoteBoard,
        stand_in: Option<Box<dyn Profiler>>,
    ) -> Result<Result<Wanted, Exit>, Failure> {
        if let Some(path) = &self.plan {
            return self.read(path, board).map(Ok);
        }
        match (self.power, self.batch) {
            (Some(power), _) => {
                let problem = self.workloads.problem(&self.stream, power)?;
                match stand_in {
                    Some(mut stand_in) => self.search(&mut *stand_in, &problem),
                    None => self.search(board, &problem),
                }
            }
            (None, Some(batch)) => self.by_hand(batch).map(Ok),
            (None, None) => Err(Failure::bad_input(
                "say what to run: --plan FILE.json, or workloads with --power to search for a \
                 plan, or with --batch to run without searching",
            )),
        }
    }

    fn search(
        &self,
        board: &mut dyn Profiler,
        problem: &Problem,
    ) -> Result<Result<Wanted, Exit>, Failure> {
        let setting = Arc::new(Workloads::setting(board, problem)?);
        let background_batch = setting.background_batch;
        let allowance = self.strategy.allowance_for(problem.roles().len());
        let mut strategy = self.strategy.start(Task {
            setting,
            problem: problem.clone(),
            alternate: self.alternate,
            allowance,
            relatives: Arc::default(),
            seed: 1,
        });
        let talk = |text: &str| {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "{text}");
        };
        talk("searching for a plan");
        let (outcome, _, cost) = search(board, problem, &mut *strategy, &mut |_, _, _| {})?;
        let plan = match outcome {
            Outcome::Solved(plan) => plan,
            Outcome::Infeasible(why) => {
                talk(&format!("no plan meets the budgets ({})", basis_in_words(why.basis)));
                return Ok(Err(Exit::Infeasible));
            }
            Outcome::Unsolved(_) => {
                talk("no plan was found, though there may be one");
                return Ok(Err(Exit::Unsolved));
            }
        };
        talk(&format!("planned after measuring {} modes", cost.modes()));
        let agreement = Agreement::of_plan(
            problem,
            &plan.point,
            &plan.promise,
            self.alternate,
            background_batch,
        );
        let watts = problem.roles().iter().filter_map(|&role: &Role| {
            let workload = problem.workload(role)?.clone();
            Some((workload, plan.point.profile(role)?.power.get()))
        });
        Ok(Ok(Wanted {
            plan: TurnPlan {
                agreement: agreement.guarded(self.guard),
                expected_watts: watts.collect(),
            },
            mode: Some(plan.point.mode),
            rate: problem.urgent().map(|stream| stream.rate.get()),
            power: Some(problem.power()),
            promised_throughput: plan.promise.throughput.map(fulcrum_domain::Hertz::get),
        }))
    }

    fn by_hand(&self, batch: u32) -> Result<Wanted, Failure> {
        // The power budget means nothing here: nothing is chosen by it.
        let problem = self.workloads.problem(&self.stream, Watts::new(1.0))?;
        let background = problem.background().cloned();
        let urgent = problem.urgent().cloned();
        let mut terms = Vec::new();
        terms.extend(background.map(|workload| Terms::background(workload, self.train_batch)));
        terms.extend(urgent.as_ref().map(|stream| {
            let budget = Duration::from_secs_f64(stream.latency.get());
            Terms::urgent(&stream.workload.name, batch, budget)
                .up_to(self.largest_batch.unwrap_or(batch))
        }));
        let agreement = Agreement {
            alternate: self.alternate,
            guard: self.guard,
            minibatches_per_cycle: 1,
            terms,
        };
        Ok(Wanted {
            plan: TurnPlan { agreement, expected_watts: Vec::new() },
            mode: None,
            rate: urgent.map(|stream| stream.rate.get()),
            power: None,
            promised_throughput: None,
        })
    }

    fn read(&self, path: &PathBuf, board: &RemoteBoard) -> Result<Wanted, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::of_file("--plan", path, &error))?;
        let wrong = |problem: String| {
            Failure::bad_input(format_args!("--plan {}: {problem}", path.display()))
        };
        let answer: AnswerFile = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let Some(plan) = answer.plan else {
            return Err(wrong("it holds no plan: nothing met the budgets".into()));
        };
        let alternate: Alternate =
            answer.alternate.parse().map_err(|error| wrong(format!("alternate: {error}")))?;
        let space = board.space();
        let level = |knob: &fulcrum_domain::Knob| {
            plan.mode.get(knob.name()).and_then(serde_json::Value::as_f64).ok_or_else(|| {
                wrong(format!("plan.mode has no `{}`, which this board sets", knob.name()))
            })
        };
        let levels: Result<Vec<f64>, Failure> = space.knobs().iter().map(level).collect();
        let mode = mode_from_wire(space, &v1::PowerMode { levels: levels? })
            .map_err(|error| wrong(format!("plan.mode is no mode of this board: {error}")))?;
        let mut expected_watts = Vec::new();
        let mut terms = Vec::new();
        for profile in &plan.profiles {
            let workload = match profile.kind.as_str() {
                "train" => Workload::train(&profile.workload),
                "infer" => Workload::infer(&profile.workload),
                other => return Err(wrong(format!("plan.profiles: unknown kind `{other}`"))),
            };
            let urgent = answer.problem.infer.as_deref() == Some(&*profile.workload)
                && profile.kind == "infer";
            let budget = answer.problem.latency_ms.filter(|_| urgent);
            expected_watts.push((workload.clone(), profile.power_w));
            terms.push(Terms {
                latency_budget: budget.map(|ms| Duration::from_secs_f64(ms / 1e3)),
                ..Terms::background(workload, profile.batch_size)
                    .expecting(Duration::from_secs_f64(profile.minibatch_ms / 1e3))
            });
        }
        let agreement = Agreement {
            alternate,
            guard: self.guard,
            minibatches_per_cycle: plan.minibatches_per_cycle.unwrap_or(0.0) as u32,
            terms,
        };
        Ok(Wanted {
            plan: TurnPlan { agreement, expected_watts },
            mode: Some(mode),
            rate: answer.problem.rate_hz,
            power: Some(Watts::new(answer.problem.power_w)),
            promised_throughput: plan.throughput_hz,
        })
    }
}

/// What is read of a printed plan.
#[derive(Deserialize)]
struct AnswerFile {
    alternate: String,
    problem: ProblemFile,
    plan: Option<PlanFile>,
}

#[derive(Deserialize)]
struct ProblemFile {
    infer: Option<String>,
    rate_hz: Option<f64>,
    latency_ms: Option<f64>,
    power_w: f64,
}

#[derive(Deserialize)]
struct PlanFile {
    mode: serde_json::Map<String, serde_json::Value>,
    minibatches_per_cycle: Option<f64>,
    throughput_hz: Option<f64>,
    profiles: Vec<ProfileFile>,
}

#[derive(Deserialize)]
struct ProfileFile {
    workload: String,
    kind: String,
    batch_size: u32,
    minibatch_ms: f64,
    power_w: f64,
}
