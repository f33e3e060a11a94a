//! Control of the board: who may change it, what is set, and that it goes back.
//!
//! Everything that changes the board passes through here, one thing at a time: the lease decides
//! who, the gate whether, the journal that it can be undone, the guards when it has to step down.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use fulcrum_board::{
    Clock as _, Levels, ModeChange, Moment, Override, Sample, Sensor, SetError, SystemClock,
};
use fulcrum_domain::{ModeId, ModeSpace};
use tokio::sync::{Mutex, Notify};

use crate::board_thread::{BoardGone, BoardHandle};
use crate::guard::{Guard, GuardLimits};
use crate::journal::Journal;
use crate::lease::{Held, Lease, LeaseBook, NotHeld};
use crate::limits::{Limits, ModeGate, Refusal};

/// So many actions of the guards are remembered.
const REMEMBERED: usize = 32;

/// Why control was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error(transparent)]
    Held(#[from] Held),
    #[error(transparent)]
    NotHeld(#[from] NotHeld),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Set(#[from] SetError),
    #[error("the board is not yet as it was found: {0}; nobody may change it until it is")]
    Unrestored(String),
    #[error("the state found could not be written down, so nothing was changed: {0}")]
    Journal(std::io::Error),
    #[error(transparent)]
    BoardGone(#[from] BoardGone),
}

/// What a guard did.
#[derive(Debug, Clone)]
pub(crate) struct GuardAction {
    pub(crate) time: SystemTime,
    pub(crate) reason: String,
    pub(crate) mode: ModeId,
}

/// How control stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) wanted: Option<ModeId>,
    pub(crate) lease: Option<Lease>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) guard_actions: Vec<GuardAction>,
    pub(crate) unrestored: Option<String>,
    pub(crate) counts: Counts,
}

/// What has happened since the agent started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) mode_changes: u64,
    pub(crate) failed_mode_changes: u64,
    pub(crate) restores: u64,
    pub(crate) failed_restores: u64,
    pub(crate) guard_actions: u64,
    pub(crate) leases: u64,
    pub(crate) expired_leases: u64,
}

struct State {
    leases: LeaseBook,
    gate: ModeGate,
    guard: Guard,
    /// The mode in force, with what was written for each knob.
    wanted: Option<(ModeId, Vec<f64>)>,
    overrides: Vec<Override>,
    guard_actions: VecDeque<GuardAction>,
    /// Why the board is not as it was found though nobody holds it.
    unrestored: Option<String>,
    counts: Counts,
}

/// Control of one board.
pub(crate) struct Control {
    board: BoardHandle,
    /// Leases, limits and guards go by real time, whatever clock the board has.
    clock: SystemClock,
    journal: Journal,
    came_into_force: Notify,
    lease_taken: Notify,
    state: Mutex<State>,
}

impl Control {
    pub(crate) fn new(
        board: BoardHandle,
        journal: Journal,
        limits: Limits,
        guards: GuardLimits,
    ) -> Self {
        let state = State {
            leases: LeaseBook::default(),
            gate: ModeGate::new(limits),
            guard: Guard::new(guards),
            wanted: None,
            overrides: Vec::new(),
            guard_actions: VecDeque::new(),
            unrestored: None,
            counts: Counts::default(),
        };
        Self {
            board,
            clock: SystemClock::new(),
            journal,
            came_into_force: Notify::new(),
            lease_taken: Notify::new(),
            state: Mutex::new(state),
        }
    }

    /// Puts back what an earlier agent left changed. Called once, before anybody is served.
    pub(crate) async fn recover(&self) -> Result<(), BoardGone> {
        let mut state = self.state.lock().await;
        if self.journal.path().exists() {
            tracing::warn!(
                journal = %self.journal.path().display(),
                "an earlier agent left the board changed; putting it back"
            );
        }
        self.restore(&mut state).await
    }

    /// The journal of the state found.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// When a lease ends, by the wall clock.
    pub(crate) fn wall(&self, moment: Moment) -> SystemTime {
        SystemTime::now() + moment.since(self.clock.now())
    }

