//! A job as a file of TOML.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;

use fulcrum_api::v1;
use fulcrum_domain::{Hertz, Seconds, Watts};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::exit::Failure;

/// What a file of a job says. Quantities carry their unit, as on the command line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct JobFile {
    pub(crate) name: String,
    #[serde(default)]
    train: String,
    #[serde(default)]
    infer: String,
    #[serde(default)]
    background_infer: String,
    rate: Option<Quantity<Hertz>>,
    latency: Option<Quantity<Seconds>>,
    power: Quantity<Watts>,
    /// The largest share of time that inference may take.
    #[serde(default)]
    most_utilisation: f64,
    #[serde(default)]
    arrivals: String,
    #[serde(default)]
    alternate: String,
    #[serde(default)]
    strategy: String,
    /// Labels that the job's boards have.
    #[serde(default)]
    boards: BTreeMap<String, String>,
    #[serde(default)]
    board_count: u32,
    #[serde(default)]
    at_a_time: u32,
}

impl JobFile {
    /// Reads a file; what is wrong is named with its line.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::of_file("FILE", path, &error))?;
        Self::parse(&text).map_err(|(line, problem)| {
            Failure::bad_input(format_args!("{}:{line}: {problem}", path.display()))
        })
    }

    /// A job from text, or the line and what is wrong there.
    pub(crate) fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text[..at].matches('\n').count() + 1;
            (line, error.message().to_owned())
        })
    }

    /// As the scheduler is told.
    pub(crate) fn spec(&self) -> v1::JobSpec {
        v1::JobSpec {
            boards: self.boards.clone(),
            board_count: self.board_count,
            problem: Some(v1::Problem {
                train: self.train.clone(),
                infer: self.infer.clone(),
                background_infer: self.background_infer.clone(),
                rate_hertz: self.rate.as_ref().map_or(0.0, |rate| rate.0.get()),
                latency_seconds: self.latency.as_ref().map_or(0.0, |latency| latency.0.get()),
                power_watts: self.power.0.get(),
                most_utilisation_ratio: self.most_utilisation,
            }),
            alternate: self.alternate.clone(),
            arrivals: self.arrivals.clone(),
            strategy: self.strategy.clone(),
            at_a_time: self.at_a_time,
        }
    }
}

/// A quantity with its unit; a bare number where the quantity allows it.
#[derive(Debug, Clone)]
struct Quantity<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Quantity<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Texts(PhantomData)).map(Self)
    }
}

struct Texts<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Texts<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a quantity with its unit, in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "gate"
train = "resnet18"
infer = "mobilenet_v3"
rate = 60
latency = "800ms"
power = "30W"
arrivals = "poisson"
at-a-time = 2
[boards]
site = "lab"
"#;

    #[test]
    fn a_file_says_what_a_job_asks_for() {
        let file = JobFile::parse(GOOD).unwrap();
        let spec = file.spec();
        let problem = spec.problem.unwrap();
        assert_eq!((file.name.as_str(), spec.at_a_time), ("gate", 2));
        assert_eq!(problem.rate_hertz, 60.0);
        assert_eq!((problem.latency_seconds, problem.power_watts), (0.8, 30.0));
        assert_eq!(spec.boards["site"], "lab");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let wrong = |from: &str, to: &str| JobFile::parse(&GOOD.replace(from, to)).unwrap_err();
        let (line, problem) = wrong("\"30W\"", "\"30V\"");
        assert_eq!(line, 7);
        assert!(problem.contains("30V") && problem.contains("30W or 7500mW"), "{problem}");
        let (line, problem) = wrong("\"800ms\"", "0.8");
        assert!(line == 6 && problem.contains("has no unit"), "{line}: {problem}");
        let (line, problem) = wrong("arrivals", "arivals");
        assert!(line == 8 && problem.contains("arivals") && problem.contains("arrivals"));
        let (_, problem) = wrong("power = \"30W\"\n", "");
        assert!(problem.contains("power"), "{problem}");
    }
}
