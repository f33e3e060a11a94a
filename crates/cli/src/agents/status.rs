//! What an agent says of the mode, the lease and its guards, in the words of the board.

use std::time::{Duration, SystemTime};

use fulcrum_api::{Malformed, duration_from_wire, v1, value_from_wire};
use fulcrum_board::{Absence, Levels, SensorValue};

/// The state of an agent's board.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Status {
    /// The levels that the lease's holder set; nothing while none are set.
    pub(crate) wanted: Option<Vec<f64>>,
    /// What the board shows for each knob.
    pub(crate) shown: Levels,
    /// Where the board does not show what was set.
    pub(crate) overrides: Vec<OverrideReport>,
    /// The lease, while there is one.
    pub(crate) lease: Option<LeaseInfo>,
    /// What the guards did, the latest last.
    pub(crate) guard_actions: Vec<GuardAction>,
    /// Why the state found is still to be put back, while it is.
    pub(crate) restore_pending: Option<String>,
}

/// A knob that does not show what was written to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OverrideReport {
    pub(crate) knob: String,
    pub(crate) wanted: f64,
    pub(crate) shown: SensorValue,
    /// Who is likely behind it, in words that fit after "by".
    pub(crate) suspect: String,
}

/// Who has the board, and until when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeaseInfo {
    pub(crate) holder: String,
    pub(crate) expires: Option<SystemTime>,
}

/// What a guard did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GuardAction {
    pub(crate) time: Option<SystemTime>,
    pub(crate) reason: String,
    /// The levels that it stepped down to.
    pub(crate) levels: Vec<f64>,
}

/// What came of setting a mode.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModeReport {
    pub(crate) requested: Vec<f64>,
    pub(crate) applied: Vec<f64>,
    pub(crate) observed: Levels,
    pub(crate) overrides: Vec<OverrideReport>,
    /// How long it took to settle; none where that was not waited for, or it did not.
    pub(crate) settled_after: Option<Duration>,
}

impl Status {
    /// The status from the wire, of a board with so many knobs.
    pub(crate) fn from_wire(
        status: v1::GetStatusResponse,
        knobs: usize,
    ) -> Result<Self, Malformed> {
        let wanted = status.wanted.map(|mode| levels(mode, "wanted", knobs)).transpose()?;
        let action = |action: v1::GuardAction| GuardAction {
            time: action.time.and_then(moment),
            reason: action.reason,
            levels: action.mode.map(|mode| mode.levels).unwrap_or_default(),
        };
        Ok(Self {
            wanted,
            shown: shown(&status.shown, "shown", knobs)?,
            overrides: status.overrides.iter().map(override_report).collect(),
            lease: status.lease.map(|lease| LeaseInfo {
                holder: lease.holder,
                expires: lease.expire_time.and_then(moment),
            }),
            guard_actions: status.guard_actions.into_iter().map(action).collect(),
            restore_pending: Some(status.restore_pending).filter(|reason| !reason.is_empty()),
        })
    }
}

impl ModeReport {
    /// The report from the wire, of a board with so many knobs.
    pub(crate) fn from_wire(
        report: v1::SetPowerModeResponse,
        knobs: usize,
    ) -> Result<Self, Malformed> {
        let mode = |mode: Option<v1::PowerMode>, field: &str| {
            levels(mode.ok_or_else(|| Malformed::missing(field))?, field, knobs)
        };
        Ok(Self {
            requested: mode(report.requested, "requested")?,
            applied: mode(report.applied, "applied")?,
            observed: shown(&report.observed, "observed", knobs)?,
            overrides: report.overrides.iter().map(override_report).collect(),
            settled_after: report.settled_after.as_ref().and_then(duration_from_wire),
        })
    }
}

fn override_report(other: &v1::Override) -> OverrideReport {
    OverrideReport {
        knob: other.knob.clone(),
        wanted: other.wanted,
        shown: other.shown.as_ref().map_or(Err(Absence::Missing), value_from_wire),
        suspect: other.suspect.clone(),
    }
}

fn levels(mode: v1::PowerMode, field: &str, knobs: usize) -> Result<Vec<f64>, Malformed> {
    let count = mode.levels.len();
    if count == knobs {
        return Ok(mode.levels);
    }
    Err(Malformed::new(field, format!("has {count} levels for {knobs} knobs")))
}

fn shown(values: &[v1::SensorValue], field: &str, knobs: usize) -> Result<Levels, Malformed> {
    if values.len() == knobs {
        return Ok(values.iter().map(value_from_wire).collect());
    }
    Err(Malformed::new(field, format!("has {} values for {knobs} knobs", values.len())))
}

/// A point of time from the wire; none where it is not one.
pub(super) fn moment(time: prost_types::Timestamp) -> Option<SystemTime> {
    SystemTime::try_from(time).ok()
}
