//! Readings of sensors, knobs and clocks in words: `27.3W`, `1.30GHz`, `gated`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fulcrum_board::{Quantity, SensorValue};
use fulcrum_domain::Knob;

/// A sensor's value with its unit, or why there is none.
pub(crate) fn reading(quantity: Quantity, value: &SensorValue) -> String {
    match value {
        Ok(value) => number(quantity, *value),
        Err(why) => why.as_str().into(),
    }
}

fn number(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Power => format!("{value:.2}W"),
        Quantity::Voltage => format!("{value:.2}V"),
        Quantity::Current => format!("{value:.2}A"),
        Quantity::Temperature => format!("{value:.1}C"),
        Quantity::Clock => clock(value),
        Quantity::Load | Quantity::FanDrive => format!("{:.0}%", value * 100.0),
        Quantity::FanSpeed => format!("{value:.0}rpm"),
        Quantity::Count => format!("{value:.0}"),
        Quantity::Memory => format!("{:.2}GB", value / 1e9),
        Quantity::Energy => format!("{value:.1}J"),
    }
}

fn clock(hertz: f64) -> String {
    if hertz >= 1e9 { format!("{:.2}GHz", hertz / 1e9) } else { format!("{:.0}MHz", hertz / 1e6) }
}

/// A sensor's quantity in a word.
pub(crate) const fn quantity(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Power => "power",
        Quantity::Voltage => "voltage",
        Quantity::Current => "current",
        Quantity::Temperature => "temperature",
        Quantity::Clock => "clock",
        Quantity::Load => "load",
        Quantity::FanDrive => "fan drive",
        Quantity::FanSpeed => "fan speed",
        Quantity::Count => "count",
        Quantity::Memory => "memory",
        Quantity::Energy => "energy",
    }
}

/// A level of a knob, short: `8`, `1.30GHz`; or why the knob shows none.
pub(crate) fn level(knob: &Knob, level: &SensorValue) -> String {
    match level {
        Ok(level) if knob.name().ends_with("_khz") => clock(level * 1e3),
        Ok(level) => level.to_string(),
        Err(why) => why.as_str().into(),
    }
}

/// A length of time: `430ms`, `12s`, `3min 20s`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    if time < Duration::from_secs(10) && time.subsec_nanos() != 0 {
        return fulcrum_domain::Seconds::new(time.as_secs_f64()).to_string();
    }
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}min {seconds}s"),
        (hours, minutes, _) => format!("{hours}h {minutes}min"),
    }
}

/// The time of day in UTC, to the millisecond: `02:13:25.123`.
pub(crate) fn time_of_day(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs() % 86_400;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, since.subsec_millis())
}

/// Seconds since 1970, for programs.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use fulcrum_board::Absence;

    use super::*;

    #[test]
    fn a_reading_has_its_unit_or_its_reason() {
        assert_eq!(reading(Quantity::Power, &Ok(27.304)), "27.30W");
        assert_eq!(reading(Quantity::Clock, &Ok(306e6)), "306MHz");
        assert_eq!(reading(Quantity::Clock, &Ok(2_201_600e3)), "2.20GHz");
        assert_eq!(reading(Quantity::Temperature, &Err(Absence::Gated)), "gated");
    }

    #[test]
    fn a_level_is_shown_in_the_unit_of_its_knob() {
        let cores = Knob::new("cpu_cores", [4.0, 8.0]).unwrap();
        let gpu = Knob::new("gpu_khz", [306_000.0]).unwrap();
        assert_eq!(level(&cores, &Ok(8.0)), "8");
        assert_eq!(level(&gpu, &Ok(306_000.0)), "306MHz");
        assert_eq!(level(&gpu, &Err(Absence::Missing)), "missing");
    }

    #[test]
    fn time_is_shown_as_people_say_it() {
        assert_eq!(span(Duration::from_millis(430)), "430ms");
        assert_eq!(span(Duration::from_secs(200)), "3min 20s");
        assert_eq!(span(Duration::from_mins(121)), "2h 1min");
        assert_eq!(time_of_day(UNIX_EPOCH + Duration::from_millis(90_061_007)), "01:01:01.007");
    }
}
