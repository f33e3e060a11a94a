//! The points of a front as they are kept.

use fulcrum_domain::{BatchSize, OperatingPoint, Profile, Role, Seconds, Setting, Watts};
use fulcrum_store::{mode_from_text, mode_text};
use serde::{Deserialize, Serialize};

/// A power mode, and what was measured there of each workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptPoint {
    mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    background: Option<KeptProfile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    urgent: Option<KeptProfile>,
}

/// Batch size, seconds of a minibatch, watts, relative error.
type KeptProfile = (u32, f64, f64, f64);

impl KeptPoint {
    pub(crate) fn of(setting: &Setting, point: &OperatingPoint) -> Self {
        let kept = |size: BatchSize, profile: Profile| {
            (size.get(), profile.minibatch.get(), profile.power.get(), profile.error)
        };
        Self {
            mode: mode_text(&setting.space, point.mode),
            background: point.background.map(|profile| kept(setting.background_batch, profile)),
            urgent: point.urgent.map(|(size, profile)| kept(size, profile)),
        }
    }

    /// The point on a board; none where that has no such mode or batch size.
    pub(crate) fn at(&self, setting: &Setting) -> Option<OperatingPoint> {
        let background = match self.background {
            Some(kept) => Some(profile(kept, setting.batches(Role::Background))?.1),
            None => None,
        };
        let urgent = match self.urgent {
            Some(kept) => Some(profile(kept, setting.batches(Role::Urgent))?),
            None => None,
        };
        let mode = mode_from_text(&setting.space, &self.mode)?;
        Some(OperatingPoint { mode, background, urgent })
    }
}

fn profile(
    (size, seconds, watts, error): KeptProfile,
    sizes: &[BatchSize],
) -> Option<(BatchSize, Profile)> {
    let size = BatchSize::new(size).filter(|size| sizes.contains(size))?;
    let exact = Profile::exact(Seconds::new(seconds), Watts::new(watts));
    Some((size, Profile { error, ..exact }))
}
