//! Problems as they go over the wire.

use fulcrum_domain::{
    Alternate, Hertz, Problem, ProblemError, Seconds, Stream, Watts, Workload, WorkloadKind,
};

use crate::malformed::Malformed;
use crate::v1;

/// No name of a workload is longer.
const LONGEST_NAME: usize = 256;

/// A problem as the wire has it.
pub fn problem_to_wire(problem: &Problem) -> v1::Problem {
    let background = |kind| {
        let workload = problem.background().filter(|workload| workload.kind == kind);
        workload.map(|workload| workload.name.to_string()).unwrap_or_default()
    };
    let stream = problem.urgent();
    v1::Problem {
        train: background(WorkloadKind::Train),
        background_infer: background(WorkloadKind::Infer),
        infer: stream.map(|stream| stream.workload.name.to_string()).unwrap_or_default(),
        rate_hertz: stream.map_or(0.0, |stream| stream.rate.get()),
        latency_seconds: stream.map_or(0.0, |stream| stream.latency.get()),
        power_watts: problem.power().get(),
        most_utilisation_ratio: problem.most_utilisation(),
    }
}

/// A problem from the wire.
///
/// # Errors
/// Names the field that is wrong.
pub fn problem_from_wire(problem: &v1::Problem) -> Result<Problem, Malformed> {
    for (field, name) in [
        ("train", &problem.train),
        ("background_infer", &problem.background_infer),
        ("infer", &problem.infer),
    ] {
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            let what =
                format!("is not a name of at most {LONGEST_NAME} bytes without control characters");
            return Err(Malformed::new(field, what));
        }
    }
    let positive = |field: &str, value: f64, example: &str| {
        if value.is_finite() && value > 0.0 {
            return Ok(value);
        }
        Err(Malformed::new(field, format!("is {value}; it is above zero, like {example}")))
    };
    let power = Watts::new(positive("power_watts", problem.power_watts, "30")?);
    let urgent = if problem.infer.is_empty() {
        for (field, value) in
            [("rate_hertz", problem.rate_hertz), ("latency_seconds", problem.latency_seconds)]
        {
            if value != 0.0 {
                let what = "needs `infer`, the workload whose requests arrive";
                return Err(Malformed::new(field, what));
            }
        }
        None
    } else {
        Some(Stream {
            workload: Workload::infer(&problem.infer),
            rate: Hertz::new(positive("rate_hertz", problem.rate_hertz, "60")?),
            latency: Seconds::new(positive("latency_seconds", problem.latency_seconds, "0.8")?),
        })
    };
    let wrong = |error: ProblemError| Malformed::new("problem", error.to_string());
    let made = match (problem.train.as_str(), problem.background_infer.as_str(), urgent) {
        ("", "", None) => {
            return Err(Malformed::new("problem", "names no workload: `train`, `infer` or both"));
        }
        ("", "", Some(urgent)) => Problem::infer_only(urgent, power),
        ("", background, Some(urgent)) => {
            Problem::two_inferences(Workload::infer(background), urgent, power)
        }
        ("", _, None) => {
            let what = "needs `infer`, whose requests it leaves time to";
            return Err(Malformed::new("background_infer", what));
        }
        (train, "", Some(urgent)) => Problem::concurrent(Workload::train(train), urgent, power),
        (train, "", None) => Problem::train_only(Workload::train(train), power),
        (_, _, _) => {
            let what = "stands beside `train`; only one of them runs in the time that is left";
            return Err(Malformed::new("background_infer", what));
        }
    };
    let share = problem.most_utilisation_ratio;
    if !(0.0..=1.0).contains(&share) {
        let what = format!("is {share}; it is a ratio above 0 and at most 1");
        return Err(Malformed::new("most_utilisation_ratio", what));
    }
    let made = made.map_err(wrong)?;
    Ok(if share > 0.0 { made.with_most_utilisation(share) } else { made })
}

/// A way to alternate by its name; slack-aware where it is left out.
///
/// # Errors
/// When it is not known.
pub fn alternate_named(name: &str) -> Result<Alternate, Malformed> {
    if name.is_empty() {
        return Ok(Alternate::SlackAware);
    }
    let what = || format!("is `{name}`; it is `strict` or `slack-aware`");
    name.parse().map_err(|_| Malformed::new("alternate", what()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> v1::Problem {
        v1::Problem {
            train: "resnet18".into(),
            infer: "mobilenet_v3".into(),
            rate_hertz: 60.0,
            latency_seconds: 0.8,
            power_watts: 30.0,
            most_utilisation_ratio: 0.7,
            ..Default::default()
        }
    }

    #[test]
    fn problems_of_every_kind_survive_the_wire() {
        let train =
            v1::Problem { infer: String::new(), rate_hertz: 0.0, latency_seconds: 0.0, ..pair() };
        let infer = v1::Problem { train: String::new(), ..pair() };
        let two = v1::Problem { background_infer: "lstm".into(), ..infer.clone() };
        for wire in [pair(), train, infer, two] {
            let problem = problem_from_wire(&wire).unwrap();
            assert_eq!(problem_to_wire(&problem), wire);
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        let field = |change: &dyn Fn(&mut v1::Problem)| {
            let mut wire = pair();
            change(&mut wire);
            problem_from_wire(&wire).unwrap_err().field
        };
        assert_eq!(field(&|p| p.power_watts = -1.0), "power_watts");
        assert_eq!(field(&|p| p.rate_hertz = f64::NAN), "rate_hertz");
        assert_eq!(field(&|p| p.latency_seconds = 0.0), "latency_seconds");
        assert_eq!(field(&|p| p.infer.clear()), "rate_hertz");
        assert_eq!(field(&|p| p.train = "x".repeat(10 << 20)), "train");
        assert_eq!(field(&|p| p.background_infer = "lstm".into()), "background_infer");
        assert_eq!(field(&|p| p.most_utilisation_ratio = 2.0), "most_utilisation_ratio");
        assert_eq!(
            field(&|p| *p = v1::Problem { power_watts: 1.0, ..Default::default() }),
            "problem"
        );
        assert_eq!(alternate_named("never").unwrap_err().field, "alternate");
    }
}
