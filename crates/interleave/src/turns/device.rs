//! Who has the device: one worker, and at most one in the background from which it was taken in
//! the midst of a minibatch; or one whose turn stands, and at most one that is preempted by it.

use std::time::Duration;

use super::WorkerId;
use super::standing::Standing;
use crate::moment::Moment;

/// Who has the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) worker: WorkerId,
    pub(super) grant: u64,
    /// How many requests it may answer.
    pub(super) requests: u32,
    /// When the turn is revoked, unless that was done.
    pub(super) limit: Moment,
    pub(super) revoked: bool,
    /// When it should have ended, whatever happens.
    pub(super) due: Moment,
    /// When it has to make way for another background worker.
    pub(super) slice: Moment,
    /// Whether it is measured.
    pub(super) measured: bool,
    /// How long it had waited for this turn, until that is told.
    pub(super) waited: Option<Duration>,
}

/// A device, and who has it.
#[derive(Debug, Default)]
pub(super) struct Device {
    pub(super) holder: Option<Holder>,
    /// Whose turn goes on when the holder's ends, and when it was preempted.
    preempted: Option<(Holder, Moment)>,
    /// Who preempts the holder by itself.
    pub(super) standing: Option<Standing>,
}

impl Device {
    pub(super) const fn holder(&self) -> Option<Holder> {
        self.holder
    }

    /// Whether it is a worker's turn, though the device may have been taken from it.
    pub(super) fn is_turn_of(&self, worker: WorkerId) -> bool {
        self.stands(worker) || self.turns().any(|turn| turn.worker == worker)
    }

    /// Whether a worker's turn stands.
    pub(super) fn stands(&self, worker: WorkerId) -> bool {
        self.standing.as_ref().is_some_and(|standing| standing.worker == worker)
    }

    /// Whether a turn that stood was revoked and is not over.
    pub(super) fn is_to_be_given_back(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| standing.revoked.is_some())
    }

    /// Since when a worker's turn has been preempted, if it is.
    pub(super) fn preempted_since(&self, worker: WorkerId) -> Option<Moment> {
        self.preempted.filter(|(turn, _)| turn.worker == worker).map(|(_, since)| since)
    }

    /// From whom the holder took the device.
    pub(super) fn preempted(&self) -> Option<WorkerId> {
        self.preempted.map(|(turn, _)| turn.worker)
    }

    fn turns(&self) -> impl Iterator<Item = &Holder> {
        self.holder.iter().chain(self.preempted.iter().map(|(turn, _)| turn))
    }

    /// A worker's turn of that name.
    pub(super) fn turn(&mut self, worker: WorkerId, grant: u64) -> Option<&mut Holder> {
        let turns = self.holder.iter_mut().chain(self.preempted.iter_mut().map(|(turn, _)| turn));
        turns.into_iter().find(|turn| turn.worker == worker && turn.grant == grant)
    }

    /// Gives the device to a worker; whoever has it is preempted.
    pub(super) fn give(&mut self, now: Moment, to: Holder) {
        if let Some(preempted) = self.holder.replace(to) {
            self.preempted = Some((preempted, now));
        }
    }

    /// The holder's turn goes on as this one.
    pub(super) fn keep(&mut self, holder: Holder) {
        self.holder = Some(holder);
    }

    /// The holder stood still for so long, and has as much longer.
    pub(super) fn stood_still(&mut self, time: Duration) {
        if let Some(holder) = &mut self.holder {
            holder.due = holder.due + time;
            holder.slice = holder.slice + time;
        }
    }

    /// A worker's turn is over. One that was preempted by it goes on, and has as much longer.
    pub(super) fn end(&mut self, now: Moment, worker: WorkerId) {
        self.standing.take_if(|standing| standing.worker == worker);
        self.preempted = self.preempted.filter(|(turn, _)| turn.worker != worker);
        if self.holder.is_some_and(|holder| holder.worker == worker) {
            self.holder = self.preempted.take().map(|(turn, since)| Holder {
                due: turn.due + now.since(since),
                slice: turn.slice + now.since(since),
                ..turn
            });
        }
    }
}
