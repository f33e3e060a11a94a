//! What a measurement gave.

use fulcrum_domain::{Failure, Profile, Seconds, Watts};

use crate::malformed::Malformed;
use crate::v1;
use crate::v1::measure_failure::Kind;

/// A measured profile from the wire.
///
/// # Errors
/// When the time or the power is not above zero, or the error is below.
pub fn profile_from_wire(reading: &v1::ProfileReading) -> Result<Profile, Malformed> {
    let real = |value: f64| value.is_finite() && value > 0.0;
    if !real(reading.minibatch_seconds) {
        let problem = format!("is {}, which is no time", reading.minibatch_seconds);
        return Err(Malformed::new("minibatch_seconds", problem));
    }
    if !real(reading.power_watts) {
        let problem = format!("is {}, which is no power", reading.power_watts);
        return Err(Malformed::new("power_watts", problem));
    }
    let error = reading.relative_error_ratio;
    if !error.is_finite() || error < 0.0 {
        return Err(Malformed::new("relative_error_ratio", format!("is {error}")));
    }
    Ok(Profile {
        minibatch: Seconds::new(reading.minibatch_seconds),
        power: Watts::new(reading.power_watts),
        error,
    })
}

/// A failure from the wire; what is not known is a workload that cannot be measured.
pub fn failure_from_wire(failure: &v1::MeasureFailure) -> Failure {
    match failure.kind() {
        Kind::WorkerLost => Failure::Crashed,
        Kind::OutOfMemory => Failure::OutOfMemory,
        Kind::Throttled => Failure::Throttled,
        Kind::TimedOut => Failure::TimedOut,
        Kind::Unavailable | Kind::Unspecified => Failure::Unavailable,
    }
}

/// A failure's kind as the wire has it.
pub const fn failure_kind(failure: Failure) -> Kind {
    match failure {
        Failure::Crashed => Kind::WorkerLost,
        Failure::OutOfMemory => Kind::OutOfMemory,
        Failure::Throttled => Kind::Throttled,
        Failure::TimedOut => Kind::TimedOut,
        Failure::Unavailable => Kind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_survives_the_wire() {
        for failure in [
            Failure::Crashed,
            Failure::OutOfMemory,
            Failure::Throttled,
            Failure::TimedOut,
            Failure::Unavailable,
        ] {
            let kind = failure_kind(failure).into();
            let wire = v1::MeasureFailure { kind, message: failure.to_string() };
            assert_eq!(failure_from_wire(&wire), failure);
        }
    }

    #[test]
    fn a_reading_that_cannot_be_is_refused_by_its_field() {
        let good = v1::ProfileReading {
            minibatch_seconds: 0.1,
            power_watts: 20.0,
            relative_error_ratio: 0.02,
            ..v1::ProfileReading::default()
        };
        assert_eq!(profile_from_wire(&good).unwrap().error, 0.02);
        let refused = |reading: &v1::ProfileReading| profile_from_wire(reading).unwrap_err().field;
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(
                refused(&v1::ProfileReading { minibatch_seconds: value, ..good }),
                "minibatch_seconds"
            );
            assert_eq!(refused(&v1::ProfileReading { power_watts: value, ..good }), "power_watts");
        }
        let bad = v1::ProfileReading { relative_error_ratio: -0.1, ..good };
        assert_eq!(refused(&bad), "relative_error_ratio");
    }
}
