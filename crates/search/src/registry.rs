//! The strategies by name.

use crate::by_front::ByFront;
use crate::strategy::{FrontBuilder, Strategy};
use crate::task::{Allowance, FrontTask, Task};

/// How a strategy is started.
#[derive(Clone, Copy)]
pub enum Method {
    /// It searches each problem anew.
    Search(fn(Task) -> Box<dyn Strategy>),
    /// It builds one front, which answers every problem.
    Front(fn(FrontTask) -> Box<dyn FrontBuilder>),
}

/// A strategy by name.
#[derive(Clone)]
pub struct Recipe {
    /// What it is called on the command line: `gmd`, `random-50`.
    pub name: String,
    /// What it does, in a line.
    pub summary: &'static str,
    /// How it is started.
    pub method: Method,
    /// What it may measure unless told otherwise, for one workload and for a pair.
    pub allowance: [Allowance; 2],
}

impl Recipe {
    /// What it may measure for so many roles unless told otherwise.
    pub fn allowance_for(&self, roles: usize) -> Allowance {
        self.allowance[roles.clamp(1, 2) - 1]
    }

    /// Starts it on one problem.
    pub fn start(&self, task: Task) -> Box<dyn Strategy> {
        match self.method {
            Method::Search(start) => start(task),
            Method::Front(start) => Box::new(ByFront::new(task, start)),
        }
    }
}

/// Finds a strategy by its name.
///
/// # Errors
/// When there is none of that name.
pub fn recipe(name: &str) -> Result<Recipe, UnknownStrategy> {
    all().into_iter().find(|recipe| recipe.name == name).ok_or_else(|| UnknownStrategy {
        name: name.to_owned(),
        known: all().into_iter().map(|recipe| recipe.name).collect(),
    })
}

/// All strategies, ours first, then the baselines.
pub fn all() -> Vec<Recipe> {
    Vec::new()
}

/// A name that no strategy has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown strategy `{name}`; known are: {}", known.join(", "))]
pub struct UnknownStrategy {
    /// The name.
    pub name: String,
    /// The names that there are.
    pub known: Vec<String>,
}
