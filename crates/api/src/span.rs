//! Lengths and points of time.

use std::time::{Duration, SystemTime};

/// A length of time as the wire has it.
pub fn duration_to_wire(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: duration.subsec_nanos().cast_signed(),
    }
}

/// A length of time from the wire; none where it is negative or not one.
pub fn duration_from_wire(duration: &prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u32::try_from(duration.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

/// A point of time as the wire has it.
pub fn time_to_wire(time: SystemTime) -> prost_types::Timestamp {
    time.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_length_of_time_survives_the_wire(seconds in 0..1u64 << 40, nanos in 0..1_000_000_000u32) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(duration_from_wire(&duration_to_wire(duration)), Some(duration));
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_none() {
        for (seconds, nanos) in [(-1, 0), (0, -1), (1, 1_000_000_000)] {
            assert_eq!(duration_from_wire(&prost_types::Duration { seconds, nanos }), None);
        }
    }
}
