//! Boards, samples and leases for programs. The names are stable and carry their units; what has
//! no value is `null`, with the reason beside it.

use std::collections::BTreeMap;

use fulcrum_api::{BoardDescription, RemoteSample};
use fulcrum_board::{Sensor, SensorValue};
use fulcrum_domain::{Knob, ModeId, ModeSpace};
use serde::Serialize;

use crate::agents::{GuardAction, LeaseInfo, ModeReport, OverrideReport, Status};
use crate::output::readings::{quantity, unix_seconds};

/// A power mode: the level of every knob, by name.
pub(super) type ModeView = BTreeMap<String, f64>;

/// A value, or why there is none.
#[derive(Debug, Serialize)]
pub(super) struct ValueView {
    value: Option<f64>,
    absent: Option<&'static str>,
}

/// What a board is.
#[derive(Debug, Serialize)]
pub(super) struct IdentityView {
    kind: &'static str,
    model: String,
    compatible: Vec<String>,
    software: String,
}

/// A knob and its levels.
#[derive(Debug, Serialize)]
pub(super) struct KnobView {
    name: String,
    levels: Vec<f64>,
}

/// A vendor's power mode.
#[derive(Debug, Serialize)]
pub(super) struct PresetView {
    name: String,
    mode: ModeView,
}

/// A sensor with its value.
#[derive(Debug, Serialize)]
pub(super) struct SensorView {
    part: String,
    quantity: &'static str,
    unit: &'static str,
    refresh_s: Option<f64>,
    #[serde(flatten)]
    value: ValueView,
}

/// A sample.
#[derive(Debug, Serialize)]
pub(super) struct SampleView {
    time_unix_s: f64,
    total_power_w: Option<f64>,
    total_power_absent: Option<&'static str>,
    energy_j: f64,
    energy_covered_s: f64,
    energy_samples: u64,
    sensors: Vec<SensorView>,
}

/// A knob that does not show what was written to it.
#[derive(Debug, Serialize)]
pub(super) struct OverrideView {
    knob: String,
    wanted: f64,
    shown: ValueView,
    suspect: String,
}

/// A lease.
#[derive(Debug, Serialize)]
pub(super) struct LeaseView {
    holder: String,
    expires_unix_s: Option<f64>,
}

/// What a guard did.
#[derive(Debug, Serialize)]
pub(super) struct GuardView {
    time_unix_s: Option<f64>,
    reason: String,
    levels: Vec<f64>,
}

/// The mode, the lease and the guards.
#[derive(Debug, Serialize)]
pub(super) struct StatusView {
    wanted: Option<ModeView>,
    shown: BTreeMap<String, ValueView>,
    overrides: Vec<OverrideView>,
    lease: Option<LeaseView>,
    guard_actions: Vec<GuardView>,
    restore_pending: Option<String>,
}

/// What came of setting a mode.
#[derive(Debug, Serialize)]
pub(super) struct ModeReportView {
    requested: ModeView,
    applied: ModeView,
    observed: BTreeMap<String, ValueView>,
    overrides: Vec<OverrideView>,
    settled_after_ms: Option<f64>,
    dry_run: bool,
}

fn value(value: &SensorValue) -> ValueView {
    match value {
        Ok(value) => ValueView { value: Some(*value), absent: None },
        Err(why) => ValueView { value: None, absent: Some(why.as_str()) },
    }
}

fn named<T>(space: &ModeSpace, values: impl IntoIterator<Item = T>) -> BTreeMap<String, T> {
    space.knobs().iter().map(|knob| knob.name().to_owned()).zip(values).collect()
}

fn named_values(space: &ModeSpace, values: &[SensorValue]) -> BTreeMap<String, ValueView> {
    named(space, values.iter().map(value))
}

/// A mode of a space.
pub(super) fn mode(space: &ModeSpace, mode: ModeId) -> ModeView {
    named(space, space.levels(mode))
}

/// What a board is.
pub(super) fn identity(board: &BoardDescription) -> IdentityView {
    let identity = &board.identity;
    IdentityView {
        kind: identity.kind,
        model: identity.model.clone(),
        compatible: identity.compatible.clone(),
        software: identity.software.clone(),
    }
}

/// A knob and its levels.
pub(super) fn knob(knob: &Knob) -> KnobView {
    KnobView { name: knob.name().to_owned(), levels: knob.levels().to_vec() }
}

/// The vendor's power modes of a board.
pub(super) fn presets(board: &BoardDescription) -> Vec<PresetView> {
    let preset = |preset: &fulcrum_board::Preset| PresetView {
        name: preset.name.clone(),
        mode: mode(&board.space, preset.mode),
    };
    board.presets.iter().map(preset).collect()
}

fn sensor(sensor: &Sensor, said: &SensorValue) -> SensorView {
    SensorView {
        part: sensor.part.clone(),
        quantity: quantity(sensor.quantity),
        unit: sensor.quantity.unit(),
        refresh_s: sensor.refresh.map(|refresh| refresh.as_secs_f64()),
        value: value(said),
    }
}

/// A sample of a board with these sensors.
pub(super) fn sample(sensors: &[Sensor], sample: &RemoteSample) -> SampleView {
    let total = value(&sample.total_power);
    SampleView {
        time_unix_s: unix_seconds(sample.time),
        total_power_w: total.value,
        total_power_absent: total.absent,
        energy_j: sample.energy_joules,
        energy_covered_s: sample.energy_covered.as_secs_f64(),
        energy_samples: sample.energy_samples,
        sensors: sensors.iter().zip(&sample.values).map(|(s, value)| sensor(s, value)).collect(),
    }
}

/// The lease.
pub(super) fn lease(lease: &LeaseInfo) -> LeaseView {
    LeaseView { holder: lease.holder.clone(), expires_unix_s: lease.expires.map(unix_seconds) }
}

fn override_view(report: &OverrideReport) -> OverrideView {
    OverrideView {
        knob: report.knob.clone(),
        wanted: report.wanted,
        shown: value(&report.shown),
        suspect: report.suspect.clone(),
    }
}

fn guard(action: &GuardAction) -> GuardView {
    GuardView {
        time_unix_s: action.time.map(unix_seconds),
        reason: action.reason.clone(),
        levels: action.levels.clone(),
    }
}

/// The mode, the lease and the guards of a board with these modes.
pub(super) fn status(space: &ModeSpace, status: &Status) -> StatusView {
    StatusView {
        wanted: status.wanted.as_ref().map(|levels| named(space, levels.iter().copied())),
        shown: named_values(space, &status.shown),
        overrides: status.overrides.iter().map(override_view).collect(),
        lease: status.lease.as_ref().map(lease),
        guard_actions: status.guard_actions.iter().map(guard).collect(),
        restore_pending: status.restore_pending.clone(),
    }
}

/// What came of setting a mode.
pub(super) fn mode_report(space: &ModeSpace, report: &ModeReport, dry_run: bool) -> ModeReportView {
    ModeReportView {
        requested: named(space, report.requested.iter().copied()),
        applied: named(space, report.applied.iter().copied()),
        observed: named_values(space, &report.observed),
        overrides: report.overrides.iter().map(override_view).collect(),
        settled_after_ms: report.settled_after.map(|time| time.as_secs_f64() * 1e3),
        dry_run,
    }
}
