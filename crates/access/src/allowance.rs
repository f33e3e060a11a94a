//! How often something may be done: so many times at once, and so many a second after that.

use std::collections::HashMap;
use std::time::Duration;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// So often a second, in the long run.
    pub a_second: f64,
    /// So often at once.
    pub at_once: f64,
}

/// What is left of an allowance.
#[derive(Debug, Clone, Copy)]
struct Left {
    times: f64,
    at: Duration,
}

/// The same allowance for each of many. Those who have all of it are forgotten when there are too
/// many to remember.
#[derive(Debug)]
pub struct Allowances {
    allowance: Allowance,
    most: usize,
    left: HashMap<String, Left>,
}

impl Allowances {
    /// An allowance for each of at most so many who are remembered.
    pub fn new(allowance: Allowance, most: usize) -> Self {
        Self { allowance, most, left: HashMap::new() }
    }

    /// Whether somebody may once more, at a moment of a clock that never goes back.
    pub fn take(&mut self, who: &str, now: Duration) -> bool {
        let Allowance { a_second, at_once } = self.allowance;
        let refilled = |left: &Left| {
            (left.times + now.saturating_sub(left.at).as_secs_f64() * a_second).min(at_once)
        };
        if !self.left.contains_key(who) && self.left.len() >= self.most {
            self.left.retain(|_, left| refilled(left) < at_once);
            // With as many as that who all ask, a new one has to wait.
            if self.left.len() >= self.most {
                return false;
            }
        }
        let full = Left { times: at_once, at: now };
        let left = self.left.entry(who.to_owned()).or_insert(full);
        let times = refilled(left);
        let may = times >= 1.0;
        *left = Left { times: if may { times - 1.0 } else { times }, at: now.max(left.at) };
        may
    }

    /// How many are remembered.
    pub fn remembered(&self) -> usize {
        self.left.len()
    }
}
