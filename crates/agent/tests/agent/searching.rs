//! A search over gRPC finds what a search over the equal table finds.

use std::sync::Arc;

use fulcrum_api::{RemoteBoard, RemoteOptions};
use fulcrum_board::{Profiler, SimulatedOrin, setting};
use fulcrum_domain::{
    Alternate, Failure, Hertz, Outcome, Problem, Seconds, Stream, Watts, Workload,
};
use fulcrum_search::{Task, recipe, run};

use crate::process::Agent;

fn search(board: &mut dyn Profiler, strategy: &str, problem: &Problem) -> Outcome {
    let recipe = recipe(strategy).unwrap();
    let mut search = recipe.start(Task {
        setting: Arc::new(setting(board, problem).unwrap()),
        problem: problem.clone(),
        alternate: Alternate::Strict,
        allowance: recipe.allowance_for(problem.roles().len()),
        relatives: Arc::default(),
        seed: 1,
    });
    run(&mut *search, |measurement| {
        let workload = problem.workload(measurement.role).ok_or(Failure::Unavailable)?;
        board.measure(workload, measurement.mode, measurement.batch_size)
    })
}

#[test]
fn a_search_over_grpc_finds_the_plan_of_the_equal_table() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let stream = Stream {
        workload: Workload::infer("mobilenet_v3"),
        rate: Hertz::new(60.0),
        latency: Seconds::new(0.8),
    };
    let power = Watts::new(30.0);
    let problems = [
        Problem::train_only(Workload::train("resnet18"), power).unwrap(),
        Problem::concurrent(Workload::train("resnet18"), stream, power).unwrap(),
    ];
    for problem in &problems {
        for strategy in ["gmd", "guided"] {
            let expected = search(&mut SimulatedOrin::exact(), strategy, problem);
            let options = RemoteOptions::new("a test");
            let mut remote = RemoteBoard::borrow(&agent.address(), options).unwrap();
            let found = search(&mut remote, strategy, problem);
            assert_eq!(found, expected, "{strategy}; {}", agent.log());
            assert!(found.plan().is_some());
        }
    }
    assert!(!agent.journal(), "the board was given back");
}
