//! Holds a schedule against what turns promise.
//!
//! For schedules of workers that do not fail, and whose minibatches take exactly as long as is
//! known: then no excuse is left.

use std::time::Duration;

use fulcrum_domain::{Alternate, WorkloadKind};

use crate::moment::Moment;
use crate::simulate::{Setup, Turn};

/// What is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Two minibatches ran at once.
    AtOnce(Moment),
    /// A request was answered before it arrived, or out of order.
    OutOfOrder(Moment),
    /// A request was answered twice, or an answer belongs to none.
    AnsweredTwice(Moment),
    /// A request that had arrived well before the end was not answered.
    Lost(Moment),
    /// A background minibatch that began, or went on, at this moment made a request late.
    MadeLate(Moment),
    /// The device was idle from this moment on though a background minibatch could have run.
    Idle(Moment),
    /// More background minibatches than τ between two inferences.
    TooManyInCycle(Moment),
}

/// Checks the turns of a simulation, given the arrivals at each job.
///
/// `handover` of the setup has to be zero, and its executions without jitter.
pub fn check(setup: &Setup, turns: &[Turn], arrivals: &[Vec<Moment>]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut ordered: Vec<&Turn> = turns.iter().collect();
    ordered.sort_by_key(|turn| turn.began);
    let pieces = pieces(&ordered);
    for pair in pieces.windows(2) {
        if pair[1].began < pair[0].ended {
            found.push(Violation::AtOnce(pair[1].began));
        }
    }
    let end = Moment::START + setup.duration;
    for (job, arrivals) in arrivals.iter().enumerate() {
        answers(&ordered, job, arrivals, end, &mut found);
    }
    made_late(setup, &ordered, &mut found);
    preempted_too_late(setup, &pieces, &mut found);
    idle(setup, &pieces, arrivals, &mut found);
    cycles(setup, &ordered, &mut found);
    found
}

/// A part of a minibatch during which it ran.
struct Piece<'a> {
    of: &'a Turn,
    began: Moment,
    ended: Moment,
}

/// What ran when, ascending.
fn pieces<'a>(turns: &[&'a Turn]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::with_capacity(turns.len());
    for &of in turns {
        let mut began = of.began;
        for preemption in &of.preemptions {
            pieces.push(Piece { of, began, ended: preemption.began });
            began = preemption.ended;
        }
        pieces.push(Piece { of, began, ended: of.ended });
    }
    pieces.retain(|piece| piece.began < piece.ended);
    pieces.sort_by_key(|piece| piece.began);
    pieces
}

fn is_background(setup: &Setup, job: usize) -> bool {
    setup.jobs[job].workload.kind == WorkloadKind::Train
}

fn budget(setup: &Setup, job: usize) -> Option<Duration> {
    setup.agreement.terms(&setup.jobs[job].workload)?.latency_budget
}

/// Every request is answered once, in the order of arrival.
fn answers(
    turns: &[&Turn],
    job: usize,
    arrivals: &[Moment],
    end: Moment,
    found: &mut Vec<Violation>,
) {
    let mut expected = arrivals.iter();
    for turn in turns.iter().filter(|turn| turn.job == job) {
        for &arrived in &turn.arrived {
            match expected.next() {
                Some(&next) if next == arrived && arrived <= turn.began => {}
                Some(&next) if next == arrived => found.push(Violation::OutOfOrder(turn.began)),
                _ => return found.push(Violation::AnsweredTwice(turn.began)),
            }
        }
    }
    // What arrived in the last seconds may still wait, and longer where those before it are still
    // being answered.
    let last = turns.iter().rev().find(|turn| turn.job == job).map_or(Moment::START, |t| t.ended);
    if let Some(&left) = expected.next()
        && end.since(left.max(last)) > Duration::from_secs(5)
    {
        found.push(Violation::Lost(left));
    }
}