    /// Takes the lease.
    pub(crate) async fn take(
        &self,
        holder: &str,
        duration: Duration,
        request_id: &str,
        token: String,
    ) -> Result<Lease, ControlError> {
        let mut state = self.state.lock().await;
        self.end_expired(&mut state).await?;
        if let Some(why) = &state.unrestored {
            return Err(ControlError::Unrestored(why.clone()));
        }
        let known = state.leases.current().map(|lease| lease.token.clone());
        let lease = state.leases.take(holder, duration, request_id, token, self.clock.now())?;
        if known.as_ref() != Some(&lease.token) {
            state.counts.leases += 1;
            self.lease_taken.notify_one();
            tracing::info!(holder, "lease taken");
        }
        Ok(lease)
    }

    /// Puts off the end of the lease.
    pub(crate) async fn renew(&self, token: &str) -> Result<Lease, ControlError> {
        let mut state = self.state.lock().await;
        self.end_expired(&mut state).await?;
        Ok(state.leases.renew(token, self.clock.now())?)
    }

    /// Ends the lease and puts the board back; no error if it has ended before.
    pub(crate) async fn release(&self, token: &str) -> Result<(), ControlError> {
        let mut state = self.state.lock().await;
        if state.leases.release(token) {
            tracing::info!("lease released");
            self.restore(&mut state).await?;
        }
        match &state.unrestored {
            Some(why) => Err(ControlError::Unrestored(why.clone())),
            None => Ok(()),
        }
    }

    /// Whether the limits let a mode pass now, whoever asks.
    pub(crate) async fn admits(&self, space: &ModeSpace, mode: ModeId) -> Result<(), ControlError> {
        Ok(self.state.lock().await.gate.admit(space, mode, self.clock.now())?)
    }

