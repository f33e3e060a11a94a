//! What is asked for, checked: what is wrong is named by its field.

use std::collections::BTreeMap;

use fulcrum_api::{Address, Malformed, alternate_named, problem_from_wire, v1};
use fulcrum_service::{new_id, now_ms, resource_name, valid_name};
use fulcrum_store::StoredBoard;

/// A board or a job has no more labels.
const MOST_LABELS: usize = 64;
/// No label's name or value is longer.
const LONGEST_LABEL: usize = 63;
/// No address and no stand-in's name is longer.
const LONGEST_TEXT: usize = 1024;
const ARRIVALS: [&str; 3] = ["constant", "poisson", "bursty"];
/// More draw than any board.
const MOST_WATTS: f64 = 1e7;

/// A name of a kind of thing: `cam-1` of `jobs/cam-1`.
pub(crate) fn name<'a>(field: &str, kind: &str, name: &'a str) -> Result<&'a str, Malformed> {
    valid_name(field, resource_name(field, kind, name)?)
}

/// A board to register.
pub(crate) fn board(wire: v1::FleetBoard) -> Result<StoredBoard, Malformed> {
    let name = name("name", "boards", &wire.name)?.to_owned();
    for (field, text) in
        [("address", &wire.address), ("stand_in", &wire.stand_in), ("metrics", &wire.metrics)]
    {
        if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
            let what =
                format!("is not a text of at most {LONGEST_TEXT} bytes without control characters");
            return Err(Malformed::new(field, what));
        }
    }
    if wire.address.is_empty() {
        return Err(Malformed::missing("address"));
    }
    let address: Result<Address, _> = wire.address.parse();
    address.map_err(|error| Malformed::new("address", format!("is wrong: {error}")))?;
    if !(wire.metrics.is_empty() || is_host_and_port(&wire.metrics)) {
        let what = format!("is `{}`; it is a host and a port, like `jetson-7:9600`", wire.metrics);
        return Err(Malformed::new("metrics", what));
    }
    labels("labels", &wire.labels)?;
    Ok(StoredBoard {
        name,
        address: wire.address,
        labels: wire.labels,
        stand_in: wire.stand_in,
        simulate: wire.simulate,
        metrics: wire.metrics,
        lease_id: new_id(),
        registered_at_ms: now_ms(),
    })
}

fn is_host_and_port(text: &str) -> bool {
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', ' ', '@']);
    text.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok())
}

/// What a job asks for.
pub(crate) fn job(spec: &v1::JobSpec) -> Result<(), Malformed> {
    labels("boards", &spec.boards)?;
    let problem = spec.problem.as_ref().ok_or_else(|| Malformed::missing("problem"))?;
    problem_from_wire(problem).map_err(|error| match error.field.as_str() {
        "problem" => error,
        _ => error.within("problem"),
    })?;
    alternate_named(&spec.alternate)?;
    if !spec.arrivals.is_empty() && !ARRIVALS.contains(&spec.arrivals.as_str()) {
        let what = format!("is none of {}", ARRIVALS.join(", "));
        return Err(Malformed::new("arrivals", what));
    }
    if !spec.strategy.is_empty() {
        fulcrum_search::recipe(&spec.strategy)
            .map_err(|error| Malformed::new("strategy", format!("is an {error}")))?;
    }
    Ok(())
}

/// A site's power budget.
pub(crate) fn site_watts(watts: Option<f64>) -> Result<Option<f64>, Malformed> {
    match watts {
        Some(watts) if !(watts > 0.0 && watts <= MOST_WATTS) => {
            let what = format!("is {watts}; it is above zero, like 150, or left out for no limit");
            Err(Malformed::new("watts", what))
        }
        watts => Ok(watts),
    }
}

fn labels(field: &str, labels: &BTreeMap<String, String>) -> Result<(), Malformed> {
    if labels.len() > MOST_LABELS {
        let what = format!("are {}; at most {MOST_LABELS}", labels.len());
        return Err(Malformed::new(field, what));
    }
    let fits = |text: &str| text.len() <= LONGEST_LABEL && !text.chars().any(char::is_control);
    for (name, value) in labels {
        if name.is_empty() || !fits(name) || name.contains('=') || !fits(value) {
            let shown: String = name.chars().take(LONGEST_LABEL).collect();
            let what = format!(
                "has `{shown}`; a label's name is not empty and has no `=`, and name and value are \
                 at most {LONGEST_LABEL} bytes without control characters"
            );
            return Err(Malformed::new(field, what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> v1::JobSpec {
        v1::JobSpec {
            problem: Some(v1::Problem {
                train: "resnet18".into(),
                power_watts: 30.0,
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_wrong_with_a_job_is_named_by_its_field() {
        assert_eq!(job(&spec()), Ok(()));
        let field = |change: &dyn Fn(&mut v1::JobSpec)| {
            let mut spec = spec();
            change(&mut spec);
            job(&spec).unwrap_err().field
        };
        let power = |watts: f64| {
            move |spec: &mut v1::JobSpec| {
                spec.problem.get_or_insert_default().power_watts = watts;
            }
        };
        assert_eq!(field(&|s| s.problem = None), "problem");
        assert_eq!(field(&power(-30.0)), "problem.power_watts");
        assert_eq!(field(&power(f64::INFINITY)), "problem.power_watts");
        assert_eq!(field(&|s| s.arrivals = "never".into()), "arrivals");
        assert_eq!(field(&|s| s.alternate = "never".into()), "alternate");
        assert_eq!(field(&|s| s.strategy = "'; DROP TABLE jobs;".into()), "strategy");
        assert_eq!(field(&|s| drop(s.boards.insert(String::new(), "x".into()))), "boards");
        assert_eq!(field(&|s| drop(s.boards.insert("x".repeat(10 << 20), "x".into()))), "boards");
        assert!(site_watts(Some(-1.0)).is_err() && site_watts(Some(f64::NAN)).is_err());
        assert_eq!(site_watts(None), Ok(None));
    }

    #[test]
    fn what_is_wrong_with_a_board_is_named_by_its_field() {
        let good = v1::FleetBoard {
            name: "boards/orin-7".into(),
            address: "http://jetson-7:7600".into(),
            ..Default::default()
        };
        assert_eq!(board(good.clone()).unwrap().name, "orin-7");
        let field = |change: &dyn Fn(&mut v1::FleetBoard)| {
            let mut wire = good.clone();
            change(&mut wire);
            board(wire).unwrap_err().field
        };
        assert_eq!(field(&|b| b.name = "orin-7".into()), "name");
        assert_eq!(field(&|b| b.name = "boards/Orin 7".into()), "name");
        assert_eq!(field(&|b| b.address.clear()), "address");
        assert_eq!(field(&|b| b.address = "jetson-7".into()), "address");
        assert_eq!(field(&|b| b.stand_in = "x".repeat(2000)), "stand_in");
        assert_eq!(field(&|b| drop(b.labels.insert("a=b".into(), "x".into()))), "labels");
    }
}
