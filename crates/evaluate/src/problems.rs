//! The problems to evaluate on: the protocol's grids, problems files, and samples of them.

mod file;
mod protocol;

use fulcrum_domain::Problem;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use file::{ProblemsError, read_problems, write_problems};
pub(crate) use file::{fields, millis, text};
pub use protocol::protocol;

use crate::group::Group;

/// At most so many problems of each pair of workloads (or single workload), drawn at random and
/// left in their order; the same seed draws the same.
pub fn sample(problems: &[Problem], per_group: usize, seed: u64) -> Vec<Problem> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: Vec<usize> = Vec::new();
    for group in Group::of(problems) {
        let count = group.problems.len();
        let chosen = rand::seq::index::sample(&mut random, count, per_group.min(count));
        drawn.extend(chosen.into_iter().map(|i| group.problems[i]));
    }
    drawn.sort_unstable();
    drawn.into_iter().map(|i| problems[i].clone()).collect()
}
