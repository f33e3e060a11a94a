//! What a plan promises, as it goes over the wire.

use std::iter;
use std::ops::Range;
use std::time::Duration;

use fulcrum_domain::{Alternate, Workload};
use fulcrum_interleave::{Agreement, Terms};

use crate::malformed::Malformed;
use crate::span::{duration_from_wire, duration_to_wire};
use crate::v1;
use crate::workload::{kind_to_wire, workload_from_wire};

/// No guard is wider.
const WIDEST_GUARD: f64 = 2.0;

/// An agreement with the power that each workload is expected to draw, in watts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TurnPlan {
    /// What is promised.
    pub agreement: Agreement,
    /// What the board draws while a workload runs, by its profile, in watts.
    pub expected_watts: Vec<(Workload, f64)>,
}

/// A way to alternate as the wire has it.
pub const fn alternate_to_wire(alternate: Alternate) -> v1::Alternate {
    match alternate {
        Alternate::Strict => v1::Alternate::Strict,
        Alternate::SlackAware => v1::Alternate::SlackAware,
    }
}

/// A plan as the wire has it, with the power mode in the wire's form already.
pub fn turn_plan_to_wire(plan: &TurnPlan, mode: Option<v1::PowerMode>) -> v1::TurnPlan {
    let watts = |workload: &Workload| {
        let found = plan.expected_watts.iter().find(|(of, _)| of == workload);
        found.map_or(0.0, |(_, watts)| *watts)
    };
    let terms = |terms: &Terms| v1::WorkloadTerms {
        workload: terms.workload.name.to_string(),
        kind: kind_to_wire(terms.workload.kind).into(),
        batch_size: terms.batch_size,
        largest_batch_size: terms.largest_batch_size,
        latency_budget: terms.latency_budget.map(duration_to_wire),
        expected_minibatch_seconds: terms.expected.unwrap_or_default().as_secs_f64(),
        expected_power_watts: watts(&terms.workload),
    };
    v1::TurnPlan {
        mode,
        alternate: alternate_to_wire(plan.agreement.alternate).into(),
        guard_ratio: plan.agreement.guard,
        minibatches_per_cycle: plan.agreement.minibatches_per_cycle,
        terms: plan.agreement.terms.iter().map(terms).collect(),
        by_rate: Vec::new(),
    }
}

/// A plan from the wire, but for its power mode.
///
/// # Errors
/// Names the field that is wrong.
pub fn turn_plan_from_wire(plan: &v1::TurnPlan) -> Result<TurnPlan, Malformed> {
    let alternate = match v1::Alternate::try_from(plan.alternate) {
        Ok(v1::Alternate::Strict) => Alternate::Strict,
        Ok(v1::Alternate::SlackAware) => Alternate::SlackAware,
        Ok(v1::Alternate::Unspecified) | Err(_) => {
            let problem = format!(
                "is {}; it is ALTERNATE_STRICT (1) or ALTERNATE_SLACK_AWARE (2)",
                plan.alternate
            );
            return Err(Malformed::new("plan.alternate", problem));
        }
    };
    if !(0.0..=WIDEST_GUARD).contains(&plan.guard_ratio) {
        let problem = format!("is {}; it is a ratio from 0 to {WIDEST_GUARD}", plan.guard_ratio);
        return Err(Malformed::new("plan.guard_ratio", problem));
    }
    let mut found = TurnPlan::default();
    for (place, terms) in plan.terms.iter().enumerate() {
        let within = |malformed: Malformed| {
            Malformed::new(format!("plan.terms[{place}].{}", malformed.field), malformed.problem)
        };
        let (terms, watts) = terms_from_wire(terms).map_err(within)?;
        if found.agreement.terms(&terms.workload).is_some() {
            let problem = format!("is `{}` a second time", terms.workload);
            return Err(within(Malformed::new("workload", problem)));
        }
        found.expected_watts.extend(watts.map(|watts| (terms.workload.clone(), watts)));
        found.agreement.terms.push(terms);
    }
    found.agreement.alternate = alternate;
    found.agreement.guard = plan.guard_ratio;
    found.agreement.minibatches_per_cycle = plan.minibatches_per_cycle;
    Ok(found)
}

