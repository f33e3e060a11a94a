//! Gradient-based search over the power modes.
//!
//! It starts in the middle of every knob, keeps the slopes of time and power along each knob from
//! everything it measured, and goes where they promise most: the mode and the batch size with the
//! best expected gain over the best plan measured so far, counted only as far as the budgets are
//! likely to hold. Where nothing fits yet it goes where something most likely does. What two
//! readings rule out by monotony it does not measure, unless it may measure everything.

mod neighbourhood;
mod outlook;
mod prospect;
mod slopes;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fulcrum_domain::{BatchSize, ModeId, Role};

use crate::bounds::{Misses, workable_batches};
use crate::procedure::{Halt, Probe};
use crate::task::{GUARD_SIGMAS, Task};

use neighbourhood::neighbourhood;
use outlook::{Minibatch, Outlook, View};
use prospect::Prospect;
use slopes::Forecast;

/// The search is over when less than this share is to be gained.
const ENOUGH: f64 = 0.001;

/// So many modes and batch sizes are looked at closely before each step.
const SHORTLIST: usize = 32;

/// So many readings of other modes rule one out: a single one may be an outlier.
const WITNESSES: usize = 2;

/// Searches the plan of one problem.
///
/// # Errors
/// Halts for the next measurement, or when the allowance is spent.
pub(crate) fn gmd(task: &Task, probe: &Probe<'_>) -> Result<(), Halt> {
    let batches = match task.problem.urgent() {
        Some(_) => workable_batches(&task.setting, &task.problem),
        None => vec![BatchSize::ONE],
    };
    let Some(&start) = batches.get(batches.len() / 2) else { return Ok(()) };
    let space = &task.setting.space;
    for &role in task.problem.roles() {
        if !probe.log().profiles().iter().any(|(m, _)| m.role == role) {
            // Where the middle fails, whatever comes next will do to start from.
            for mode in std::iter::once(space.middle()).chain(space.ids()) {
                if probe.measure(mode, role, start)?.is_some() {
                    break;
                }
            }
        }
    }
    let search = Search::new(task, probe, &batches);
    let gain = |own, other, least| search.prospect.gain(own, other, least);
    let hope = |own, other| search.prospect.hope(own, other);
    let visited = search.visited();
    if let Some(choice) = search.most(gain, ENOUGH, &visited) {
        search.measure(choice)?;
    }
    let affords_modes = visited.len() < task.allowance.modes;
    if affords_modes {
        let fresh = search.shortlist(hope, neighbourhood(space, search.best_mode));
        if let Some(choice) = search.most(gain, ENOUGH, &fresh) {
            search.measure(choice)?;
        }
    }
    if search.prospect.best.is_none() {
        // Nothing is likely to fit, so what misses by least.
        let room = |own: Option<Minibatch>, other: Option<(BatchSize, Minibatch)>, _| {
            let other = other.map(|(batch, minibatch)| (batch, minibatch.values()));
            search.prospect.room(own.map(Minibatch::values), other)
        };
        let rough_room = |own, other| search.prospect.room(own, other);
        let mut among = visited;
        if affords_modes {
            among.extend(search.shortlist(rough_room, neighbourhood(space, None)));
        }
        if let Some(choice) = search.most(room, 0.0, &among) {
            search.measure(choice)?;
        }
        if affords_modes {
            // The coarse look is not all there is.
            let rest = search.shortlist(rough_room, space.ids().collect());
            if let Some(choice) = search.most(room, 0.0, &rest) {
                search.measure(choice)?;
            }
        }
    }
    Ok(())
}

/// A mode and the batch sizes to look at there.
type Candidate<'a> = (ModeId, &'a [BatchSize]);

/// A mode and a batch size worth measuring.
#[derive(Debug, Clone, Copy)]
struct Choice {
    mode: ModeId,
    batch: BatchSize,
    role: Role,
}

struct Search<'a> {
    task: &'a Task,
    probe: &'a Probe<'a>,
    batches: &'a [BatchSize],
    outlook: Outlook<'a>,
    prospect: Prospect<'a>,
    misses: Misses<'a>,
    witnesses: usize,
    best_mode: Option<ModeId>,
}

impl<'a> Search<'a> {
    fn new(task: &'a Task, probe: &'a Probe<'a>, batches: &'a [BatchSize]) -> Self {
        let Task { problem, setting, .. } = task;
        let profiles = probe.log().profiles();
        let points = profiles.operating_points(problem.roles());
        let best = problem.best(task.alternate, GUARD_SIGMAS, &points);
        let error = profiles.iter().map(|(_, profile)| profile.error).fold(0.0, f64::max);
        let prospect = Prospect {
            problem,
            alternate: task.alternate,
            guard: 1.0 + GUARD_SIGMAS * error,
            best: best.map(|(_, found)| Prospect::value_of(&found)),
        };
        // Where every mode can be seen, none need be judged by others.
        let sees_all = setting.space.len() <= task.allowance.modes;
        Self {
            task,
            probe,
            batches,
            outlook: Outlook::new(task, probe, batches),
            prospect,
            misses: Misses::new(setting, problem, profiles),
            witnesses: if sees_all { usize::MAX } else { WITNESSES },
            best_mode: best.map(|(point, _)| point.mode),
        }
    }

