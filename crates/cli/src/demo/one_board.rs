//! `fulcrum demo --one-board`: what a search does, on one simulated board, in seconds.

use std::io::Write as _;
use std::sync::Arc;

use fulcrum_board::{Profiler, SimulatedOrin};
use fulcrum_domain::{Alternate, Hertz, Problem, Seconds, Stream, Watts, Workload};
use fulcrum_search::{Task, recipe};

use crate::arguments::Workloads;
use crate::exit::{Exit, Failure};
use crate::measuring::search;
use crate::output::{Answer, plan_text};
use crate::progress::{Lines, Progress};

pub(super) const ALTERNATE: Alternate = Alternate::Strict;

/// Train `ResNet-18` while `MobileNetV3` answers 60 requests a second, each within 800 ms, at 30 W.
fn problem() -> Result<Problem, Failure> {
    let infer = Stream {
        workload: Workload::infer("mobilenet_v3"),
        rate: Hertz::new(60.0),
        latency: Seconds::from_millis(800.0),
    };
    Ok(Problem::concurrent(Workload::train("resnet18"), infer, Watts::new(30.0))?)
}

/// Shows the search, the plan and why, what else there was, and further budgets.
pub(super) fn run(seed: u64) -> Result<Exit, Failure> {
    let problem = problem()?;
    let mut board = SimulatedOrin::new(seed);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "A simulated Jetson AGX Orin with {} power modes, readings noisy as on a real one.\n",
        board.space().len()
    )?;

    writeln!(out, "1. Search: a plan for one problem, by measuring at most 15 power modes\n")?;
    let guided = recipe("guided")?;
    let setting = Arc::new(Workloads::setting(&board, &problem)?);
    let (space, background_batch) = (setting.space.clone(), setting.background_batch);
    let allowance = guided.allowance_for(problem.roles().len());
    let mut strategy = guided.start(Task {
        setting,
        problem: problem.clone(),
        alternate: ALTERNATE,
        allowance,
        relatives: Arc::default(),
        seed,
    });
    let length = allowance.modes.min(space.len()) as u64;
    let progress = Progress::new(length, "modes", Lines::Always);
    let searched =
        search(&mut board, &problem, &mut *strategy, &mut |measurement, reading, cost| {
            progress.measured(&space, &problem, measurement, reading, cost);
            progress.at(cost.modes() as u64, length);
        });
    progress.finish();
    let (outcome, profiles, cost) = searched?;

    let answer = Answer {
        space: &space,
        problem: &problem,
        strategy: &guided.name,
        seed,
        alternate: ALTERNATE,
        background_batch,
        outcome: &outcome,
        profiles: &profiles,
        cost: &cost,
        verified: None,
    };
    writeln!(out, "{}\n", plan_text(&answer))?;

    writeln!(out, "2. Compare: what really happens there, by the simulated board's own truth\n")?;
    writeln!(out, "{}\n", super::comparison::table(&board, &problem, outcome.plan(), &cost))?;

    super::further::show(&mut board, &problem, seed)?;
    Ok(match outcome.plan() {
        Some(_) => Exit::Solved,
        None => Exit::Unsolved,
    })
}
