//! Measuring a problem's workloads on a recorded table, and what that costs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fulcrum_board::{ProfileTable, Profiler, Replay};
use fulcrum_domain::{Failure, Measurement, ModeId, Problem, Reading};

/// A board on which a problem's workloads are measured, with what that costs.
pub(crate) struct Bench {
    board: Replay,
    problem: Problem,
    visited: BTreeSet<ModeId>,
    measurements: usize,
    measuring: Duration,
}

impl Bench {
    /// Readings have this relative standard error, which follows from the seed and the problem.
    pub(crate) fn new(table: &Arc<ProfileTable>, problem: &Problem, noise: f64, seed: u64) -> Self {
        let mut board = Replay::new(table.clone());
        if noise > 0.0 {
            board = board.with_noise(noise, noise_seed(seed, problem));
        }
        Self {
            board,
            problem: problem.clone(),
            visited: BTreeSet::new(),
            measurements: 0,
            measuring: Duration::ZERO,
        }
    }

    pub(crate) fn measure(&mut self, wanted: Measurement) -> Reading {
        let started = Instant::now();
        self.visited.insert(wanted.mode);
        self.measurements += 1;
        let reading = match self.problem.workload(wanted.role) {
            Some(workload) => self.board.measure(workload, wanted.mode, wanted.batch_size),
            None => Err(Failure::Unavailable),
        };
        self.measuring += started.elapsed();
        reading
    }

    /// Distinct power modes measured.
    pub(crate) fn modes(&self) -> usize {
        self.visited.len()
    }

    /// Measurements made.
    pub(crate) const fn measurements(&self) -> usize {
        self.measurements
    }

    /// The time that replaying took, which is no part of computing.
    pub(crate) const fn measuring(&self) -> Duration {
        self.measuring
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
