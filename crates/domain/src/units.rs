//! Physical quantities as types, so that a watt is never added to a second.
//!
//! Each holds a finite, non-negative `f64` in its SI base unit once it has been parsed; arithmetic
//! inside the crate may produce anything a subtraction can. Text always carries its unit
//! (`30W`, `800ms`); a bare number is refused, except for a rate, where `60` means 60 per second.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::str::FromStr;

/// Why a text is not a quantity. The message says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {problem}; write it like {example}")]
pub struct UnitError {
    text: String,
    problem: &'static str,
    example: &'static str,
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);
            /// More than any real amount: the neutral element of a minimum.
            pub const INFINITY: Self = Self(f64::INFINITY);

            /// From a number in the base unit.
            pub const fn new(value: f64) -> Self {
                Self(value)
            }

            /// The number in the base unit.
            pub const fn get(self) -> f64 {
                self.0
            }

            /// The larger of the two.
            #[must_use]
            pub fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }

            /// The smaller of the two.
            #[must_use]
            pub fn min(self, other: Self) -> Self {
                Self(self.0.min(other.0))
            }

            /// A total order (NaN last), for sorting.
            pub fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.total_cmp(&other.0)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }
        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }
        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                Self(iter.map(|q| q.0).sum())
            }
        }
    };
}

quantity! {
    /// A length of time, in seconds.
    Seconds
}
quantity! {
    /// Power, in watts.
    Watts
}
quantity! {
    /// How often something happens, per second: an arrival rate of requests, or a throughput of
    /// minibatches.
    Hertz
}

impl Seconds {
    /// From a number of milliseconds.
    pub const fn from_millis(millis: f64) -> Self {
        Self(millis / 1000.0)
    }

    /// The number of milliseconds.
    pub const fn as_millis(self) -> f64 {
        self.0 * 1000.0
    }
}

impl Hertz {
    /// The time between two events.
    pub const fn period(self) -> Seconds {
        Seconds(1.0 / self.0)
    }
}

/// Splits `800ms` into `800` and `ms`, and checks that the number is a positive, finite one.
fn number_and_unit<'a>(text: &'a str, example: &'static str) -> Result<(f64, &'a str), UnitError> {
    let fail = |problem| UnitError { text: text.to_owned(), problem, example };
    let trimmed = text.trim();
    let split =
        trimmed.find(|c: char| !(c.is_ascii_digit() || ".+-".contains(c))).unwrap_or(trimmed.len());
    // `1e3W`: an exponent is a letter, but belongs to the number.
    let split = match trimmed[split..].strip_prefix(['e', 'E']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
            let digits =
                rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1) + 1;
            split + 1 + digits
        }
        _ => split,
    };
    let (number, unit) = trimmed.split_at(split);
    let value: f64 = number.parse().map_err(|_| fail("is not a number with a unit"))?;
    if !value.is_finite() || value <= 0.0 {
        return Err(fail("must be greater than zero"));
    }
    Ok((value, unit.trim()))
}

/// Finds the unit's factor to the base unit, or says which units there are.
fn parse(text: &str, units: &[(&str, f64)], example: &'static str) -> Result<f64, UnitError> {
    let (value, unit) = number_and_unit(text, example)?;
    let fail = |problem| UnitError { text: text.to_owned(), problem, example };
    let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor);
    match factor {
        Some(factor) => {
            let value = value * factor;
            if value > 0.0 && value.is_finite() { Ok(value) } else { Err(fail("is out of range")) }
        }
        None if unit.is_empty() => Err(fail("has no unit")),
        None => Err(fail("has a unit that is not known here")),
    }
}

impl FromStr for Watts {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse(text, &[("W", 1.0), ("w", 1.0), ("mW", 1e-3), ("kW", 1e3)], "30W or 7500mW").map(Self)
    }
}

