//! A profile as a row of a file. The names are an interface.

use fulcrum_api::v1;
use serde::{Deserialize, Serialize};

/// A profile as CSV and NDJSON have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    board_model: String,
    #[serde(default)]
    software: String,
    workload: String,
    kind: String,
    #[serde(default)]
    fingerprint: String,
    mode: String,
    batch_size: u32,
    minibatch_seconds: Option<f64>,
    power_watts: Option<f64>,
    #[serde(default)]
    relative_error_ratio: f64,
    #[serde(default)]
    failure: String,
    peak_temperature_celsius: Option<f64>,
    #[serde(default)]
    measured_by: String,
    #[serde(default)]
    measure_time: String,
    #[serde(default)]
    suspect: bool,
}

impl From<v1::StoredProfile> for Row {
    fn from(profile: v1::StoredProfile) -> Self {
        Self {
            board_model: profile.board_model,
            software: profile.software,
            workload: profile.workload,
            kind: profile.kind,
            fingerprint: profile.fingerprint,
            mode: profile.mode,
            batch_size: profile.batch_size,
            minibatch_seconds: profile.minibatch_seconds,
            power_watts: profile.power_watts,
            relative_error_ratio: profile.relative_error_ratio,
            failure: profile.failure,
            peak_temperature_celsius: profile.peak_temperature_celsius,
            measured_by: profile.measured_by,
            measure_time: profile.measure_time.map(|time| time.to_string()).unwrap_or_default(),
            suspect: profile.suspect,
        }
    }
}

impl Row {
    /// The profile as the wire has it; what is wrong with the row otherwise, by its column.
    pub(super) fn to_wire(&self) -> Result<v1::StoredProfile, String> {
        let time = Some(&self.measure_time).filter(|text| !text.is_empty());
        let time = time.map(|text| text.parse::<prost_types::Timestamp>()).transpose();
        let measure_time = time.map_err(|_| {
            let what = "write it like 2026-11-25T17:40:10Z";
            format!("`measure_time` is `{}`, which is no time; {what}", self.measure_time)
        })?;
        Ok(v1::StoredProfile {
            board_model: self.board_model.clone(),
            software: self.software.clone(),
            workload: self.workload.clone(),
            kind: self.kind.clone(),
            fingerprint: self.fingerprint.clone(),
            mode: self.mode.clone(),
            batch_size: self.batch_size,
            minibatch_seconds: self.minibatch_seconds,
            power_watts: self.power_watts,
            relative_error_ratio: self.relative_error_ratio,
            failure: self.failure.clone(),
            peak_temperature_celsius: self.peak_temperature_celsius,
            measured_by: self.measured_by.clone(),
            measure_time,
            suspect: self.suspect,
        })
    }
}
