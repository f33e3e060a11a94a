//! Requests, checked: what comes from the wire is what it should be from here on.

use std::time::Duration;

use fulcrum_api::{Malformed, duration_from_wire, invalid, kind_from_wire, mode_from_wire, v1};
use fulcrum_domain::{BatchSize, ModeId, ModeSpace, Workload};
use tonic::Status;

use crate::measure::Order;
use crate::measuring::Demand;
use crate::status::no_mode;

/// A length of time in a field, within bounds, or the default where it was left out.
pub(crate) fn time(
    field: &str,
    given: Option<&prost_types::Duration>,
    default: Duration,
    (shortest, longest): (Duration, Duration),
) -> Result<Duration, Status> {
    let Some(given) = given else { return Ok(default) };
    duration_from_wire(given).filter(|time| (shortest..=longest).contains(time)).ok_or_else(|| {
        invalid(&Malformed::new(field, format!("is not within {shortest:?} and {longest:?}")))
    })
}

/// A text in a field, of at most so many characters.
pub(crate) fn text<'a>(
    field: &str,
    given: &'a str,
    most: usize,
    needed: bool,
) -> Result<&'a str, Status> {
    if needed && given.trim().is_empty() {
        return Err(invalid(&Malformed::missing(field)));
    }
    let length = given.chars().count();
    if length > most || given.chars().any(char::is_control) {
        let problem =
            format!("is not a text of at most {most} characters without control characters");
        return Err(invalid(&Malformed::new(field, problem)));
    }
    Ok(given)
}

/// The power mode in a request's field `mode`.
pub(crate) fn mode(space: &ModeSpace, given: Option<&v1::PowerMode>) -> Result<ModeId, Status> {
    let given = given.ok_or_else(|| invalid(&Malformed::missing("mode")))?;
    mode_from_wire(space, given).map_err(|error| no_mode("mode", &error))
}

/// What is to be measured.
pub(crate) fn order(space: &ModeSpace, request: &v1::MeasureRequest) -> Result<Order, Status> {
    let count = |field: &str, given: u32, default: u32, most: u32| match given {
        0 => Ok(default),
        given if given <= most => Ok(given),
        given => Err(invalid(&Malformed::new(
            field,
            format!("is {given}, and at most {most} is allowed"),
        ))),
    };
    let kind = kind_from_wire(request.kind, "kind").map_err(|error| invalid(&error))?;
    let own = Demand::default();
    Ok(Order {
        token: text("lease_token", &request.lease_token, 128, true)?.to_owned(),
        workload: Workload { name: text("workload", &request.workload, 256, true)?.into(), kind },
        batch: BatchSize::new(request.batch_size).ok_or_else(|| {
            invalid(&Malformed::new("batch_size", "is zero; a minibatch has at least one"))
        })?,
        mode: mode(space, request.mode.as_ref())?,
        demand: Demand {
            minibatches: count("minibatches", request.minibatches, own.minibatches, 10_000)?,
            power_samples: count("power_samples", request.power_samples, own.power_samples, 1_000)?,
            timeout: time(
                "timeout",
                request.timeout.as_ref(),
                own.timeout,
                (Duration::from_millis(1), Duration::from_hours(1)),
            )?,
        },
    })
}
