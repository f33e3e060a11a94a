//! How many connections there are, in all and of each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::Limits;
use crate::metrics::Counts;

/// The places for connections to one address.
#[derive(Debug, Clone)]
pub(crate) struct Seats {
    limits: Limits,
    taken: Arc<Mutex<Taken>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<String, usize>,
}

/// A connection's place, which is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    taken: Arc<Mutex<Taken>>,
    counts: Arc<Counts>,
    who: String,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// For anybody.
    All,
    /// For this one.
    Each,
}

impl Seats {
    pub(crate) fn new(limits: Limits, counts: Arc<Counts>) -> Self {
        Self { limits, taken: Arc::default(), counts }
    }

    /// A place for one more connection from there.
    pub(crate) fn take(&self, from: String) -> Result<Seat, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.limits.connections {
            return Err(Full::All);
        }
        let own = taken.each.entry(from.clone()).or_default();
        if *own >= self.limits.connections_each {
            return Err(Full::Each);
        }
        *own += 1;
        taken.all += 1;
        self.counts.opened();
        Ok(Seat { taken: self.taken.clone(), counts: self.counts.clone(), who: from })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.counts.ended();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(own) = taken.each.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.each.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_takes_no_more_than_its_own_places_and_all_no_more_than_there_are() {
        let limits = Limits { connections: 3, connections_each: 2, calls_a_second: 1.0 };
        let seats = Seats::new(limits, Arc::default());
        let first = seats.take("a".into()).unwrap();
        let _second = seats.take("a".into()).unwrap();
        assert_eq!(seats.take("a".into()).unwrap_err(), Full::Each);
        let _third = seats.take("b".into()).unwrap();
        assert_eq!(seats.take("c".into()).unwrap_err(), Full::All);
        drop(first);
        seats.take("c".into()).unwrap();
        assert_eq!(seats.taken.lock().unwrap().each.len(), 2, "who has left is forgotten");
    }
}
