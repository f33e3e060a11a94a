//! Problems of the same workloads, which share profiles, fronts and optima.

use std::collections::HashMap;
use std::fmt;

use fulcrum_domain::{Problem, ProblemKind, Workload};

/// The workloads that a set of problems has in common, and which problems these are.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Which of the four problems they are.
    pub kind: ProblemKind,
    /// What runs in whatever time is left.
    pub background: Option<Workload>,
    /// What answers requests.
    pub urgent: Option<Workload>,
    /// The places of the problems in their list, ascending.
    pub problems: Vec<usize>,
}

impl Group {
    /// The groups of a list of problems, in the order in which they first occur.
    pub fn of(problems: &[Problem]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let mut by_workloads = HashMap::new();
        for (i, problem) in problems.iter().enumerate() {
            let urgent = problem.urgent().map(|stream| &stream.workload);
            let group = *by_workloads.entry((problem.background(), urgent)).or_insert_with(|| {
                groups.push(Self {
                    kind: problem.kind(),
                    background: problem.background().cloned(),
                    urgent: urgent.cloned(),
                    problems: Vec::new(),
                });
                groups.len() - 1
            });
            groups[group].problems.push(i);
        }
        groups
    }

    /// Whether a workload takes part.
    pub fn has(&self, workload: &Workload) -> bool {
        self.background.as_ref() == Some(workload) || self.urgent.as_ref() == Some(workload)
    }
}

impl fmt::Display for Group {
    /// `resnet18 + mobilenet_v3`, `resnet18 train` or `mobilenet_v3 infer`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.background, &self.urgent) {
            (Some(background), Some(urgent)) => write!(f, "{} + {}", background.name, urgent.name),
            (Some(alone), None) | (None, Some(alone)) => write!(f, "{alone}"),
            (None, None) => Ok(()),
        }
    }
}