fn terms_from_wire(terms: &v1::WorkloadTerms) -> Result<(Terms, Option<f64>), Malformed> {
    let workload = workload_from_wire(&terms.workload, terms.kind)?;
    if terms.batch_size == 0 {
        return Err(Malformed::new("batch_size", "is zero; a minibatch has at least one"));
    }
    let budget = |given: &prost_types::Duration| {
        duration_from_wire(given)
            .filter(|budget| !budget.is_zero())
            .ok_or_else(|| Malformed::new("latency_budget", "is not above zero"))
    };
    let latency_budget = terms.latency_budget.as_ref().map(budget).transpose()?;
    let positive = |field: &str, value: f64| {
        if value == 0.0 {
            Ok(None)
        } else if value.is_finite() && value > 0.0 && value < 1e6 {
            Ok(Some(value))
        } else {
            Err(Malformed::new(field, format!("is {value}; it is above zero, or 0 if not known")))
        }
    };
    let expected = positive("expected_minibatch_seconds", terms.expected_minibatch_seconds)?;
    let watts = positive("expected_power_watts", terms.expected_power_watts)?;
    let expected = expected.map(Duration::from_secs_f64);
    let largest_batch_size = terms.largest_batch_size.max(terms.batch_size);
    let batch_size = terms.batch_size;
    Ok((Terms { workload, batch_size, largest_batch_size, latency_budget, expected }, watts))
}

/// When a minibatch ran, in nanoseconds of the board's monotonic clock: all the time from its
/// beginning to its end, but for its preemptions.
pub fn pieces_ns(turn: &v1::Turn) -> impl Iterator<Item = Range<u64>> {
    let begins = iter::once(turn.began_ns).chain(turn.preemptions.iter().map(|of| of.ended_ns));
    let ends = turn.preemptions.iter().map(|of| of.began_ns).chain(iter::once(turn.ended_ns));
    begins.zip(ends).map(|(began, ended)| began..ended.max(began))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> TurnPlan {
        let train = Workload::train("a");
        let second = Duration::from_secs(1);
        TurnPlan {
            agreement: Agreement {
                alternate: Alternate::SlackAware,
                guard: 0.1,
                minibatches_per_cycle: 3,
                terms: vec![
                    Terms::background(train.clone(), 16).expecting(second),
                    Terms::urgent(&"b".into(), 8, second),
                ],
            },
            expected_watts: vec![(train, 30.0)],
        }
    }

    #[test]
    fn a_plan_survives_the_wire() {
        let wire = turn_plan_to_wire(&plan(), None);
        assert_eq!(turn_plan_from_wire(&wire).unwrap(), plan());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        let wire = turn_plan_to_wire(&plan(), None);
        let field = |change: &dyn Fn(&mut v1::TurnPlan)| {
            let mut wire = wire.clone();
            change(&mut wire);
            turn_plan_from_wire(&wire).unwrap_err().field
        };
        assert_eq!(field(&|p| p.alternate = 0), "plan.alternate");
        assert_eq!(field(&|p| p.guard_ratio = f64::NAN), "plan.guard_ratio");
        assert_eq!(field(&|p| p.terms[1].batch_size = 0), "plan.terms[1].batch_size");
        assert_eq!(field(&|p| p.terms[1].workload.clear()), "plan.terms[1].workload");
        assert_eq!(field(&|p| p.terms[1] = p.terms[0].clone()), "plan.terms[1].workload");
        let zero = prost_types::Duration::default();
        assert_eq!(
            field(&|p| p.terms[1].latency_budget = Some(zero)),
            "plan.terms[1].latency_budget"
        );
        assert_eq!(
            field(&|p| p.terms[0].expected_power_watts = -1.0),
            "plan.terms[0].expected_power_watts"
        );
    }
}
