//! Profiles between the store, the searches and the wire.

use fulcrum_api::{Malformed, time_to_wire, v1};
use fulcrum_domain::{
    BatchSize, Failure, Measurement, Problem, Profile, Reading, Role, Seconds, Setting, Watts,
    Workload,
};
use fulcrum_service::time_of_ms;
use fulcrum_store::{ProfileFilter, Store, StoreError, StoredProfile, mode_from_text, mode_text};

use crate::known_board::KnownBoard;

/// Everything that is stored for a problem's workloads on a kind of board, as its strategy knows
/// it. Suspect profiles are left out: they are to be measured again.
pub(crate) async fn stored(
    store: &Store,
    board: &KnownBoard,
    setting: &Setting,
    problem: &Problem,
) -> Result<Vec<(Measurement, Reading)>, StoreError> {
    let mut found = Vec::new();
    for &role in problem.roles() {
        let Some(workload) = problem.workload(role) else { continue };
        let filter = ProfileFilter {
            board_model: Some(board.model.clone()),
            software: Some(board.software.clone()),
            workload: Some(workload.name.to_string()),
            kind: Some(workload.kind.as_str().to_owned()),
            fingerprint: Some(board.version(workload).fingerprint.to_owned()),
        };
        let profiles = store.all_profiles(&filter).await?;
        let known = profiles.iter().filter(|profile| !profile.suspect);
        found.extend(known.filter_map(|profile| measured(setting, role, profile)));
    }
    Ok(found)
}

/// A stored profile as a search knows it; none where its board has no such mode or size any more.
pub(crate) fn measured(
    setting: &Setting,
    role: Role,
    profile: &StoredProfile,
) -> Option<(Measurement, Reading)> {
    let batch_size = u32::try_from(profile.batch_size).ok().and_then(BatchSize::new)?;
    if !setting.batches(role).contains(&batch_size) {
        return None;
    }
    let mode = mode_from_text(&setting.space, &profile.mode)?;
    let reading = match (&profile.failure, profile.minibatch_seconds, profile.power_watts) {
        (None, Some(seconds), Some(watts)) => {
            let exact = Profile::exact(Seconds::new(seconds), Watts::new(watts));
            Ok(Profile { error: profile.relative_error, ..exact })
        }
        // What is wrong with the workload itself will be so again; anything else may pass.
        (Some(text), _, _) if *text == Failure::OutOfMemory.to_string() => {
            Err(Failure::OutOfMemory)
        }
        _ => return None,
    };
    Some((Measurement { mode, role, batch_size }, reading))
}

/// A reading to keep.
pub(crate) fn to_keep(
    board: &KnownBoard,
    setting: &Setting,
    workload: &Workload,
    measurement: Measurement,
    reading: &Reading,
    (measured_by, now_ms): (&str, i64),
) -> StoredProfile {
    let profile = reading.as_ref().ok();
    StoredProfile {
        board_model: board.model.clone(),
        software: board.software.clone(),
        workload: workload.name.to_string(),
        kind: workload.kind.as_str().to_owned(),
        fingerprint: board.version(workload).fingerprint.to_owned(),
        mode: mode_text(&setting.space, measurement.mode),
        batch_size: i64::from(measurement.batch_size.get()),
        minibatch_seconds: profile.map(|profile| profile.minibatch.get()),
        power_watts: profile.map(|profile| profile.power.get()),
        relative_error: profile.map_or(0.0, |profile| profile.error),
        failure: reading.as_ref().err().map(ToString::to_string),
        peak_temperature_celsius: None,
        measured_by: measured_by.to_owned(),
        measured_at_ms: now_ms,
        suspect: false,
    }
}

/// A stored profile as the wire has it.
pub(crate) fn to_wire(profile: StoredProfile) -> v1::StoredProfile {
    v1::StoredProfile {
        board_model: profile.board_model,
        software: profile.software,
        workload: profile.workload,
        kind: profile.kind,
        fingerprint: profile.fingerprint,
        mode: profile.mode,
        batch_size: u32::try_from(profile.batch_size).unwrap_or_default(),
        minibatch_seconds: profile.minibatch_seconds,
        power_watts: profile.power_watts,
        relative_error_ratio: profile.relative_error,
        failure: profile.failure.unwrap_or_default(),
        peak_temperature_celsius: profile.peak_temperature_celsius,
        measured_by: profile.measured_by,
        measure_time: Some(time_to_wire(time_of_ms(profile.measured_at_ms))),
        suspect: profile.suspect,
    }
}

/// No text of a profile is longer.
const LONGEST_TEXT: usize = 1024;

/// A profile from the wire, to be kept.
pub(crate) fn from_wire(profile: v1::StoredProfile) -> Result<StoredProfile, Malformed> {
    for (field, text, needed) in [
        ("board_model", &profile.board_model, true),
        ("software", &profile.software, false),
        ("workload", &profile.workload, true),
        ("fingerprint", &profile.fingerprint, false),
        ("mode", &profile.mode, true),
        ("failure", &profile.failure, false),
        ("measured_by", &profile.measured_by, false),
    ] {
        if needed && text.is_empty() {
            return Err(Malformed::missing(field));
        }
        if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
            let what =
                format!("is not a text of at most {LONGEST_TEXT} bytes without control characters");
            return Err(Malformed::new(field, what));
        }
    }
    if !matches!(profile.kind.as_str(), "train" | "infer") {
        return Err(Malformed::new("kind", "is neither `train` nor `infer`"));
    }
    if profile.mode.split_whitespace().any(|level| !is_level(level)) {
        let what = format!("is `{}`; write it like cpu_cores=8 cpu_khz=1420800", profile.mode);
        return Err(Malformed::new("mode", what));
    }
    if profile.batch_size == 0 {
        return Err(Malformed::new("batch_size", "is zero; a minibatch has at least one"));
    }
    let positive = |field: &str, value: Option<f64>| match value {
        Some(value) if value.is_finite() && value > 0.0 => Ok(()),
        Some(value) => Err(Malformed::new(field, format!("is {value}; it is above zero"))),
        None if profile.failure.is_empty() => {
            Err(Malformed::new(field, "is missing, and there is no `failure` either"))
        }
        None => Ok(()),
    };
    positive("minibatch_seconds", profile.minibatch_seconds)?;
    positive("power_watts", profile.power_watts)?;
    if !(profile.relative_error_ratio >= 0.0 && profile.relative_error_ratio < 10.0) {
        let what = format!("is {}; it is a ratio from 0 to 10", profile.relative_error_ratio);
        return Err(Malformed::new("relative_error_ratio", what));
    }
    let at = profile.measure_time.and_then(|time| std::time::SystemTime::try_from(time).ok());
    let at = at.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Ok(StoredProfile {
        board_model: profile.board_model,
        software: profile.software,
        workload: profile.workload,
        kind: profile.kind,
        fingerprint: profile.fingerprint,
        mode: profile.mode,
        batch_size: i64::from(profile.batch_size),
        minibatch_seconds: profile.minibatch_seconds,
        power_watts: profile.power_watts,
        relative_error: profile.relative_error_ratio,
        failure: Some(profile.failure).filter(|failure| !failure.is_empty()),
        peak_temperature_celsius: profile.peak_temperature_celsius,
        measured_by: profile.measured_by,
        measured_at_ms: at
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .unwrap_or_default(),
        suspect: profile.suspect,
    })
}

fn is_level(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(knob, level)| !knob.is_empty() && level.parse().is_ok_and(f64::is_finite))
}
