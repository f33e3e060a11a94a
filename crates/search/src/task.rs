//! What a strategy is given: the board's mode space, the problem, and how much it may measure.

use std::sync::Arc;

use fulcrum_domain::{
    Alternate, Hertz, Measurement, Problem, Profile, Role, Seconds, Setting, Watts,
};

/// How much may be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// At most so many distinct power modes.
    pub modes: usize,
    /// At most so many measurements.
    pub measurements: usize,
}

impl Allowance {
    /// At most so many distinct power modes, with any number of measurements at each.
    pub const fn modes(modes: usize) -> Self {
        Self { modes, measurements: usize::MAX }
    }

    /// At most so many measurements, at any number of modes.
    pub const fn measurements(measurements: usize) -> Self {
        Self { modes: usize::MAX, measurements }
    }
}

/// What was measured of another workload on a board like this one. A search expects its own
/// workload of the same role to behave in a like way, without believing it.
#[derive(Debug, Clone, PartialEq)]
pub struct Relative {
    /// The role that it tells of.
    pub role: Role,
    /// What was measured.
    pub profiles: Vec<(Measurement, Profile)>,
}

/// One problem to search a plan for.
#[derive(Debug, Clone)]
pub struct Task {
    /// Where to search.
    pub setting: Arc<Setting>,
    /// What to search for.
    pub problem: Problem,
    /// How the workloads of the plan take turns.
    pub alternate: Alternate,
    /// How much may be measured.
    pub allowance: Allowance,
    /// What is known of other workloads.
    pub relatives: Arc<[Relative]>,
    /// What everything random in the search follows from.
    pub seed: u64,
}

/// The range of problems that a front is to answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The lowest and the highest power budget.
    pub power: [Watts; 2],
    /// The lowest and the highest arrival rate, and the shortest and the longest latency budget;
    /// of no matter where nothing is urgent.
    pub stream: Option<([Hertz; 2], [Seconds; 2])>,
}

impl Expected {
    /// The range that these problems span; none if there is none.
    pub fn spanning<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Option<Self> {
        let of = |problem: &Problem| Self {
            power: [problem.power(); 2],
            stream: problem.urgent().map(|s| ([s.rate; 2], [s.latency; 2])),
        };
        problems.into_iter().map(of).reduce(|a, b| Self {
            power: [a.power[0].min(b.power[0]), a.power[1].max(b.power[1])],
            stream: match (a.stream, b.stream) {
                (Some((rate, latency)), Some((r, l))) => Some((
                    [rate[0].min(r[0]), rate[1].max(r[1])],
                    [latency[0].min(l[0]), latency[1].max(l[1])],
                )),
                (a, b) => a.or(b),
            },
        })
    }
}

/// A front to build, for any later problem of the workloads that take these roles.
#[derive(Debug, Clone)]
pub struct FrontTask {
    /// Where to search.
    pub setting: Arc<Setting>,
    /// The roles that the front is for.
    pub roles: &'static [Role],
    /// The problems that it is to answer; where they are not known, any that the board can serve.
    pub expected: Option<Expected>,
    /// How the workloads of later plans take turns.
    pub alternate: Alternate,
    /// How much may be measured.
    pub allowance: Allowance,
    /// What is known of other workloads.
    pub relatives: Arc<[Relative]>,
    /// What everything random in the search follows from.
    pub seed: u64,
}

/// By how many standard errors a reading may be too good before a plan that rests on it alone
/// breaks a budget. Exact readings need no guard and get none.
///
/// The best of many readings is likely a lucky one (the winner's curse), so this is more than the
/// 1.6 that would do for a single reading at 5 %.
pub const GUARD_SIGMAS: f64 = 2.0;
