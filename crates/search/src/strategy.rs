//! The interface of every strategy: ask for the next measurement, be told what came of it.

use fulcrum_domain::{Front, Measurement, Outcome, Profiles, Reading};

/// What a strategy wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Measure this and tell.
    Measure(Measurement),
    /// The search is over.
    Done(Outcome),
}

/// A search for the plan of one problem.
///
/// The same task and the same readings give the same steps. Asking again without telling gives the
/// same step again.
pub trait Strategy: Send {
    /// The next measurement, or the outcome.
    fn ask(&mut self) -> Step;

    /// What a measurement gave. It need not have been asked for: a profile that is known from
    /// elsewhere is welcome, and is not asked for again.
    fn tell(&mut self, measurement: Measurement, reading: Reading);

    /// What is known before the search: as if it had been told one by one, sooner.
    fn tell_known(&mut self, known: &[(Measurement, Reading)]) {
        for (measurement, reading) in known {
            self.tell(*measurement, *reading);
        }
    }

    /// The profiles that the search has been told of.
    fn profiles(&self) -> &Profiles;
}

/// A search for a front that answers every later problem of one pair of workloads.
pub trait FrontBuilder: Send {
    /// The next measurement, or none when the front is done.
    fn ask(&mut self) -> Option<Measurement>;

    /// What a measurement gave.
    fn tell(&mut self, measurement: Measurement, reading: Reading);

    /// What is known before the search: as if it had been told one by one, sooner.
    fn tell_known(&mut self, known: &[(Measurement, Reading)]) {
        for (measurement, reading) in known {
            self.tell(*measurement, *reading);
        }
    }

    /// The profiles that the search has been told of.
    fn profiles(&self) -> &Profiles;

    /// The front as far as it is built.
    fn front(&self) -> Front;
}

/// Runs a strategy to its end.
pub fn run(
    strategy: &mut dyn Strategy,
    mut measure: impl FnMut(Measurement) -> Reading,
) -> Outcome {
    loop {
        match strategy.ask() {
            Step::Measure(measurement) => strategy.tell(measurement, measure(measurement)),
            Step::Done(outcome) => return outcome,
        }
    }
}

/// Builds a front to its end.
pub fn build(
    builder: &mut dyn FrontBuilder,
    mut measure: impl FnMut(Measurement) -> Reading,
) -> Front {
    while let Some(measurement) = builder.ask() {
        builder.tell(measurement, measure(measurement));
    }
    builder.front()
}
