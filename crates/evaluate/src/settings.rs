//! What an evaluation runs, and how.

use fulcrum_domain::Alternate;
use fulcrum_search::Recipe;

/// What to run.
#[derive(Clone)]
pub struct Settings {
    /// The strategies.
    pub strategies: Vec<Recipe>,
    /// What everything random follows from.
    pub seed: u64,
    /// How many power modes a search may measure instead of what its recipe says. It does not bind
    /// fronts, nor searches whose recipe leaves the number of modes open.
    pub modes: Option<usize>,
    /// The relative standard error of every reading; 0 for exact ones.
    pub noise: f64,
    /// How many profiles are known of each other workload of the table before a search begins; 0 for
    /// searches that know nothing.
    pub known: usize,
    /// How the workloads of the plans take turns.
    pub alternate: Alternate,
    /// With how many seeds, from `seed` on, each `random-*` strategy is run. Summaries are means
    /// over them all; the results file has the first.
    pub random_seeds: u64,
}

impl Settings {
    /// How often a strategy is run: one that is nothing but luck is judged by its mean.
    pub(crate) fn seeds(&self, recipe: &Recipe) -> u64 {
        if recipe.name.starts_with("random-") { self.random_seeds.max(1) } else { 1 }
    }
}
