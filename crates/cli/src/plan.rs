//! `fulcrum plan`: the plan for one problem, and why.

use std::sync::Arc;

use clap::Args;
use fulcrum_domain::{Alternate, Outcome, Watts};
use fulcrum_search::{Allowance, Recipe, Task};

use crate::arguments::{Source, StreamBudgets, Workloads, at_least_one, strategy};
use crate::exit::{Exit, Failure};
use crate::measuring::search;
use crate::output::{Answer, Format, plan_json, plan_text, print};
use crate::progress::{Lines, Progress};
use crate::verified::{Arriving, verify};

/// Arguments of `fulcrum plan`.
#[derive(Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    workloads: Workloads,
    #[command(flatten)]
    stream: StreamBudgets,
    /// Power budget, for the larger of the workloads' draws: 30W or 7500mW
    #[arg(long, allow_hyphen_values = true)]
    power: Watts,
    /// How to search
    #[arg(long, value_name = "NAME", value_parser = strategy, default_value = "guided")]
    strategy: Recipe,
    /// How the workloads take turns: strict or slack-aware
    #[arg(long, default_value = "strict")]
    alternate: Alternate,
    /// How requests arrive: the plan is held against that in virtual time before it is printed
    #[arg(long, value_enum)]
    arrivals: Option<Arriving>,
    /// Which percentile of latency the budget holds for, with --arrivals
    #[arg(long, value_name = "PERCENT", default_value_t = 99.0, value_parser = percentile,
        requires = "arrivals")]
    percentile: f64,
    /// At most so many power modes may be measured, instead of the strategy's own allowance
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, value_parser = at_least_one)]
    modes: Option<usize>,
    /// What everything random follows from
    #[arg(long, allow_hyphen_values = true, default_value_t = 1)]
    seed: u64,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Say every measurement, even where stderr is no terminal
    #[arg(short, long)]
    verbose: bool,
}

fn percentile(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent < 100.0 => Ok(percent),
        _ => Err("is not above 0 and below 100; write it like 99 or 99.9".into()),
    }
}

/// Finds the plan and prints it.
pub(crate) fn run(args: &PlanArgs) -> Result<Exit, Failure> {
    let mut problem = args.workloads.problem(&args.stream, args.power)?;
    if let Some(arriving) = args.arrivals {
        problem = problem.with_most_utilisation(arriving.most_utilisation());
    }
    let problem = problem;
    let mut board = args.source.open(args.seed)?;
    let space = board.space().clone();
    let setting = Arc::new(Workloads::setting(&*board, &problem)?);
    let background_batch = setting.background_batch;
    let own = args.strategy.allowance_for(problem.roles().len());
    let allowance = args.modes.map_or(own, Allowance::modes);
    let mut strategy = args.strategy.start(Task {
        setting,
        problem: problem.clone(),
        alternate: args.alternate,
        allowance,
        relatives: Arc::default(),
        seed: args.seed,
    });

    let lines = if args.verbose { Lines::Always } else { Lines::WhenWatched };
    let length = allowance.modes.min(allowance.measurements).min(space.len()) as u64;
    let by_modes = allowance.modes <= allowance.measurements;
    let unit = if by_modes { "modes" } else { "measurements" };
    let progress = Progress::new(length, unit, lines);
    let searched =
        search(&mut *board, &problem, &mut *strategy, &mut |measurement, reading, cost| {
            let spent = if by_modes { cost.modes() } else { cost.measurements };
            progress.measured(&space, &problem, measurement, reading, cost);
            progress.at(spent as u64, length);
        });
    progress.finish();
    let (outcome, profiles, cost) = searched?;

    let verified = args.arrivals.zip(outcome.plan()).and_then(|(arriving, plan)| {
        verify(&problem, plan, args.alternate, background_batch, arriving, args.percentile)
    });
    let answer = Answer {
        space: &space,
        problem: &problem,
        strategy: &args.strategy.name,
        seed: args.seed,
        alternate: args.alternate,
        background_batch,
        outcome: &outcome,
        profiles: &profiles,
        cost: &cost,
        verified,
    };
    let text = match args.output {
        Format::Table => plan_text(&answer),
        Format::Json => plan_json(&answer)?,
    };
    print(&text)?;
    Ok(match outcome {
        // The budgets hold on average, but not for so many of the requests.
        Outcome::Solved(_) if verified.is_some_and(|verified| !verified.holds) => Exit::Unsolved,
        Outcome::Solved(_) => Exit::Solved,
        Outcome::Infeasible(_) => Exit::Infeasible,
        Outcome::Unsolved(_) => Exit::Unsolved,
    })
}
