//! What a job asks for: its problem within a board's budget, the rates that its plan has answers
//! for, and how it stands as a whole.

use fulcrum_api::v1;
use fulcrum_store::JobState;

/// How much time inference may take where requests come irregularly, as a share.
const IRREGULAR_UTILISATION: f64 = 0.7;
/// By how much longer than known minibatches are taken to last there.
const IRREGULAR_GUARD: f64 = 0.1;
/// A plan has answers for these multiples of its arrival rate.
const RATES: [f64; 8] = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0];
/// How a search is done where the job does not say: a front answers all that comes later.
const STRATEGY: &str = "als";

/// Where requests do not come regularly, some arrive together.
fn is_irregular(spec: &v1::JobSpec) -> bool {
    spec.arrivals != "constant"
}

/// How requests arrive.
pub(crate) fn arrivals(spec: &v1::JobSpec) -> &str {
    if spec.arrivals.is_empty() { "poisson" } else { &spec.arrivals }
}

/// How a plan that is not known is searched for.
pub(crate) fn strategy(spec: &v1::JobSpec) -> &str {
    if spec.strategy.is_empty() { STRATEGY } else { &spec.strategy }
}

/// By how much longer than known a minibatch is taken to last, as a share.
pub(crate) fn guard(spec: &v1::JobSpec) -> f64 {
    if is_irregular(spec) { IRREGULAR_GUARD } else { 0.0 }
}

/// A job's problem on a board that may draw so much, where so many requests arrive, if that is other
/// than the job says.
pub(crate) fn problem(spec: &v1::JobSpec, budget_watts: f64, rate: Option<f64>) -> v1::Problem {
    let mut problem = spec.problem.clone().unwrap_or_default();
    problem.power_watts = budget_watts;
    if problem.infer.is_empty() {
        return problem;
    }
    problem.rate_hertz = rate.unwrap_or(problem.rate_hertz);
    if problem.most_utilisation_ratio == 0.0 && is_irregular(spec) {
        problem.most_utilisation_ratio = IRREGULAR_UTILISATION;
    }
    problem
}

/// A problem and its like for other arrival rates, ascending, with the place of the problem itself.
/// One without requests is alone.
pub(crate) fn by_rate(problem: &v1::Problem) -> (Vec<v1::Problem>, usize) {
    if problem.infer.is_empty() {
        return (vec![problem.clone()], 0);
    }
    let at =
        |factor: f64| v1::Problem { rate_hertz: factor * problem.rate_hertz, ..problem.clone() };
    let own = RATES.iter().position(|&factor| factor == 1.0).unwrap_or(0);
    (RATES.map(at).to_vec(), own)
}

/// How one board of a job stands, as far as the job is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) board: String,
    pub(crate) state: BoardState,
    pub(crate) message: String,
}

/// How a board stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BoardState {
    /// Nothing is known of it yet.
    #[default]
    Unknown,
    /// Its agent does not answer.
    Unreachable,
    /// It has no job, or has not begun.
    Idle,
    /// A plan is being searched for.
    Searching,
    /// A plan is in force.
    Running,
    /// No plan meets the budgets.
    Infeasible,
    /// Something has to be done about it; the message says what.
    Blocked,
}

impl BoardState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unreachable => "unreachable",
            Self::Idle => "idle",
            Self::Searching => "searching",
            Self::Running => "running",
            Self::Infeasible => "infeasible",
            Self::Blocked => "blocked",
        }
    }
}

/// How a job stands by how its boards do. What needs somebody's attention comes first.
pub(crate) fn standing(members: &[Member], none: &str) -> (JobState, String) {
    let Some(first) = members.first() else {
        return (JobState::Blocked, none.to_owned());
    };
    let of = |state: BoardState| members.iter().filter(move |member| member.state == state);
    let running = of(BoardState::Running).count();
    let all = members.len();
    let told = |member: &Member| format!("{}: {}", member.board, member.message);
    let so_far = if all == 1 { String::new() } else { format!("{running} of {all} run; ") };
    if let Some(member) = of(BoardState::Blocked).next() {
        return (JobState::Blocked, format!("{so_far}{}", told(member)));
    }
    if let Some(member) = of(BoardState::Infeasible).next() {
        return (JobState::Infeasible, format!("{so_far}{}", told(member)));
    }
    if let Some(member) = of(BoardState::Searching).next() {
        return (JobState::Searching, format!("{so_far}{}", told(member)));
    }
    if let Some(member) = of(BoardState::Unreachable).next() {
        let state = if running > 0 { JobState::Running } else { JobState::Pending };
        return (state, format!("{so_far}{}", told(member)));
    }
    if running == all {
        let message =
            if all == 1 { told(first) } else { format!("runs on all of its {all} boards") };
        return (JobState::Running, message);
    }
    let state = if running > 0 { JobState::Running } else { JobState::Pending };
    (state, format!("{so_far}the others begin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(board: &str, state: BoardState) -> Member {
        Member { board: board.into(), state, message: "so it is".into() }
    }

    #[test]
    fn what_needs_attention_is_said_first() {
        use BoardState::{Blocked, Idle, Infeasible, Running, Searching, Unreachable};
        let state = |states: &[BoardState]| {
            let members: Vec<_> = states.iter().map(|state| member("b", *state)).collect();
            standing(&members, "none").0
        };
        assert_eq!(state(&[]), JobState::Blocked);
        assert_eq!(state(&[Running, Blocked, Infeasible]), JobState::Blocked);
        assert_eq!(state(&[Running, Searching, Infeasible]), JobState::Infeasible);
        assert_eq!(state(&[Running, Searching, Unreachable]), JobState::Searching);
        assert_eq!(state(&[Running, Unreachable]), JobState::Running);
        assert_eq!(state(&[Unreachable, Idle]), JobState::Pending);
        assert_eq!(state(&[Running, Running]), JobState::Running);
        let (_, message) = standing(&[member("x", Running), member("y", Infeasible)], "none");
        assert_eq!(message, "1 of 2 run; y: so it is");
    }

    #[test]
    fn irregular_requests_are_left_more_time_unless_the_job_says_how_much() {
        let problem_of = |arrivals: &str, ratio, rate| {
            let own = v1::Problem {
                infer: "b".into(),
                rate_hertz: 60.0,
                power_watts: 30.0,
                most_utilisation_ratio: ratio,
                ..Default::default()
            };
            let spec =
                v1::JobSpec { problem: Some(own), arrivals: arrivals.into(), ..Default::default() };
            problem(&spec, 20.0, rate)
        };
        let usual = problem_of("", 0.0, None);
        assert_eq!((usual.most_utilisation_ratio, usual.power_watts), (0.7, 20.0));
        assert_eq!(problem_of("constant", 0.0, None).most_utilisation_ratio, 0.0);
        assert_eq!(problem_of("bursty", 0.5, None).most_utilisation_ratio, 0.5);
        assert_eq!(problem_of("", 0.0, Some(90.0)).rate_hertz, 90.0);
        let (all, own) = by_rate(&usual);
        assert_eq!(all[own], usual);
        assert!(all.is_sorted_by(|a, b| a.rate_hertz < b.rate_hertz));
    }
}
