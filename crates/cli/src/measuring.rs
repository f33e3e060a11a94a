//! Runs a search against a board: asks, measures, tells, and counts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fulcrum_board::Profiler;
use fulcrum_domain::{Front, Measurement, ModeId, Outcome, Problem, Profiles, Reading};
use fulcrum_search::{FrontBuilder, Step, Strategy};

use crate::agents::of_lost;
use crate::exit::Failure;

/// What a search has spent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    modes: BTreeSet<ModeId>,
    /// Measurements made, failed ones among them.
    pub(crate) measurements: usize,
    /// Measurements that gave no profile.
    pub(crate) failures: usize,
    /// Time spent on deciding, without the measuring.
    pub(crate) deciding: Duration,
    /// Time that the latest measurement took.
    pub(crate) latest: Duration,
}

impl Cost {
    /// Distinct power modes that were visited.
    pub(crate) fn modes(&self) -> usize {
        self.modes.len()
    }

    fn add(&mut self, measurement: Measurement, reading: &Reading) {
        self.modes.insert(measurement.mode);
        self.measurements += 1;
        self.failures += usize::from(reading.is_err());
    }
}

/// Someone who wants to see every measurement as it is made, with what was spent until then.
pub(crate) type Watcher<'a> = &'a mut dyn FnMut(Measurement, &Reading, &Cost);

/// Searches to the end; returns the outcome, the profiles it rests on, and the cost.
///
/// # Errors
/// When the board is lost before the end.
pub(crate) fn search(
    board: &mut dyn Profiler,
    problem: &Problem,
    strategy: &mut dyn Strategy,
    watch: Watcher<'_>,
) -> Result<(Outcome, Profiles, Cost), Failure> {
    let mut cost = Cost::default();
    loop {
        let started = Instant::now();
        let step = strategy.ask();
        cost.deciding += started.elapsed();
        match step {
            Step::Done(outcome) => return Ok((outcome, strategy.profiles().clone(), cost)),
            Step::Measure(measurement) => {
                let reading = measure(board, problem, measurement, &mut cost)?;
                watch(measurement, &reading, &cost);
                let started = Instant::now();
                strategy.tell(measurement, reading);
                cost.deciding += started.elapsed();
            }
        }
    }
}

/// Builds a front to the end.
///
/// # Errors
/// When the board is lost before the end.
pub(crate) fn build(
    board: &mut dyn Profiler,
    problem: &Problem,
    builder: &mut dyn FrontBuilder,
    watch: Watcher<'_>,
) -> Result<(Front, Cost), Failure> {
    let mut cost = Cost::default();
    loop {
        let started = Instant::now();
        let next = builder.ask();
        cost.deciding += started.elapsed();
        let Some(measurement) = next else { return Ok((builder.front(), cost)) };
        let reading = measure(board, problem, measurement, &mut cost)?;
        watch(measurement, &reading, &cost);
        builder.tell(measurement, reading);
    }
}

/// Measures and counts, unless the board is lost.
fn measure(
    board: &mut dyn Profiler,
    problem: &Problem,
    measurement: Measurement,
    cost: &mut Cost,
) -> Result<Reading, Failure> {
    let started = Instant::now();
    // A strategy asks for the roles that the problem has; any other has nothing to run.
    let reading = match problem.workload(measurement.role) {
        Some(workload) => board.measure(workload, measurement.mode, measurement.batch_size),
        None => Err(fulcrum_domain::Failure::Unavailable),
    };
    if let Some(reason) = board.lost() {
        return Err(of_lost(&reason));
    }
    cost.add(measurement, &reading);
    cost.latest = started.elapsed();
    Ok(reading)
}
