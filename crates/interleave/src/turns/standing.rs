//! A turn that stands: while nobody else would have to make way for them, a worker answers its
//! requests by itself and asks nobody.

use std::time::Duration;

use fulcrum_domain::{Alternate, WorkloadKind};

use super::worker::Worker;
use super::{Action, Minibatch, NOT_PAST, Preemption, Turns, WorkerId};
use crate::moment::Moment;

/// A number of requests that a minibatch answers, and how long that bears to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many requests.
    pub requests: u32,
    /// How long the oldest may have waited when the minibatch begins.
    pub hold: Duration,
}

impl Size {
    /// How many of the requests that wait, the oldest for so long, a minibatch answers that begins
    /// now: as many as the first size has, or more in a backlog, and fewer when the oldest bears no
    /// longer wait. None while it is better to wait for more. The sizes are ascending.
    pub fn answers(sizes: &[Self], waiting: u32, waited: Duration) -> Option<u32> {
        let first = sizes.first()?;
        if waiting == 0 || (waiting < first.requests && waited < first.hold) {
            return None;
        }
        let late_in_any_case = waited > first.hold;
        let fits =
            |size: &&Self| size.requests <= waiting && (late_in_any_case || waited <= size.hold);
        Some(sizes.iter().rev().find(fits).map_or(waiting, |size| size.requests))
    }
}

/// The turn of the one that answers by itself.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) worker: WorkerId,
    pub(super) grant: u64,
    pub(super) sizes: Vec<Size>,
    /// Until when it has to give its turn back, once it was revoked.
    pub(super) revoked: Option<Moment>,
    /// When it was heard of last.
    pub(super) heard: Moment,
    /// What it ran until then is known.
    pub(super) known_until: Moment,
    /// How long it had waited for this turn, until that is told.
    pub(super) waited: Option<Duration>,
}

impl Standing {
    /// When it should have told of a minibatch, or given its turn back, whatever happens.
    pub(super) fn due(&self, worker: &Worker, now: Moment) -> Moment {
        if let Some(due) = self.revoked {
            return due;
        }
        let Some(&oldest) = worker.queue.front() else { return Moment::NEVER };
        let hold = self.sizes.first().map_or(Duration::ZERO, |size| size.hold);
        self.heard.max(oldest + hold) + worker.patience(worker.largest_batch_size, now)
    }

    /// Whether other sizes differ so much that its worker has to know them.
    pub(super) fn differs(&self, sizes: &[Size], latency_budget: Option<Duration>) -> bool {
        let same = |(a, b): (&Size, &Size)| {
            let tolerated = latency_budget.unwrap_or(Duration::ZERO) / 32;
            a.requests == b.requests && a.hold.abs_diff(b.hold) <= tolerated
        };
        self.sizes.len() != sizes.len() || !self.sizes.iter().zip(sizes).all(same)
    }
}

/// A minibatch of training that was told of while a turn stood: whatever preempted it may be told of
/// later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ahead {
    pub(super) worker: WorkerId,
    pub(super) grant: u64,
    pub(super) minibatch: Minibatch,
    pub(super) waited: Option<Duration>,
}

impl Turns {
    /// Whose turn may stand: the one that answers requests where no other does, and all training
    /// is preempted without a word.
    fn may_stand(&self) -> Option<WorkerId> {
        let promised = self.agreement.terms.iter().any(|terms| terms.latency_budget.is_some());
        let counted = promised && self.agreement.alternate == Alternate::Strict;
        let mut stands = None;
        for (&id, worker) in &self.workers {
            match worker.workload.kind {
                WorkloadKind::Infer if worker.can_stand() && !worker.is_background() => {
                    if stands.replace(id).is_some() {
                        return None;
                    }
                }
                // Where they alternate strictly, its minibatches are counted between inferences.
                WorkloadKind::Train if worker.is_preemptible() && !counted => {}
                WorkloadKind::Infer | WorkloadKind::Train => return None,
            }
        }
        stands.filter(|_| self.reserved.is_none())
    }

    /// Lets a turn stand, changes it, takes it back, or goes on without who has it.
    pub(super) fn stand(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let may = self.may_stand();
        let Some(standing) = &mut self.device.standing else {
            if let Some(id) = may {
                self.begin_standing(now, id, actions);
            }
            return;
        };
        let (id, grant) = (standing.worker, standing.grant);
        let Some(worker) = self.workers.get(&id) else { return };
        let due = standing.due(worker, now);
        if now >= due {
            let reason = "answered no request, and did not give its turn back".into();
            self.fence(now, id, reason, actions);
        } else if may != Some(id) && standing.revoked.is_none() {
            standing.revoked = Some(now + worker.patience(worker.largest_batch_size, now));
            actions.push(Action::Revoke { worker: id, grant });
        } else if standing.revoked.is_none() {
            let sizes = worker.sizes(self.agreement.guard, now);
            if standing.differs(&sizes, worker.latency_budget) {
                standing.sizes.clone_from(&sizes);
                actions.push(Action::Stand { worker: id, grant, sizes });
            }
        }
    }

    fn begin_standing(&mut self, now: Moment, id: WorkerId, actions: &mut Vec<Action>) {
        let makes_way = |holder: super::Holder| {
            let worker = self.workers.get(&holder.worker);
            worker.is_some_and(Worker::is_preemptible) && !holder.measured
        };
        // Whatever else runs runs to its end before.
        if self.device.preempted().is_some() || !self.device.holder().is_none_or(makes_way) {
            return;
        }
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.totals.turns += 1;
        self.grants += 1;
        let grant = self.grants;
        let sizes = worker.sizes(self.agreement.guard, now);
        self.device.standing = Some(Standing {
            worker: id,
            grant,
            sizes: sizes.clone(),
            revoked: None,
            heard: now,
            known_until: now,
            waited: Some(worker.waited(now)),
        });
        actions.push(Action::Stand { worker: id, grant, sizes });
    }

