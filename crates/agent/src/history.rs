//! The samples of the last minutes, kept small.
//!
//! A value takes four bytes: single precision, which is finer than any sensor, and an absence as
//! one of the bit patterns that are no number. Ten minutes of sixty sensors at 10 Hz are 1.5 MB.

use std::collections::VecDeque;
use std::time::Duration;

use fulcrum_board::{Absence, Moment, Sample, SensorValue};

/// No more samples than this are kept, however fast they come.
const MOST: usize = 6_000;

/// Samples of a span of time, the oldest first.
#[derive(Debug)]
pub struct History<N = ()> {
    span: Duration,
    width: usize,
    times: VecDeque<Moment>,
    /// What was noted beside each sample.
    notes: VecDeque<N>,
    /// One row a sample: the total power, then one value a sensor.
    values: VecDeque<f32>,
    /// What was said that is no value, by its place; few, since the texts repeat.
    unreadable: Vec<String>,
}

/// So many different texts of unreadable sensors are told apart.
const TEXTS: usize = 64;
/// The quiet `NaN`s: the lowest bits say which absence.
const ABSENT: u32 = 0x7fc0_0000;

impl<N: Clone> History<N> {
    /// A history of this span, for so many sensors.
    pub fn new(span: Duration, sensors: usize) -> Self {
        Self {
            span,
            width: sensors + 1,
            times: VecDeque::new(),
            notes: VecDeque::new(),
            values: VecDeque::new(),
            unreadable: Vec::new(),
        }
    }

    /// Adds a sample and a note beside it; one of another number of sensors is let pass.
    pub fn push(&mut self, sample: &Sample, note: N) {
        if sample.values.len() + 1 != self.width {
            return;
        }
        self.times.push_back(sample.at);
        self.notes.push_back(note);
        for value in std::iter::once(&sample.total_power).chain(&sample.values) {
            let packed = self.pack(value);
            self.values.push_back(packed);
        }
        while self.times.len() > MOST
            || self.times.front().is_some_and(|first| sample.at.since(*first) > self.span)
        {
            self.times.pop_front();
            self.notes.pop_front();
            self.values.drain(..self.width);
        }
    }

    /// The samples from a moment on with their notes, the oldest first.
    pub fn since(&self, from: Moment) -> impl Iterator<Item = (Sample, N)> + '_ {
        let first = self.times.partition_point(|at| *at < from);
        (first..self.times.len()).map(move |i| {
            let row = self.values.range(i * self.width..(i + 1) * self.width);
            let mut row = row.map(|packed| self.unpack(*packed));
            let total_power = row.next().unwrap_or(Err(Absence::Missing));
            let sample = Sample { at: self.times[i], values: row.collect(), total_power };
            (sample, self.notes[i].clone())
        })
    }

    fn pack(&mut self, value: &SensorValue) -> f32 {
        let absence = match value {
            Ok(value) => return *value as f32,
            Err(absence) => absence,
        };
        let code = match absence {
            Absence::Missing => 1,
            Absence::Stale => 2,
            Absence::Denied => 3,
            Absence::Gated => 4,
            Absence::Unsupported => 5,
            Absence::Unreadable(text) => {
                let known = self.unreadable.iter().position(|own| own == text);
                let place = known.unwrap_or_else(|| {
                    if self.unreadable.len() < TEXTS {
                        self.unreadable.push(text.clone());
                    }
                    self.unreadable.len() - 1
                });
                6 + place as u32
            }
        };
        f32::from_bits(ABSENT | code)
    }

    fn unpack(&self, packed: f32) -> SensorValue {
        if !packed.is_nan() {
            return Ok(f64::from(packed));
        }
        Err(match packed.to_bits() & !ABSENT {
            2 => Absence::Stale,
            3 => Absence::Denied,
            4 => Absence::Gated,
            5 => Absence::Unsupported,
            code @ 6.. => {
                let text = self.unreadable.get(code as usize - 6);
                Absence::Unreadable(text.cloned().unwrap_or_default())
            }
            _ => Absence::Missing,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = SensorValue> {
        prop_oneof![
            // Multiples of an eighth are exact in single precision.
            (0..80_000u32).prop_map(|value| Ok(f64::from(value) / 8.0)),
            Just(Err(Absence::Missing)),
            Just(Err(Absence::Gated)),
            Just(Err(Absence::Denied)),
            "[a-c]".prop_map(|text| Err(Absence::Unreadable(text))),
        ]
    }

    proptest! {
        #[test]
        fn what_was_kept_is_what_was_read(
            samples in prop::collection::vec((0..5_000u64, value(), value(), value()), 1..40),
        ) {
            let span = Duration::from_secs(30);
            let mut history = History::new(span, 2);
            let mut all: Vec<(Sample, u64)> = Vec::new();
            let mut now = 0;
            for (later, total_power, a, b) in samples {
                now += later;
                let at = Moment::after(Duration::from_millis(now));
                let sample = Sample { at, values: vec![a, b], total_power };
                history.push(&sample, now);
                all.push((sample, now));
                all.retain(|(sample, _)| at.since(sample.at) <= span);
            }
            let kept: Vec<(Sample, u64)> = history.since(Moment::START).collect();
            prop_assert_eq!(kept, all);
        }
    }

    #[test]
    fn no_more_are_kept_than_memory_allows() {
        let mut history = History::new(Duration::from_mins(10), 1);
        for i in 0..2 * MOST as u64 {
            let at = Moment::after(Duration::from_millis(10 * i));
            history.push(&Sample { at, values: vec![Ok(1.0)], total_power: Ok(2.0) }, ());
        }
        assert_eq!(history.since(Moment::START).count(), MOST);
    }
}
