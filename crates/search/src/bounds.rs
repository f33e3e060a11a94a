//! What measurements say of the modes that were not measured, if raising a knob never slows a
//! workload and never saves power.
//!
//! That is nearly true, and good enough to say that nothing can be had; a plan never rests on it.

use fulcrum_domain::{
    Evidence, Front, ModeId, OperatingPoint, Profile, Profiles, Role, Seconds, Setting, Watts,
};

use crate::task::GUARD_SIGMAS;

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
