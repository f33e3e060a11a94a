//! The levels of a profile table's knobs, and the modes that they make.

use std::collections::HashMap;

use fulcrum_domain::{Knob, ModeSpace, ModeSpaceError};

/// One level of a knob as it is written, and the one that came after it last.
#[derive(Debug)]
struct Written {
    text: Box<str>,
    number: u16,
    followed_by: usize,
}

/// The levels of one knob, numbered as they turn up.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    values: Vec<f64>,
    by_bits: HashMap<u64, u16>,
    /// The same level may be written in several ways (`12`, `12.0`); each is parsed once.
    written: Vec<Written>,
    by_text: HashMap<Box<str>, usize>,
    last: usize,
}

impl Levels {
    /// The number of the level that a text stands for, if the text was seen before.
    pub(crate) fn seen(&mut self, text: &str) -> Option<u16> {
        let last = self.written.get(self.last)?;
        let place = [self.last, last.followed_by]
            .into_iter()
            .find(|&guess| &*self.written[guess].text == text)
            .or_else(|| self.by_text.get(text).copied())?;
        if place != self.last {
            self.written[self.last].followed_by = place;
            self.last = place;
        }
        Some(self.written[place].number)
    }

    /// The number of the level that a new text stands for; none if there are too many.
    pub(crate) fn add(&mut self, text: &str, value: f64) -> Option<u16> {
        // Adding 0.0 makes the negative zero the positive one.
        let bits = (value + 0.0).to_bits();
        let number = match self.by_bits.get(&bits) {
            Some(&number) => number,
            None => {
                let number = u16::try_from(self.values.len()).ok()?;
                self.values.push(value + 0.0);
                self.by_bits.insert(bits, number);
                number
            }
        };
        self.by_text.insert(text.into(), self.written.len());
        self.written.push(Written { text: text.into(), number, followed_by: 0 });
        self.seen(text)
    }
}

/// The numbers of the levels put in the order of their values, so that each mode has its place
/// among all combinations of levels, the first knob counting most.
#[derive(Debug)]
pub(crate) struct Ranking {
    /// For each knob and number of a level, what it adds to the rank.
    steps: Vec<Vec<u32>>,
    sorted: Vec<Vec<f64>>,
}

impl Ranking {
    /// None if there are too many combinations to number.
    pub(crate) fn of(knobs: &[Levels]) -> Option<Self> {
        let mut stride: u32 = 1;
        let mut ranking = Self { steps: Vec::new(), sorted: Vec::new() };
        for knob in knobs.iter().rev() {
            let mut order: Vec<usize> = (0..knob.values.len()).collect();
            order.sort_by(|&a, &b| knob.values[a].total_cmp(&knob.values[b]));
            let mut steps = vec![0; order.len()];
            for (place, &number) in order.iter().enumerate() {
                steps[number] = stride.checked_mul(place as u32)?;
            }
            ranking.sorted.push(order.iter().map(|&number| knob.values[number]).collect());
            ranking.steps.push(steps);
            stride = stride.checked_mul(u32::try_from(order.len()).ok()?)?;
        }
        ranking.steps.reverse();
        ranking.sorted.reverse();
        Some(ranking)
    }

    /// The place of a mode, by the numbers of its levels.
    pub(crate) fn rank(&self, levels: &[u16]) -> u32 {
        self.steps.iter().zip(levels).map(|(steps, &number)| steps[usize::from(number)]).sum()
    }

    /// The space of the modes with these ranks, ascending and without repetitions.
    pub(crate) fn space(
        &self,
        names: &[String],
        ranks: &[u32],
    ) -> Result<ModeSpace, ModeSpaceError> {
        let combinations: usize = self.sorted.iter().map(Vec::len).product();
        if combinations == ranks.len() {
            // There is no hole, and so nothing to look for.
            let knobs = names.iter().zip(&self.sorted);
            let knobs = knobs.map(|(name, levels)| Knob::new(name.clone(), levels.iter().copied()));
            return ModeSpace::full_grid(knobs.collect::<Result<_, _>>()?);
        }
        let modes: Vec<Vec<f64>> = ranks.iter().map(|&rank| self.levels(rank)).collect();
        ModeSpace::from_modes(names, &modes)
    }

    fn levels(&self, rank: u32) -> Vec<f64> {
        let mut rest = rank as usize;
        let from_last = self.sorted.iter().rev().map(|levels| {
            let level = levels[rest % levels.len()];
            rest /= levels.len();
            level
        });
        let mut levels: Vec<f64> = from_last.collect();
        levels.reverse();
        levels
    }
}
