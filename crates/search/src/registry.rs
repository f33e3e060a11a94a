//! The strategies by name.

use std::sync::Arc;

use crate::als::Als;
use crate::baselines::{Neural, Survey, binary_search, coordinate_descent};
use crate::by_front::ByFront;
use crate::gmd::gmd;
use crate::guided::{Guided, Prior};
use crate::procedure::ByProcedure;
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
    let unlimited = Allowance { modes: usize::MAX, measurements: usize::MAX };
    let search = |name: &str, summary, start| Recipe {
        name: name.to_owned(),
        summary,
        method: Method::Search(start),
        allowance: [Allowance::modes(15); 2],
    };
    let front = |name: &str, summary, start, allowance| Recipe {
        name: name.to_owned(),
        summary,
        method: Method::Front(start),
        allowance,
    };
    let random = |modes: usize, start| {
        let name = format!("random-{modes}");
        front(&name, "random modes, at every batch size", start, [Allowance::modes(modes); 2])
    };
    vec![
        search("gmd", "goes where the slopes of time and power along the knobs point", |task| {
            Box::new(ByProcedure::new(task, gmd))
        }),
        search("guided", "goes where a model of the board promises most", |task| {
            let prior = Prior::shared(&task.setting, task.problem.roles(), &task.relatives);
            Box::new(Guided::new(task, prior))
        }),
        front(
            "als",
            "actively learns a front that answers every later problem",
            |task| {
                let prior = Prior::shared(&task.setting, task.roles, &task.relatives);
                Box::new(Als::new(task, prior))
            },
            [Allowance::measurements(50), Allowance::measurements(145)],
        ),
        front(
            "optimum",
            "measures everything",
            |task| Box::new(Survey::everything(task)),
            [unlimited; 2],
        ),
        front(
            "maxn",
            "the highest mode, requests answered one by one",
            |task| Box::new(Survey::highest(task)),
            [Allowance::modes(1); 2],
        ),
        front(
            "presets",
            "the vendor's modes and the highest, at every batch size",
            |task| Box::new(Survey::presets(task)),
            [unlimited; 2],
        ),
        random(10, |task| Box::new(Survey::random(task, 10))),
        random(15, |task| Box::new(Survey::random(task, 15))),
        random(50, |task| Box::new(Survey::random(task, 50))),
        random(150, |task| Box::new(Survey::random(task, 150))),
        random(250, |task| Box::new(Survey::random(task, 250))),
        search(
            "coordinate-descent",
            "moves one knob at a time by a level while it helps",
            |task| Box::new(ByProcedure::new(task, coordinate_descent)),
        ),
        search("binary-search", "halves one knob at a time to the power budget", |task| {
            Box::new(ByProcedure::new(task, binary_search))
        }),
        search("cbo", "constrained Bayesian optimisation with a plain Gaussian process", |task| {
            let prior = Prior::plain(&task.setting, task.problem.roles());
            Box::new(Guided::new(task, Arc::new(prior)))
        }),
        front(
            "nn-250",
            "a neural net on 250 random profiles a workload, believed without measuring",
            |task| Box::new(Neural::new(task, 250)),
            [Allowance::measurements(250), Allowance::measurements(500)],
        ),
    ]
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
