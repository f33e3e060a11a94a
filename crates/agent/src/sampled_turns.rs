//! Some turns, told as spans: the first ones as parts of the change that brought their plan, so that
//! whoever asked for it sees it work; later ones seldom, each as a trace of its own.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use fulcrum_domain::Workload;
use fulcrum_interleave::Moment;
use fulcrum_trace::{Kept, Past};
use fulcrum_worker::monotonic::now_ns;

use crate::turns::Turn;

/// So many turns of each workload are told of at first.
const FIRST: u32 = 2;
/// From then on one in this time.
const EVERY: Duration = Duration::from_mins(1);

/// Chooses turns and tells of them.
#[derive(Debug, Default)]
pub(crate) struct SampledTurns {
    /// What brought the plan in force.
    of: Kept,
    since: Option<Moment>,
    told: HashMap<Workload, Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    turns: u32,
    last: Moment,
}

/// What a turn is told of as.
#[derive(Debug, PartialEq, Eq)]
enum As {
    Part,
    ItsOwn,
}

impl SampledTurns {
    /// Another plan is in force from now on.
    pub(crate) fn begin(&mut self, of: Kept) {
        *self = Self { of, since: Some(now()), told: HashMap::new() };
    }

    /// Tells of a turn that has just ended, if it is chosen.
    pub(crate) fn ran(&mut self, turn: &Turn) {
        if self.of.is_empty() {
            return;
        }
        match self.choose(&turn.workload, turn.ran.minibatch.began) {
            Some(As::Part) => span(turn).part_of(&self.of),
            Some(As::ItsOwn) => span(turn).because_of(&self.of),
            None => {}
        }
    }

    fn choose(&mut self, workload: &Workload, began: Moment) -> Option<As> {
        // One that began before belongs to the plan before.
        if self.since.is_some_and(|since| began < since) {
            return None;
        }
        let Some(told) = self.told.get_mut(workload) else {
            self.told.insert(workload.clone(), Told { turns: 1, last: began });
            return Some(As::Part);
        };
        let chosen = if told.turns < FIRST {
            As::Part
        } else if began.since(told.last) >= EVERY {
            As::ItsOwn
        } else {
            return None;
        };
        *told = Told { turns: told.turns.saturating_add(1), last: began };
        Some(chosen)
    }
}

fn span(turn: &Turn) -> Past {
    let (now, wall) = (now(), SystemTime::now());
    let at = |moment: Moment| wall - now.since(moment);
    let requests = i64::try_from(turn.ran.latencies.len()).unwrap_or(i64::MAX);
    let past = Past::new("turn", at(turn.ran.minibatch.began), at(turn.ran.minibatch.ended))
        .saying("fulcrum.workload", turn.workload.to_string())
        .saying("fulcrum.requests", requests)
        .saying("fulcrum.late_requests", i64::from(turn.ran.late));
    let past = match turn.ran.waited {
        Some(waited) => past.saying("fulcrum.waited_seconds", waited.as_secs_f64()),
        None => past,
    };
    match turn.ran.latencies.iter().max() {
        Some(longest) => past.saying("fulcrum.longest_latency_seconds", longest.as_secs_f64()),
        None => past,
    }
}

fn now() -> Moment {
    Moment::at_ns(now_ns())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_turns_are_told_of_and_then_one_a_minute() {
        let mut sampled = SampledTurns::default();
        sampled.begin(Kept::default());
        let since = now();
        let (train, infer) = (Workload::train("resnet18"), Workload::infer("mobilenet_v3"));
        assert_eq!(sampled.choose(&train, Moment::START), None, "of the plan before");
        let mut told = Vec::new();
        for second in 0..200 {
            let began = since + Duration::from_secs(second);
            told.extend(sampled.choose(&train, began).map(|as_what| (second, as_what)));
        }
        let own = |second| (second, As::ItsOwn);
        assert_eq!(told, [(0, As::Part), (1, As::Part), own(61), own(121), own(181)]);
        assert_eq!(sampled.choose(&infer, since), Some(As::Part), "each workload has its own");
        sampled.begin(Kept::default());
        assert_eq!(sampled.choose(&train, now()), Some(As::Part));
    }
}
