//! Gradient-based search over the power modes.
//!
//! It starts in the middle of every knob, keeps the slopes of time and power along each knob from
//! everything it measured, and goes where they promise most: the mode and the batch size with the
//! best expected gain over the best plan measured so far, counted only as far as the budgets are
//! likely to hold. Where nothing fits yet it goes where something most likely does.

mod neighbourhood;
mod outlook;
mod prospect;
mod pruning;
mod slopes;

use fulcrum_domain::{BatchSize, ModeId, Role};

use crate::procedure::{Halt, Probe};
use crate::task::{GUARD_SIGMAS, Task};

use neighbourhood::neighbourhood;
use outlook::{Minibatch, Outlook, Terms};
use prospect::Prospect;
use pruning::Pruning;
use slopes::Forecast;

/// The search is over when less than this share is to be gained.
const ENOUGH: f64 = 0.001;

/// So many modes and batch sizes are looked at closely before each step.
const SHORTLIST: usize = 32;

/// Searches the plan of one problem.
///
/// # Errors
/// Halts for the next measurement, or when the allowance is spent.
pub(crate) fn gmd(task: &Task, probe: &Probe<'_>) -> Result<(), Halt> {
    let batches = workable_batches(task);
    if task.problem.urgent().is_some() && batches.is_empty() {
        return Ok(());
    }
    let start = batches.get(batches.len() / 2).copied().unwrap_or(BatchSize::ONE);
    for &role in task.problem.roles() {
        if !probe.log().profiles().iter().any(|(m, _)| m.role == role) {
            // Where the middle fails, whatever comes next will do to start from.
            let space = &task.setting.space;
            for mode in std::iter::once(space.middle()).chain(space.ids()) {
                if probe.measure(mode, role, start)?.is_some() {
                    break;
                }
            }
        }
    }
    let search = Search::new(task, probe, &batches);
    let known: Vec<(ModeId, &[BatchSize])> =
        probe.log().profiles().modes().map(|mode| (mode, batches.as_slice())).collect();
    if let Some(choice) = search.most_promising(&known, ENOUGH) {
        search.measure(choice)?;
    }
    if probe.log().modes() < task.allowance.modes {
        let best = search.best_mode;
        let fresh = search.shortlist(neighbourhood(&task.setting.space, best));
        if let Some(choice) = search.most_promising(&fresh, ENOUGH) {
            search.measure(choice)?;
        }
    }
    if search.prospect.best.is_none() {
        while let Some(choice) = search.least_hopeless() {
            search.measure(choice)?;
        }
    }
    Ok(())
}

/// The batch sizes that fill up within the latency budget.
fn workable_batches(task: &Task) -> Vec<BatchSize> {
    let Some(stream) = task.problem.urgent() else { return Vec::new() };
    let fills = |batch: &BatchSize| stream.rate.period() * batch.as_f64() < stream.latency;
    task.setting.urgent_batches.iter().copied().filter(fills).collect()
}

/// A mode and a batch size worth measuring.
#[derive(Debug, Clone, Copy)]
struct Choice {
    mode: ModeId,
    batch: BatchSize,
    gain: f64,
    role: Role,
}

struct Search<'a> {
    task: &'a Task,
    probe: &'a Probe<'a>,
    batches: &'a [BatchSize],
    outlook: Outlook<'a>,
    prospect: Prospect<'a>,
    best_mode: Option<ModeId>,
}

impl<'a> Search<'a> {
    fn new(task: &'a Task, probe: &'a Probe<'a>, batches: &'a [BatchSize]) -> Self {
        let problem = &task.problem;
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
        let best_mode = best.map(|(point, _)| point.mode);
        Self {
            best_mode,
            task,
            probe,
            batches,
            outlook: Outlook::new(task, probe, batches),
            prospect,
        }
    }

    /// Where nothing is likely to fit: what misses by least among what monotony does not rule out.
    fn least_hopeless(&self) -> Option<Choice> {
        let pruning = Pruning::new(self.task, self.probe);
        let space = &self.task.setting.space;
        let spent = self.probe.log().modes() >= self.task.allowance.modes;
        let mut terms = Terms::default();
        let mut best: Option<Choice> = None;
        let mut look = |modes: &[ModeId]| {
            for &mode in modes {
                if spent && !self.probe.log().visited(mode) {
                    continue;
                }
                self.outlook.terms(mode, &mut terms);
                self.offers(mode, self.batches, &terms, |role, own, other| {
                    let batch = other.map_or(BatchSize::ONE, |(batch, _)| batch);
                    let gain = self.prospect.margin(own, other);
                    let better = best.is_none_or(|best| gain > best.gain);
                    if better && !pruning.excludes(mode, batch) {
                        best = Some(Choice { mode, batch, gain, role });
                    }
                });
            }
            best
        };
        let near = neighbourhood(space, None);
        look(&near).or_else(|| {
            // The coarse look may be all there is.
            if near.len() < space.len() { look(&space.ids().collect::<Vec<_>>()) } else { None }
        })
    }