impl FromStr for Seconds {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse(text, &[("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6)], "800ms or 1.5s")
            .map(Self)
    }
}

impl FromStr for Hertz {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse(text, &[("", 1.0), ("Hz", 1.0), ("/s", 1.0), ("kHz", 1e3)], "60 or 60/s").map(Self)
    }
}

/// Writes a number with at most as many decimals as the formatter's precision (2 unless told), no
/// trailing zeros, and pads it to the formatter's width, to the right unless told. One that would
/// read as zero or be longer than anyone reads is written with an exponent.
///
/// `Formatter::pad` would take the precision for a maximal width and cut the text.
fn write_quantity(f: &mut fmt::Formatter<'_>, value: f64, unit: &str) -> fmt::Result {
    let decimals = f.precision().unwrap_or(2);
    let plain = format!("{value:.decimals$}");
    let vanishes = value != 0.0 && plain.bytes().all(|byte| b"-0.".contains(&byte));
    let exponential = value.is_finite() && (vanishes || value.abs() >= 1e9);
    let number = if exponential { format!("{value:.2e}") } else { plain };
    let (digits, exponent) = number.split_at(number.find('e').unwrap_or(number.len()));
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    let text = format!("{digits}{exponent}{unit}");
    match (f.width(), f.align()) {
        (Some(width), Some(fmt::Alignment::Left)) => write!(f, "{text:<width$}"),
        (Some(width), _) => write!(f, "{text:>width$}"),
        (None, _) => f.write_str(&text),
    }
}

impl fmt::Display for Watts {
    /// `18.4W`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quantity(f, self.0, "W")
    }
}

impl fmt::Display for Seconds {
    /// `1.25s`, `83.4ms` or `12.5us`, whichever reads best.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.abs();
        if magnitude >= 1.0 || magnitude == 0.0 || !magnitude.is_finite() {
            write_quantity(f, self.0, "s")
        } else if magnitude >= 1e-3 {
            write_quantity(f, self.0 * 1e3, "ms")
        } else {
            write_quantity(f, self.0 * 1e6, "us")
        }
    }
}

impl fmt::Display for Hertz {
    /// `60/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quantity(f, self.0, "/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_read_with_its_unit() {
        assert_eq!("30W".parse(), Ok(Watts::new(30.0)));
        assert_eq!(" 7500 mW ".parse(), Ok(Watts::new(7.5)));
        assert_eq!("1e1W".parse(), Ok(Watts::new(10.0)));
        assert_eq!("800ms".parse(), Ok(Seconds::new(0.8)));
        assert_eq!("1.5s".parse(), Ok(Seconds::new(1.5)));
        assert_eq!("60".parse(), Ok(Hertz::new(60.0)));
        assert_eq!("60/s".parse(), Ok(Hertz::new(60.0)));
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_what_would_be_right() {
        let message = |text: &str| text.parse::<Watts>().expect_err(text).to_string();
        assert_eq!(message("30"), "`30` has no unit; write it like 30W or 7500mW");
        assert_eq!(message("0W"), "`0W` must be greater than zero; write it like 30W or 7500mW");
        for text in ["", "W", "-3W", "NaNW", "infW", "30ms", "1e400W", "1e-400W", "3..0W", "3e"] {
            assert!(text.parse::<Watts>().is_err(), "{text}");
        }
        assert!("0".parse::<Hertz>().is_err());
    }

    #[test]
    fn a_quantity_prints_short_and_pads() {
        assert_eq!(Watts::new(18.40).to_string(), "18.4W");
        assert_eq!(Seconds::new(0.0834).to_string(), "83.4ms");
        assert_eq!(Seconds::new(1.25).to_string(), "1.25s");
        assert_eq!(format!("{:>8.1}", Watts::new(18.44)), "   18.4W");
        assert_eq!(format!("{:.0}", Hertz::new(60.0)), "60/s");
        assert_eq!(Watts::new(0.001).to_string(), "1e-3W");
        assert_eq!(Hertz::new(2.5e12).to_string(), "2.5e12/s");
        assert_eq!(Hertz::new(0.0).to_string(), "0/s");
    }
}
