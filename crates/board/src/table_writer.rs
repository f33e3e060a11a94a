//! Writes profiles as a table that can be read back.

use std::io;

use fulcrum_domain::{BatchSize, ModeId, ModeSpace, Profile, Workload};

use crate::table_columns::RELATIVE_ERROR;

/// Writes profiles as CSV; what [`read_table`](crate::read_table) reads back is exactly equal. The
/// column `relative_error` is written only where a profile has an error.
///
/// # Errors
/// When the writer fails.
pub fn write_table(
    writer: impl io::Write,
    device: &str,
    space: &ModeSpace,
    rows: impl Iterator<Item = (Workload, ModeId, BatchSize, Profile)>,
) -> io::Result<()> {
    let rows: Vec<_> = rows.collect();
    let noisy = rows.iter().any(|(.., profile)| profile.error != 0.0);
    let mut csv = csv::Writer::from_writer(writer);
    for name in ["device", "workload", "kind", "batch_size"] {
        csv.write_field(name)?;
    }
    for knob in space.knobs() {
        csv.write_field(knob.name())?;
    }
    csv.write_field("minibatch_ms")?;
    csv.write_field("power_w")?;
    if noisy {
        csv.write_field(RELATIVE_ERROR)?;
    }
    csv.write_record(None::<&[u8]>)?;
    for (workload, mode, batch_size, profile) in rows {
        csv.write_field(device)?;
        csv.write_field(&*workload.name)?;
        csv.write_field(workload.kind.as_str())?;
        csv.write_field(batch_size.to_string())?;
        for level in space.levels(mode) {
            csv.write_field(level.to_string())?;
        }
        csv.write_field(millis(profile.minibatch.get()))?;
        csv.write_field(profile.power.get().to_string())?;
        if noisy {
            csv.write_field(profile.error.to_string())?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

/// A number of seconds in milliseconds. The decimal point is moved in the text: a multiplication
/// would round, and the number read back could be another.
fn millis(seconds: f64) -> String {
    let text = seconds.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        // Negative, infinite or no number: no table holds it, and the reader will say so.
        return text;
    }
    let (near, far) = fraction.split_at(fraction.len().min(3));
    let digits = format!("{whole}{near:0<3}");
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    if far.is_empty() { digits.to_owned() } else { format!("{digits}.{far}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_milliseconds_without_rounding() {
        for (seconds, text) in [
            (0.096_062_6, "96.0626"),
            (1.0, "1000"),
            (12.5, "12500"),
            (0.1, "100"),
            (0.001, "1"),
            (0.000_25, "0.25"),
            (3.165_436_8, "3165.4368"),
            (1e-9, "0.000001"),
        ] {
            assert_eq!(millis(seconds), text);
        }
    }
}