    /// The unvisited modes, each with one batch size, at which most may be had by the slopes alone.
    fn shortlist(&self, modes: Vec<ModeId>) -> Vec<(ModeId, &'a [BatchSize])> {
        let (background, urgent) =
            (self.task.problem.background().is_some(), self.task.problem.urgent().is_some());
        let mut terms = Terms::default();
        let mut ranked: Vec<(f64, ModeId, &[BatchSize])> = Vec::new();
        for mode in modes.into_iter().filter(|mode| !self.probe.log().visited(*mode)) {
            self.outlook.terms(mode, &mut terms);
            let rough = |role, batch| self.outlook.rough(role, batch, &terms);
            let own = if background { rough(Role::Background, BatchSize::ONE) } else { None };
            if own.is_some_and(|[_, power]| self.prospect.out_of_reach(power)) {
                continue;
            }
            let mut rank = |hope: f64, batches| {
                if hope > 0.0 {
                    ranked.push((hope, mode, batches));
                }
            };
            if !urgent {
                rank(self.prospect.hope(own, None), &[]);
            }
            for batches in self.batches.chunks(1) {
                let batch = batches[0];
                let other = rough(Role::Urgent, batch).map(|m| (batch, m));
                rank(self.prospect.hope(own, other), batches);
            }
        }
        if ranked.len() > SHORTLIST {
            ranked.select_nth_unstable_by(SHORTLIST, |a, b| {
                b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)))
            });
            ranked.truncate(SHORTLIST);
        }
        ranked.sort_unstable_by_key(|&(_, mode, batches)| (mode, batches));
        ranked.into_iter().map(|(_, mode, batches)| (mode, batches)).collect()
    }

    /// The choice with the best expected gain, if it is worth it.
    fn most_promising(&self, among: &[(ModeId, &[BatchSize])], least: f64) -> Option<Choice> {
        let mut best: Option<Choice> = None;
        let mut terms = Terms::default();
        for &(mode, batches) in among {
            self.outlook.terms(mode, &mut terms);
            self.offers(mode, batches, &terms, |role, own, other| {
                let gain = self.prospect.gain(own, other);
                if gain > best.map_or(least, |best| best.gain) {
                    let batch = other.map_or(BatchSize::ONE, |(batch, _)| batch);
                    best = Some(Choice { mode, batch, gain, role });
                }
            });
        }
        best
    }

    /// Everything at a mode that is not fully known and has not failed, with the role to measure
    /// next: the hungrier one, whose power budget breaks first.
    fn offers(
        &self,
        mode: ModeId,
        batches: &[BatchSize],
        terms: &Terms,
        mut each: impl FnMut(Role, Option<Minibatch>, Option<(BatchSize, Minibatch)>),
    ) {
        let mut own = None;
        if self.task.problem.background().is_some() {
            own = self.minibatch(mode, Role::Background, BatchSize::ONE, terms);
            if own.is_none() {
                return;
            }
        }
        let background = own.map(|(minibatch, _)| minibatch);
        let own_open = own.is_some_and(|(_, read)| !read);
        if self.task.problem.urgent().is_none() {
            if own_open {
                each(Role::Background, background, None);
            }
            return;
        }
        for &batch in batches {
            let Some((other, read)) = self.minibatch(mode, Role::Urgent, batch, terms) else {
                continue;
            };
            let hungrier = background.is_none_or(|own| own.power.value < other.power.value);
            let role = match (own_open, !read) {
                (true, true) if hungrier => Role::Urgent,
                (true, _) => Role::Background,
                (false, true) => Role::Urgent,
                (false, false) => continue,
            };
            each(role, background, Some((batch, other)));
        }
    }

    /// What was read, or else what is foretold, and which of the two; none after a failure.
    fn minibatch(
        &self,
        mode: ModeId,
        role: Role,
        batch: BatchSize,
        terms: &Terms,
    ) -> Option<(Minibatch, bool)> {
        let measurement = self.task.setting.measurement(mode, role, batch);
        match self.probe.log().reading(&measurement) {
            Some(Ok(profile)) => {
                let time = Forecast::read(profile.minibatch.get());
                let power = Forecast::read(profile.power.get());
                Some((Minibatch { time, power }, true))
            }
            Some(Err(_)) => None,
            None => Some((self.outlook.minibatch(role, measurement.batch_size, terms)?, false)),
        }
    }

    fn measure(&self, choice: Choice) -> Result<(), Halt> {
        self.probe.measure(choice.mode, choice.role, choice.batch).map(|_| ())
    }
}
