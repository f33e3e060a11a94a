//! The fields of a profile table's rows: texts become quantities, or the table is wrong.

use fulcrum_domain::{Seconds, Watts};

use crate::table_error::{TableProblem, shown_field};
use crate::table_levels::Levels;

/// What is used again for every row.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The numbers of the row's levels.
    pub(crate) levels: Vec<u16>,
    number: String,
}

impl Scratch {
    /// A time that is written in milliseconds, rounded once: the decimal point is moved in the
    /// text, so that every number of seconds has a text that is read as exactly it.
    pub(crate) fn seconds_of_millis(&mut self, text: &str) -> Result<Seconds, TableProblem> {
        const EXAMPLE: &str = "milliseconds like 83.4";
        self.number.clear();
        self.number.push_str(text);
        self.number.push_str("e-3");
        let seconds = match self.number.parse::<f64>() {
            Ok(seconds) => seconds,
            // It has an exponent of its own, or is no number.
            Err(_) => number(text, EXAMPLE)? / 1000.0,
        };
        positive(seconds, text, EXAMPLE).map(Seconds::new)
    }
}

/// The text without the blanks around it. Most texts have none, which two bytes tell.
pub(crate) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}

pub(crate) fn watts(text: &str) -> Result<Watts, TableProblem> {
    const EXAMPLE: &str = "watts like 18.4";
    positive(number(text, EXAMPLE)?, text, EXAMPLE).map(Watts::new)
}

/// A relative standard error. The negative zero becomes the positive one.
pub(crate) fn relative_error(text: &str) -> Result<f64, TableProblem> {
    const EXAMPLE: &str = "a share like 0.02, or 0 for an exact reading";
    let value = finite(number(text, EXAMPLE)?, text, EXAMPLE)?;
    if value < 0.0 {
        return Err(TableProblem::Negative { text: shown_field(text), example: EXAMPLE });
    }
    Ok(value + 0.0)
}

pub(crate) fn level(levels: &mut Levels, text: &str) -> Result<u16, TableProblem> {
    const EXAMPLE: &str = "a knob's level like 1300500 (a column that is not reserved is a knob)";
    match levels.seen(text) {
        Some(number) => Ok(number),
        None => {
            let value = finite(number(text, EXAMPLE)?, text, EXAMPLE)?;
            levels.add(text, value).ok_or(TableProblem::TooManyLevels)
        }
    }
}

fn number(text: &str, example: &'static str) -> Result<f64, TableProblem> {
    text.parse().map_err(|_| TableProblem::NotANumber { text: shown_field(text), example })
}

fn finite(value: f64, text: &str, example: &'static str) -> Result<f64, TableProblem> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(TableProblem::NotFinite { text: shown_field(text), example })
    }
}

fn positive(value: f64, text: &str, example: &'static str) -> Result<f64, TableProblem> {
    let value = finite(value, text, example)?;
    if value > 0.0 {
        Ok(value)
    } else {
        Err(TableProblem::NotPositive { text: shown_field(text), example })
    }
}