    fn excluded(&self, mode: ModeId, batch: BatchSize) -> bool {
        self.misses.exclude(mode, batch, self.witnesses)
    }

    /// The modes that were visited, each with every batch size.
    fn visited(&self) -> Vec<Candidate<'a>> {
        self.probe.log().visited_modes().map(|mode| (mode, self.batches)).collect()
    }

    /// The unvisited modes, each with one batch size, that the slopes alone rank highest. A rank
    /// is of the time and power of the background and the urgent workload; one of the background
    /// alone is no less than any of both, and nothing is worth a rank of 0.
    fn shortlist(
        &self,
        rank: impl Fn(Option<[f64; 2]>, Option<(BatchSize, [f64; 2])>) -> f64,
        modes: Vec<ModeId>,
    ) -> Vec<Candidate<'a>> {
        let space = &self.task.setting.space;
        let background = self.outlook.surfaces(Role::Background).first();
        let urgent = self.outlook.surfaces(Role::Urgent);
        let mut ranked = Vec::new();
        for mode in modes {
            let point = space.point(mode);
            let mut add = |rank: f64, batches: &'a [BatchSize]| {
                if rank > 0.0 {
                    // Positive numbers are in the order of their bits.
                    ranked.push((rank.to_bits(), Reverse((mode, batches))));
                }
            };
            let own = background.map(|surface| surface.rough(point));
            if own.is_some() {
                let alone = rank(own, None);
                if urgent.is_empty() {
                    add(alone, self.batches);
                } else if alone <= 0.0 {
                    continue;
                }
            }
            for (surface, batches) in urgent.iter().zip(self.batches.chunks(1)) {
                add(rank(own, Some((batches[0], surface.rough(point)))), batches);
            }
        }
        let mut ranked = BinaryHeap::from(ranked);
        let descending = std::iter::from_fn(|| ranked.pop()).map(|(_, Reverse(own))| own);
        let open = |(mode, batches): &Candidate<'a>| {
            !self.probe.log().visited(*mode) && !self.excluded(*mode, batches[0])
        };
        descending.filter(open).take(SHORTLIST).collect()
    }

    /// The choice with the highest score, if that is above `least`. A score is told what it has to
    /// be above to matter.
    fn most(
        &self,
        score: impl Fn(Option<Minibatch>, Option<(BatchSize, Minibatch)>, f64) -> f64,
        least: f64,
        among: &[Candidate<'_>],
    ) -> Option<Choice> {
        let mut highest = least;
        let mut best = None;
        for &(mode, batches) in among {
            self.offers(mode, batches, |choice, own, other| {
                let score = score(own, other, highest);
                if score > highest {
                    highest = score;
                    best = Some(choice);
                }
            });
        }
        best
    }

    /// Everything at a mode that may still turn out well and is not fully known, with the role to
    /// measure next: the hungrier one, whose power budget breaks first.
    fn offers(
        &self,
        mode: ModeId,
        batches: &[BatchSize],
        mut each: impl FnMut(Choice, Option<Minibatch>, Option<(BatchSize, Minibatch)>),
    ) {
        let problem = &self.task.problem;
        let mut open = batches.iter().filter(|batch| !self.excluded(mode, **batch)).peekable();
        if open.peek().is_none() {
            return;
        }
        let view = self.outlook.view(mode);
        let mut own = None;
        if problem.background().is_some() {
            own = self.minibatch(mode, Role::Background, BatchSize::ONE, &view);
            if own.is_none() {
                return;
            }
        }
        for &batch in open {
            let mut other = None;
            if problem.urgent().is_some() {
                other = self.minibatch(mode, Role::Urgent, batch, &view);
                if other.is_none() {
                    continue;
                }
            }
            let unread = |half: Option<(Minibatch, bool)>| {
                half.filter(|(_, read)| !read).map(|(minibatch, _)| minibatch.power.value)
            };
            let role = match (unread(own), unread(other)) {
                (None, None) => continue,
                (Some(own), Some(other)) if own >= other => Role::Background,
                (Some(_), None) => Role::Background,
                (_, Some(_)) => Role::Urgent,
            };
            let other = other.map(|(minibatch, _)| (batch, minibatch));
            each(Choice { mode, batch, role }, own.map(|(minibatch, _)| minibatch), other);
        }
    }

    /// What was read, or else what is foretold, and which of the two; none after a failure.
    fn minibatch(
        &self,
        mode: ModeId,
        role: Role,
        batch: BatchSize,
        view: &View,
    ) -> Option<(Minibatch, bool)> {
        let measurement = self.task.setting.measurement(mode, role, batch);
        match self.probe.log().reading(&measurement) {
            Some(Ok(profile)) => {
                let time = Forecast::read(profile.minibatch.get());
                let power = Forecast::read(profile.power.get());
                Some((Minibatch { time, power }, true))
            }
            Some(Err(_)) => None,
            None => Some((self.outlook.minibatch(role, measurement.batch_size, view)?, false)),
        }
    }

    fn measure(&self, choice: Choice) -> Result<(), Halt> {
        self.probe.measure(choice.mode, choice.role, choice.batch).map(|_| ())
    }
}