    /// Whether a mode could be set with a lease, without setting it.
    pub(crate) async fn validate(
        &self,
        token: &str,
        space: &ModeSpace,
        mode: ModeId,
    ) -> Result<(), ControlError> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        self.end_expired(&mut state).await?;
        state.leases.holds(token, now)?;
        Ok(state.gate.admit(space, mode, now)?)
    }

    /// Sets a mode.
    pub(crate) async fn set(
        &self,
        token: &str,
        space: &ModeSpace,
        mode: ModeId,
    ) -> Result<ModeChange, ControlError> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        self.end_expired(&mut state).await?;
        state.leases.holds(token, now)?;
        state.gate.admit(space, mode, now)?;
        self.change(&mut state, mode).await
    }

    /// How control stands, and what the knobs show.
    pub(crate) async fn standing(&self) -> Standing {
        let state = self.state.lock().await;
        Standing {
            wanted: state.wanted.as_ref().map(|(mode, _)| *mode),
            lease: state.leases.current().cloned(),
            overrides: state.overrides.clone(),
            guard_actions: state.guard_actions.iter().cloned().collect(),
            unrestored: state.unrestored.clone(),
            counts: state.counts,
        }
    }

    /// What the knobs show now.
    pub(crate) async fn levels(&self) -> Result<Levels, BoardGone> {
        self.board.run(|board| board.levels()).await
    }

    /// What has to be done again and again: a lease that is over ends, a board that could not be put
    /// back is tried again, and whether the mode still holds is looked at. Says whether there is
    /// anything of that kind left to do.
    pub(crate) async fn look_after(&self) -> Result<bool, BoardGone> {
        let mut state = self.state.lock().await;
        self.end_expired(&mut state).await?;
        if state.unrestored.is_some() {
            self.restore(&mut state).await?;
        }
        if let Some((_, applied)) = state.wanted.clone() {
            let overrides = self.board.run(move |board| board.overrides(&applied)).await?;
            for new in overrides.iter().filter(|o| !state.overrides.contains(o)) {
                tracing::warn!(knob = new.knob, wanted = new.wanted, shown = ?new.shown,
                    suspect = new.suspect.as_str(), "the mode does not hold");
            }
            state.overrides = overrides;
        }
        Ok(state.leases.current().is_some() || state.unrestored.is_some() || state.wanted.is_some())
    }

    /// Returns when somebody has taken the lease, or at once if that was so since the last call.
    pub(crate) async fn lease_taken(&self) {
        self.lease_taken.notified().await;
    }

    /// Returns when a mode has come into force where none was, or at once if that was so since the
    /// last call.
    pub(crate) async fn mode_came_into_force(&self) {
        self.came_into_force.notified().await;
    }

    /// Looks whether the board has to step down, and does. Only a mode that was set here is
    /// changed: what nobody borrowed is not this agent's. Says whether there is such a mode.
    pub(crate) async fn guard(
        &self,
        sensors: &[Sensor],
        sample: &Sample,
        space: &ModeSpace,
    ) -> Result<bool, BoardGone> {
        let mut state = self.state.lock().await;
        let Some((mode, _)) = state.wanted else { return Ok(false) };
        let now = self.clock.now();
        let Some(step) = state.guard.look(sensors, sample, space, mode, now) else {
            return Ok(true);
        };
        tracing::warn!(reason = step.reason, "guard steps down");
        state.counts.guard_actions += 1;
        if state.guard_actions.len() == REMEMBERED {
            state.guard_actions.pop_front();
        }
        state.guard_actions.push_back(GuardAction {
            time: SystemTime::now(),
            reason: step.reason,
            mode: step.mode,
        });
        if step.mode != mode
            && let Err(error) = self.change(&mut state, step.mode).await
        {
            tracing::error!(%error, "the guard could not step down");
        }
        Ok(true)
    }

    /// Ends whatever lease there is and puts the board back, before the agent ends.
    pub(crate) async fn shut_down(&self) -> Result<(), BoardGone> {
        let mut state = self.state.lock().await;
        if let Some(token) = state.leases.current().map(|lease| lease.token.clone()) {
            state.leases.release(&token);
        }
        self.restore(&mut state).await
    }

    async fn end_expired(&self, state: &mut State) -> Result<(), BoardGone> {
        if let Some(lease) = state.leases.expired(self.clock.now()) {
            tracing::warn!(holder = lease.holder, "lease ended without being released");
            state.counts.expired_leases += 1;
            self.restore(state).await?;
        }
        Ok(())
    }

    /// Sets a mode, after the state found is safe on disk.
    async fn change(&self, state: &mut State, mode: ModeId) -> Result<ModeChange, ControlError> {
        if self.journal.read().map_err(ControlError::Journal)?.is_none() {
            let found = self.board.run(|board| board.found_state()).await??;
            self.journal.write(&found).map_err(ControlError::Journal)?;
        }
        let change = self.board.run(move |board| board.set(mode)).await?;
        state.gate.changed(self.clock.now());
        match change {
            Ok(change) => {
                state.counts.mode_changes += 1;
                if state.wanted.is_none() {
                    self.came_into_force.notify_one();
                }
                state.wanted = Some((mode, change.applied.clone()));
                state.overrides.clone_from(&change.overrides);
                Ok(change)
            }
            Err(error) => {
                state.counts.failed_mode_changes += 1;
                // What shows now is neither the old mode nor the new one.
                state.wanted = None;
                state.overrides.clear();
                Err(error.into())
            }
        }
    }

    /// Puts the board back as far as the journal says that it is not as it was found.
    async fn restore(&self, state: &mut State) -> Result<(), BoardGone> {
        state.wanted = None;
        state.overrides.clear();
        let found = match self.journal.read() {
            Ok(None) => {
                state.unrestored = None;
                return Ok(());
            }
            Ok(Some(found)) => found,
            Err(error) => {
                let path = self.journal.path().display();
                state.unrestored = Some(format!("{path} cannot be read: {error}"));
                return Ok(());
            }
        };
        let left = self.board.run(move |board| board.restore(&found)).await?;
        let cleared = match left {
            Ok(()) => self.journal.clear().map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match cleared {
            Ok(()) => {
                state.counts.restores += 1;
                state.unrestored = None;
                tracing::info!("the board is as it was found");
            }
            Err(why) => {
                state.counts.failed_restores += 1;
                if state.unrestored.as_ref() != Some(&why) {
                    tracing::error!(why, "the board could not be put back; trying again");
                }
                state.unrestored = Some(why);
            }
        }
        Ok(())
    }
}
