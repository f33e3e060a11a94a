//! The points of a front as they are kept: read in a millisecond, where all that they were chosen
//! from takes a tenth of a second.

use std::borrow::Cow;

use fulcrum_domain::{
    BatchSize, Evidence, Front, Knob, OperatingPoint, Profile, Role, Seconds, Setting, Watts,
};
use serde::{Deserialize, Serialize};

/// A front's points, in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptPoints<'a> {
    /// What the levels of the modes are of.
    #[serde(borrow)]
    knobs: Vec<Cow<'a, str>>,
    points: Vec<KeptPoint>,
}

/// The levels of a power mode, and what was measured there of the background and of the urgent
/// workload.
type KeptPoint = (Vec<f64>, Option<KeptProfile>, Option<KeptProfile>);

/// Batch size, seconds of a minibatch, watts, relative error.
type KeptProfile = (u32, f64, f64, f64);

impl<'a> KeptPoints<'a> {
    pub(crate) fn of(setting: &'a Setting, front: &Front) -> Self {
        let kept = |size: BatchSize, profile: Profile| {
            (size.get(), profile.minibatch.get(), profile.power.get(), profile.error)
        };
        let point = |point: &OperatingPoint| {
            let background =
                point.background.map(|profile| kept(setting.background_batch, profile));
            let urgent = point.urgent.map(|(size, profile)| kept(size, profile));
            (setting.space.levels(point.mode).collect(), background, urgent)
        };
        Self {
            knobs: setting.space.knobs().iter().map(|knob| knob.name().into()).collect(),
            points: front.points().iter().map(point).collect(),
        }
    }

    /// The front on a board; none where that has no such modes or batch sizes.
    pub(crate) fn front(&self, setting: &Setting) -> Option<Front> {
        let own = setting.space.knobs().iter().map(Knob::name);
        if !own.eq(self.knobs.iter().map(AsRef::as_ref)) {
            return None;
        }
        let points = self.points.iter().map(|point| at(point, setting));
        Some(Front::of_chosen(points.collect::<Option<_>>()?, Evidence::Measured))
    }
}

fn at((levels, background, urgent): &KeptPoint, setting: &Setting) -> Option<OperatingPoint> {
    let of = |kept: &Option<KeptProfile>, role| match kept {
        Some(kept) => profile(*kept, setting.batches(role)).map(Some),
        None => Some(None),
    };
    Some(OperatingPoint {
        mode: setting.space.find_levels(levels)?,
        background: of(background, Role::Background)?.map(|(_, profile)| profile),
        urgent: of(urgent, Role::Urgent)?,
    })
}

fn profile(
    (size, seconds, watts, error): KeptProfile,
    sizes: &[BatchSize],
) -> Option<(BatchSize, Profile)> {
    let size = BatchSize::new(size).filter(|size| sizes.contains(size))?;
    let exact = Profile::exact(Seconds::new(seconds), Watts::new(watts));
    Some((size, Profile { error, ..exact }))
}

#[cfg(test)]
mod tests {
    use fulcrum_board::{Profiler as _, SimulatedOrin};
    use fulcrum_domain::{Problem, Profiles, Workload};

    use super::*;
    use crate::known_board::KnownBoard;

    fn setting_of(stand_in: &str) -> (Setting, Problem) {
        let board = KnownBoard::of_table(stand_in).unwrap();
        let problem = Problem::train_only(Workload::train("resnet18"), Watts::new(30.0)).unwrap();
        (board.setting(&problem).unwrap(), problem)
    }

    #[test]
    fn a_front_is_the_same_after_it_was_kept() {
        let (setting, problem) = setting_of(SimulatedOrin::NAME);
        let mut orin = SimulatedOrin::exact();
        let mut profiles = Profiles::default();
        for mode in setting.space.ids().step_by(500) {
            let measurement = setting.measurement(mode, Role::Background, BatchSize::ONE);
            let reading = orin.measure(&Workload::train("resnet18"), mode, measurement.batch_size);
            profiles.insert(measurement, reading.unwrap());
        }
        let front = Front::new(profiles.operating_points(problem.roles()), Evidence::Measured);
        assert!(front.points().len() > 5);
        let text = serde_json::to_string(&KeptPoints::of(&setting, &front)).unwrap();
        let kept: KeptPoints<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(kept.front(&setting), Some(front));
        let other = KeptPoints { knobs: vec!["fan".into()], ..kept };
        assert_eq!(other.front(&setting), None, "of another board");
    }
}