/// A late request has no background minibatch to blame that began after it arrived and, with the
/// inference after it, could not end in time.
fn made_late(setup: &Setup, turns: &[&Turn], found: &mut Vec<Violation>) {
    for (place, turn) in turns.iter().enumerate() {
        let Some(budget) = budget(setup, turn.job) else { continue };
        let Some(&oldest) = turn.arrived.first() else { continue };
        if turn.ended.since(oldest) <= budget {
            continue;
        }
        let minibatch = setup.jobs[turn.job].execution.time(turn.arrived.len() as u32);
        let before = turns[..place].iter().rev().take_while(|before| before.ended > oldest);
        let holds_up = |before: &&&Turn| {
            is_background(setup, before.job) && !setup.jobs[before.job].preemptible
        };
        for before in before.filter(holds_up) {
            if before.began >= oldest && before.ended + minibatch > oldest + budget {
                found.push(Violation::MadeLate(before.began));
            }
        }
    }
}

/// Preemptible training does not run any more once a request has to be answered that will be late.
fn preempted_too_late(setup: &Setup, pieces: &[Piece<'_>], found: &mut Vec<Violation>) {
    let factor = 1.0 + setup.agreement.guard;
    for (place, piece) in pieces.iter().enumerate() {
        let Some(budget) = budget(setup, piece.of.job) else { continue };
        let Some(&oldest) = piece.of.arrived.first() else { continue };
        if piece.ended.since(oldest) <= budget {
            continue;
        }
        let size = setup.agreement.terms(&setup.jobs[piece.of.job].workload);
        let minibatch = setup.jobs[piece.of.job].execution.time(size.map_or(1, |s| s.batch_size));
        let latest_start = (oldest + budget - minibatch.mul_f64(factor)).max(oldest);
        let before = pieces[..place].iter().rev().take_while(|before| before.ended > latest_start);
        for before in before.filter(|before| setup.jobs[before.of.job].preemptible) {
            found.push(Violation::MadeLate(before.began));
        }
    }
}

/// Where nothing ran, no background minibatch would have fitted.
fn idle(setup: &Setup, pieces: &[Piece<'_>], arrivals: &[Vec<Moment>], found: &mut Vec<Violation>) {
    let slack_aware = setup.agreement.alternate == Alternate::SlackAware;
    let Some(background) = (0..setup.jobs.len()).find(|&job| is_background(setup, job)) else {
        return;
    };
    let factor = 1.0 + setup.agreement.guard;
    let minibatch = setup.jobs[background].execution.time(0).mul_f64(factor);
    let last = pieces.iter().rev().find(|piece| piece.of.job == background);
    let told_until = last.map_or(Moment::START, |piece| piece.ended);
    let mut answered = vec![0usize; setup.jobs.len()];
    for pair in pieces.windows(2) {
        answered[pair[0].of.job] += pair[0].of.arrived.len();
        let (from, to) = (pair[0].ended, pair[1].began);
        if from == to || !slack_aware {
            continue;
        }
        // All that has to be answered, as if it came one after the other by deadline: where even
        // that leaves room for a background minibatch, one should have run.
        let all: Duration = (0..setup.jobs.len())
            .filter(|&job| !is_background(setup, job))
            .map(|job| {
                let size = setup.agreement.terms(&setup.jobs[job].workload);
                setup.jobs[job].execution.time(size.map_or(1, |terms| terms.batch_size))
            })
            .sum();
        let fits = (0..setup.jobs.len()).filter(|&job| !is_background(setup, job)).all(|job| {
            let oldest = arrivals[job].get(answered[job]).filter(|at| **at <= from).copied();
            let budget = budget(setup, job).unwrap_or(Duration::from_secs(1));
            let deadline = oldest.unwrap_or(from) + budget;
            from + minibatch + all.mul_f64(factor) < deadline
        });
        // Whoever is preemptible always fits; what it was at in the end is not told of.
        let one_fits = if setup.jobs[background].preemptible { to < told_until } else { fits };
        if one_fits {
            found.push(Violation::Idle(from));
        }
    }
}

/// Where they alternate strictly, no cycle has more than τ background minibatches.
fn cycles(setup: &Setup, turns: &[&Turn], found: &mut Vec<Violation>) {
    if setup.agreement.alternate != Alternate::Strict {
        return;
    }
    let mut in_cycle = 0;
    for turn in turns {
        if is_background(setup, turn.job) {
            in_cycle += 1;
            if in_cycle > setup.agreement.minibatches_per_cycle {
                found.push(Violation::TooManyInCycle(turn.began));
            }
        } else {
            in_cycle = 0;
        }
    }
}
