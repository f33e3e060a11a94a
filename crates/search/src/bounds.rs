//! What measurements say of the modes that were not measured, if raising a knob never slows a
//! workload and never saves power.
//!
//! That is nearly true, and good enough to say that nothing can be had; a plan never rests on it.

use fulcrum_domain::{
    BatchSize, Evidence, Front, ModeId, ModeSpace, OperatingPoint, Problem, Profile, Profiles,
    Role, Seconds, Setting, Watts,
};

use crate::task::GUARD_SIGMAS;

/// The readings that break a budget of one problem even if they were unlucky, and which modes that
/// speaks against.
pub(crate) struct Misses<'a> {
    space: &'a ModeSpace,
    misses: Vec<Miss<'a>>,
}

/// A reading that breaks a budget.
struct Miss<'a> {
    /// The mode, by its place on every knob.
    point: &'a [u16],
    /// The batch size that it speaks of; none where it speaks of all.
    batch: Option<BatchSize>,
    budget: Broken,
}

enum Broken {
    /// Too much power: no mode above draws less.
    Power,
    /// Too late, or too slow for the arrivals: no mode below is faster.
    Time,
}

impl Miss<'_> {
    fn speaks(&self, point: &[u16], batch: BatchSize) -> bool {
        let at_most = |low: &[u16], high: &[u16]| low.iter().zip(high).all(|(a, b)| a <= b);
        self.batch.is_none_or(|own| own == batch)
            && match self.budget {
                Broken::Power => at_most(self.point, point),
                Broken::Time => at_most(point, self.point),
            }
    }
}

impl<'a> Misses<'a> {
    pub(crate) fn new(setting: &'a Setting, problem: &Problem, profiles: &Profiles) -> Self {
        let space = &setting.space;
        let mut misses = Vec::new();
        let roles = problem.roles();
        for (m, profile) in profiles.iter().filter(|(m, _)| roles.contains(&m.role)) {
            let unlucky = profile.guarded(-GUARD_SIGMAS);
            let batch = (m.role == Role::Urgent).then_some(m.batch_size);
            let mut miss = |budget| misses.push(Miss { point: space.point(m.mode), batch, budget });
            if unlucky.power > problem.power() {
                miss(Broken::Power);
            }
            if batch.is_some_and(|batch| too_slow(problem, batch, unlucky.minibatch)) {
                miss(Broken::Time);
            }
        }
        Self { space, misses }
    }

    /// Whether the budgets cannot hold at a mode and a batch size: it was read there, or so many
    /// readings of other modes say so.
    pub(crate) fn exclude(&self, mode: ModeId, batch: BatchSize, witnesses: usize) -> bool {
        let point = self.space.point(mode);
        let mut against = 0;
        for miss in self.misses.iter().filter(|miss| miss.speaks(point, batch)) {
            against += 1;
            if miss.point == point || against >= witnesses {
                return true;
            }
        }
        false
    }
}

/// Whether requests are answered too late, or arrive faster than they are answered.
fn too_slow(problem: &Problem, batch: BatchSize, minibatch: Seconds) -> bool {
    problem.urgent().is_some_and(|stream| {
        let cycle = stream.rate.period() * batch.as_f64();
        minibatch > problem.longest_urgent(cycle) || cycle + minibatch > stream.latency
    })
}

/// The batch sizes of a problem's requests that fill up within the latency budget, ascending;
/// none where nothing is urgent.
pub(crate) fn workable_batches(setting: &Setting, problem: &Problem) -> Vec<BatchSize> {
    let Some(stream) = problem.urgent() else { return Vec::new() };
    let fills = |batch: &BatchSize| stream.rate.period() * batch.as_f64() < stream.latency;
    setting.urgent_batches.iter().copied().filter(fills).collect()
}
/// The best that every operating point could still be: no faster than any mode that is at least as
/// high, and no less hungry than any mode that is at most as high.
pub fn optimistic_front(setting: &Setting, roles: &[Role], profiles: &Profiles) -> Front {
    let known: Vec<_> = profiles.iter().map(|(m, p)| (m, p.guarded(-GUARD_SIGMAS))).collect();
    let bound = |mode: ModeId, role: Role, batch| {
        let mut minibatch = Seconds::ZERO;
        let mut power = Watts::ZERO;
        for (measurement, profile) in &known {
            if measurement.role != role || measurement.batch_size != batch {
                continue;
            }
            if setting.space.at_most(mode, measurement.mode) {
                minibatch = minibatch.max(profile.minibatch);
            }
            if setting.space.at_most(measurement.mode, mode) {
                power = power.max(profile.power);
            }
        }
        // A minibatch takes some time, and the throughput of one that took none would be no
        // number.
        Profile::exact(minibatch.max(Seconds::new(1e-9)), power)
    };
    let (background, urgent) = (roles.contains(&Role::Background), roles.contains(&Role::Urgent));
    let points = setting.space.ids().flat_map(|mode| {
        let own = background.then(|| bound(mode, Role::Background, setting.background_batch));
        let batches = if urgent { setting.urgent_batches.as_slice() } else { &[] };
        let alone = (!urgent).then_some(OperatingPoint { mode, background: own, urgent: None });
        let paired = batches.iter().map(move |&batch| (mode, own, batch));
        alone.into_iter().chain(paired.map(|(mode, background, batch)| OperatingPoint {
            mode,
            background,
            urgent: Some((batch, bound(mode, Role::Urgent, batch))),
        }))
    });
    Front::new(points, Evidence::Predicted)
}
