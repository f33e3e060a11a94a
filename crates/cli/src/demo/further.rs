//! Further budgets, answered from a front without measuring.

use std::io::Write as _;
use std::time::Instant;

use fulcrum_board::Profiler;
use fulcrum_domain::{Basis, BudgetValue, Hertz, Outcome, Problem, Seconds, Watts};
use fulcrum_search::{GUARD_SIGMAS, recipe};

use super::one_board::ALTERNATE;
use crate::exit::Failure;
use crate::front::build::{FrontOrder, build_front};
use crate::output::{budgets_in_words, table};
use crate::progress::Lines;

/// Builds the pair's front and answers three further budgets from it.
pub(super) fn show(board: &mut dyn Profiler, problem: &Problem, seed: u64) -> Result<(), Failure> {
    let als = recipe("als")?;
    let order = FrontOrder {
        recipe: &als,
        alternate: ALTERNATE,
        measurements: None,
        seed,
        lines: Lines::Never,
    };
    let mut out = std::io::stdout();
    writeln!(out, "3. Keep: a front of the pair answers every later budget without measuring\n")?;
    let started = Instant::now();
    let (front, cost) = build_front(board, problem, &order)?;
    writeln!(
        out,
        "A front of {} points from {} measurements in {} power modes, {:.1}s of computing.\n",
        front.points().len(),
        cost.measurements,
        cost.modes(),
        started.elapsed().as_secs_f64()
    )?;

    let header = ["budgets", "training", "latency", "power", "answered in", "at"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for further in further_problems(problem) {
        let started = Instant::now();
        let outcome = front.solve(&further, ALTERNATE, GUARD_SIGMAS, Basis::Measured);
        let took = format!("{:.1}us", started.elapsed().as_secs_f64() * 1e6);
        rows.push(row(board, &further, &outcome, took));
    }
    writeln!(out, "{}", table(&rows))?;
    Ok(())
}

/// A tighter power budget, a tighter latency budget with more power, and more requests.
fn further_problems(problem: &Problem) -> [Problem; 3] {
    [
        problem.with(BudgetValue::Power(Watts::new(20.0))),
        problem
            .with(BudgetValue::Power(Watts::new(40.0)))
            .with(BudgetValue::Latency(Seconds::from_millis(500.0))),
        problem.with(BudgetValue::ArrivalRate(Hertz::new(100.0))),
    ]
}

fn row(board: &dyn Profiler, problem: &Problem, outcome: &Outcome, took: String) -> Vec<String> {
    let asked = budgets_in_words(problem);
    let Some(plan) = outcome.plan() else {
        let nothing = || "-".to_owned();
        return vec![asked, nothing(), nothing(), nothing(), took, outcome.status().to_owned()];
    };
    let promise = &plan.promise;
    let batch = plan.point.batch_size().map(|batch| format!(", batch {batch}"));
    vec![
        asked,
        promise.throughput.map(|throughput| throughput.to_string()).unwrap_or_default(),
        promise.latency.map(|latency| format!("{latency:.0}")).unwrap_or_default(),
        format!("{:.1}", promise.power),
        took,
        format!("{}{}", board.space().describe(plan.point.mode), batch.unwrap_or_default()),
    ]
}
