//! What a strategy is told of what is stored: all, as long as that is little enough to think about.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use fulcrum_domain::{Alternate, Basis, Front, Measurement, Outcome, Problem, Reading};
use fulcrum_search::GUARD_SIGMAS;

/// A strategy thinks a second about so many readings, and ten about a thousand (measured with
/// `guided` on a pair of the simulated board).
const MOST: usize = 300;

/// Of what is stored, at most [`MOST`] readings: those at the modes of the best plan known and of
/// some of the front's points, then some of all, evenly.
pub(crate) fn worth_telling<'a>(
    stored: &'a [(Measurement, Reading)],
    front: &Front,
    problem: &Problem,
    alternate: Alternate,
) -> Cow<'a, [(Measurement, Reading)]> {
    if stored.len() <= MOST {
        return Cow::Borrowed(stored);
    }
    // Of two readings of the same, the later holds.
    let stored: BTreeMap<Measurement, Reading> = stored.iter().copied().collect();
    let stored: Vec<_> = stored.into_iter().collect();
    let best = match front.solve(problem, alternate, GUARD_SIGMAS, Basis::Measured) {
        Outcome::Solved(plan) => Some(plan.point.mode),
        Outcome::Infeasible(_) | Outcome::Unsolved(_) => None,
    };
    let modes = best.into_iter().chain(evenly(front.points(), MOST / 4).map(|point| point.mode));
    let modes: BTreeSet<_> = modes.collect();
    let at_best = stored.iter().filter(|(measurement, _)| Some(measurement.mode) == best);
    let on_front: Vec<_> = stored.iter().filter(|(m, _)| modes.contains(&m.mode)).collect();
    let on_front = evenly(&on_front, MOST / 2).copied();
    let mut told = BTreeSet::new();
    let all = at_best.chain(on_front).chain(evenly(&stored, MOST));
    let all = all.filter(|(measurement, _)| told.insert(*measurement));
    Cow::Owned(all.take(MOST).copied().collect())
}

/// So many of them, or all, as evenly as they can be taken.
fn evenly<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let taken = all.len().min(most);
    (0..taken).map(move |place| &all[place * all.len() / taken])
}
