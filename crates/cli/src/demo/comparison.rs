//! The plan beside the vendor's presets and the optimum, all by the simulated board's truth.

use fulcrum_board::{Profiler, SimulatedOrin};
use fulcrum_domain::{Assessment, BatchSize, Budget, ModeId, OperatingPoint, Plan, Problem, Role};

use super::one_board::ALTERNATE;
use crate::arguments::Workloads;
use crate::measuring::Cost;
use crate::output;

/// The comparison as a table.
pub(super) fn table(
    board: &SimulatedOrin,
    problem: &Problem,
    plan: Option<&Plan>,
    cost: &Cost,
) -> String {
    let header =
        ["", "training", "latency", "power", "batch", "of optimum", "budgets", "modes measured"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let everything: Vec<OperatingPoint> =
        board.space().ids().flat_map(|mode| points_at(board, problem, mode)).collect();
    let optimum = problem.best(ALTERNATE, 0.0, &everything);
    let mut add = |name: &str, found: Option<(OperatingPoint, Assessment)>, modes: String| {
        rows.push(row(name, found, optimum.as_ref().map(|(_, best)| best), modes));
    };
    if let Some(plan) = plan {
        let point = plan.point.batch_size().and_then(|batch| {
            let point = true_point(board, problem, plan.point.mode, batch)?;
            Some((point, problem.assess(ALTERNATE, &point)?))
        });
        add("this plan", point, cost.modes().to_string());
    }
    for preset in board.presets().iter().rev().filter(|p| ["MAXN", "30W"].contains(&&*p.name)) {
        let points = points_at(board, problem, preset.mode);
        let name = format!("vendor's {}", preset.name);
        add(&name, best_regardless_of_power(problem, &points), "0".into());
    }
    let all = format!("all {}", board.space().len());
    add("optimum", optimum, all);
    output::table(&rows)
}

/// A preset is set whatever it draws: of its batch sizes, the best that answers in time.
fn best_regardless_of_power(
    problem: &Problem,
    points: &[OperatingPoint],
) -> Option<(OperatingPoint, Assessment)> {
    let in_time =
        |found: &Assessment| !found.misses(Budget::Latency) && !found.misses(Budget::ArrivalRate);
    points
        .iter()
        .filter_map(|point| Some((*point, problem.assess(ALTERNATE, point)?)))
        .min_by(|(_, a), (_, b)| in_time(b).cmp(&in_time(a)).then_with(|| a.by_objective(b)))
}

fn points_at(board: &SimulatedOrin, problem: &Problem, mode: ModeId) -> Vec<OperatingPoint> {
    let batches = Workloads::setting(board, problem).map(|s| s.urgent_batches).unwrap_or_default();
    batches.into_iter().filter_map(|batch| true_point(board, problem, mode, batch)).collect()
}

fn true_point(
    board: &SimulatedOrin,
    problem: &Problem,
    mode: ModeId,
    batch: BatchSize,
) -> Option<OperatingPoint> {
    let setting = Workloads::setting(board, problem).ok()?;
    let truth = |role| {
        let measurement = setting.measurement(mode, role, batch);
        board.truth(problem.workload(role)?, mode, measurement.batch_size)
    };
    Some(OperatingPoint {
        mode,
        background: Some(truth(Role::Background)?),
        urgent: Some((batch, truth(Role::Urgent)?)),
    })
}

fn row(
    name: &str,
    found: Option<(OperatingPoint, Assessment)>,
    optimum: Option<&Assessment>,
    modes: String,
) -> Vec<String> {
    let Some((point, found)) = found else {
        return std::iter::once(name.to_owned()).chain(vec!["-".to_owned(); 7]).collect();
    };
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let share = optimum.and_then(|best| Some(found.throughput? / best.throughput?));
    let missed: Vec<&str> = found.missed().map(Budget::as_str).collect();
    let verdict =
        if missed.is_empty() { "met".to_owned() } else { format!("over {}", missed.join(", ")) };
    vec![
        name.to_owned(),
        or_dash(found.throughput.map(|throughput| throughput.to_string())),
        or_dash(found.latency.map(|latency| format!("{latency:.0}"))),
        format!("{:.1}", found.power),
        or_dash(point.batch_size().map(|batch| batch.to_string())),
        or_dash(share.map(output::percent)),
        verdict,
        modes,
    ]
}
