//! Strategies that are written as if measuring were a call.
//!
//! A procedure measures through a [`Probe`] and goes on with the profile. Where the profile is not
//! known yet, the probe halts the procedure with the measurement that is needed; once told, the
//! procedure runs again from its start over what is now known, and comes one measurement further.
//! So a procedure has no state of its own: it is a function of what was measured, it resumes
//! anywhere, and it never asks twice. Running it again is a few dozen look-ups.

use fulcrum_domain::{BatchSize, Measurement, ModeId, Profile, Profiles, Reading, Role};

use crate::conclusion::conclude;
use crate::log::Log;
use crate::strategy::{Step, Strategy};
use crate::task::Task;

/// Why a procedure stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// This has to be measured first.
    Needs(Measurement),
    /// The allowance has no room for what it wanted.
    Spent,
}

/// What a procedure measures through.
#[derive(Debug)]
pub struct Probe<'a> {
    task: &'a Task,
    log: &'a Log,
}

impl Probe<'_> {
    /// The profile of a role at a mode and a batch size (which counts for the urgent role alone);
    /// none if measuring it failed.
    ///
    /// # Errors
    /// Halts the procedure when it has to be measured first, or may not be.
    pub fn measure(
        &self,
        mode: ModeId,
        role: Role,
        batch: BatchSize,
    ) -> Result<Option<Profile>, Halt> {
        let measurement = self.task.setting.measurement(mode, role, batch);
        match self.log.reading(&measurement) {
            Some(reading) => Ok(reading.ok()),
            None if self.log.affords(self.task.allowance, mode) => Err(Halt::Needs(measurement)),
            None => Err(Halt::Spent),
        }
    }

    /// The profile of a role at a mode and a batch size, if it is known; nothing is measured.
    pub fn known(&self, mode: ModeId, role: Role, batch: BatchSize) -> Option<Profile> {
        self.log.profile(&self.task.setting.measurement(mode, role, batch))
    }

    /// Everything known.
    pub fn log(&self) -> &Log {
        self.log
    }
}

/// A strategy as a procedure: it measures what it wants known and ends.
pub type Procedure = fn(&Task, &Probe<'_>) -> Result<(), Halt>;

/// Makes a [`Strategy`] of a procedure. Its answer is the best plan that was measured.
#[derive(Debug)]
pub struct ByProcedure {
    task: Task,
    procedure: Procedure,
    log: Log,
}

impl ByProcedure {
    /// Starts a procedure on a task.
    pub fn new(task: Task, procedure: Procedure) -> Self {
        Self { task, procedure, log: Log::new() }
    }
}

impl Strategy for ByProcedure {
    fn ask(&mut self) -> Step {
        let probe = Probe { task: &self.task, log: &self.log };
        match (self.procedure)(&self.task, &probe) {
            Err(Halt::Needs(measurement)) => Step::Measure(measurement),
            Ok(()) | Err(Halt::Spent) => Step::Done(conclude(&self.task, self.log.profiles())),
        }
    }

    fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.log.note(measurement, reading);
    }

    fn profiles(&self) -> &Profiles {
        self.log.profiles()
    }
}