    /// When something has to be heard of a turn that stands.
    pub(super) fn standing_due(&self, now: Moment) -> Moment {
        let standing = self.device.standing.as_ref();
        let due = standing.and_then(|standing| {
            self.workers.get(&standing.worker).map(|worker| standing.due(worker, now))
        });
        due.unwrap_or(Moment::NEVER)
    }

    /// For how long others may have stood still without a word of it.
    pub(super) fn unheard(&self, now: Moment) -> Duration {
        let Some(standing) = &self.device.standing else { return Duration::ZERO };
        let worker = self.workers.get(&standing.worker);
        let oldest = worker.and_then(|worker| worker.queue.front());
        oldest.map_or(Duration::ZERO, |&oldest| now.since(oldest.max(standing.known_until)))
    }

    /// Takes in what was run in a turn that stands.
    pub(super) fn ran_standing(
        &mut self,
        now: Moment,
        id: WorkerId,
        grant: u64,
        minibatches: &[Minibatch],
        done: bool,
        actions: &mut Vec<Action>,
    ) {
        let standing = self.device.standing.as_mut().filter(|standing| standing.grant == grant);
        let (Some(standing), Some(worker)) = (standing, self.workers.get_mut(&id)) else {
            let reason = format!("told of turn {grant}, which it does not have");
            return self.fence(now, id, reason, actions);
        };
        let waiting = worker.waiting();
        let answered = minibatches.iter().fold(0, |sum: u32, of| sum.saturating_add(of.requests));
        if answered > waiting {
            let reason = format!("answered {answered} requests where {waiting} wait");
            return self.fence(now, id, reason, actions);
        }
        if !minibatches.iter().all(|minibatch| minibatch.is_past(now)) {
            return self.fence(now, id, NOT_PAST.into(), actions);
        }
        let preempts = self.device.holder.is_some();
        for &minibatch in minibatches {
            let mut ran = worker.ran(id, grant, minibatch, standing.waited.take(), None);
            ran.preempts = preempts;
            self.in_cycle = 0;
            actions.push(Action::Ran(ran));
            standing.known_until = standing.known_until.max(minibatch.ended);
        }
        standing.heard = now;
        let took = minibatches.iter().map(|of| of.ended.since(of.began)).sum();
        self.device.stood_still(took);
        let trains = self.device.holder().map(|holder| holder.worker);
        let mut preempted: Vec<WorkerId> =
            self.ahead.iter().map(|ahead| ahead.worker).chain(trains).collect();
        preempted.sort_unstable();
        preempted.dedup();
        for id in preempted {
            let Some(worker) = self.workers.get_mut(&id) else { continue };
            for &Minibatch { began, ended, .. } in minibatches {
                worker.was_preempted(Preemption { began, ended });
            }
        }
        if done {
            self.device.standing = None;
        }
    }

    /// Counts the minibatches of training of which it is known by now when they stood still.
    pub(super) fn settle(&mut self, actions: &mut Vec<Action>) {
        // Who has nothing to answer has told of all that it ran.
        let known_until = match &self.device.standing {
            Some(standing) if self.workers.get(&standing.worker).is_some_and(Worker::has_work) => {
                standing.known_until
            }
            _ => Moment::NEVER,
        };
        let ahead = self.ahead.iter();
        let known = ahead.take_while(|ahead| ahead.minibatch.ended <= known_until).count();
        let known: Vec<Ahead> = self.ahead.drain(..known).collect();
        self.count(&known, actions);
    }

    /// Counts those of a worker that goes.
    pub(super) fn settle_of(&mut self, id: WorkerId, actions: &mut Vec<Action>) {
        let theirs: Vec<Ahead> = self.ahead.extract_if(.., |ahead| ahead.worker == id).collect();
        self.count(&theirs, actions);
    }

    fn count(&mut self, all: &[Ahead], actions: &mut Vec<Action>) {
        for &Ahead { worker: id, grant, minibatch, waited } in all {
            let Some(worker) = self.workers.get_mut(&id) else { continue };
            let ran = worker.ran(id, grant, minibatch, waited, None);
            self.in_cycle = self.in_cycle.saturating_add(1);
            actions.push(Action::Ran(ran));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [Size; 3] = [
        Size { requests: 4, hold: Duration::from_millis(20) },
        Size { requests: 8, hold: Duration::from_millis(15) },
        Size { requests: 16, hold: Duration::from_millis(5) },
    ];

    #[test]
    fn a_minibatch_waits_until_it_is_full_or_the_oldest_bears_no_more() {
        let answers = |waiting, ms| Size::answers(&SIZES, waiting, Duration::from_millis(ms));
        assert_eq!(answers(0, 100), None);
        assert_eq!(answers(3, 19), None);
        assert_eq!(answers(3, 20), Some(3));
        assert_eq!(answers(4, 0), Some(4));
        // In a backlog, as many as do not make the oldest late, or all when it is.
        assert_eq!(answers(20, 5), Some(16));
        assert_eq!(answers(20, 6), Some(8));
        assert_eq!(answers(20, 16), Some(4));
        assert_eq!(answers(20, 21), Some(16));
        assert_eq!(Size::answers(&[], 3, Duration::from_secs(1)), None);
    }
}
