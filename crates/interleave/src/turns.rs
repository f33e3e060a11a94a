//! The turns of workers that come, go, hang and die.
//!
//! A state machine: it is told what happened, and says what to tell the workers. One worker at a
//! time has the device; preemptible training loses it to requests in the midst of a minibatch,
//! keeps its turn and goes on afterwards, without a word. Where nobody else has to be asked, the one
//! that answers requests has a turn that stands, and tells afterwards. What a worker says that it may not say
//! ends its connection; what it fails to say in time does too, and the others go on.

mod device;
mod events;
mod standing;
mod worker;

use std::collections::BTreeMap;
use std::time::Duration;

use fulcrum_domain::WorkloadKind;

use crate::agreement::Agreement;
use crate::moment::Moment;
use crate::policy::{Background, Decision, Stream, decide, left_in_cycle};

use device::{Device, Holder};
pub use events::{Action, Event, Minibatch, Preemption, Ran};
use standing::Ahead;
pub use standing::Size;
pub use worker::{Totals, Worker};

/// Names a worker as long as it is attached.
pub type WorkerId = u64;

/// A turn whose end is due is waited for so long at least.
const PATIENCE: Duration = Duration::from_millis(250);
/// The first minibatch of a size may compile kernels, or load what it needs.
const PATIENCE_WITH_THE_FIRST: Duration = Duration::from_secs(30);
/// A turn whose end is due is waited for so many times as long as its minibatch hardly ever takes.
const PATIENCE_FACTOR: u32 = 4;
/// Why a worker is fenced that cannot have run what it tells of.
const NOT_PAST: &str = "told of a minibatch that ended before it began, or ends yet to come";
/// How long one background worker runs while another waits for its turn.
const SLICE: Duration = Duration::from_millis(500);

/// The turns of one device.
#[derive(Debug, Default)]
pub struct Turns {
    agreement: Agreement,
    workers: BTreeMap<WorkerId, Worker>,
    device: Device,
    /// Minibatches of training of which it is not known yet when they stood still.
    ahead: Vec<Ahead>,
    /// Who is measured, with the size of its minibatches.
    reserved: Option<(WorkerId, u32)>,
    grants: u64,
    /// Background minibatches since the last inference.
    in_cycle: u32,
    wake: Moment,
    /// The streams, and whose each is; kept for their space.
    streams: Vec<Stream>,
    whose: Vec<WorkerId>,
}

impl Turns {
    /// Turns without a plan and without workers.
    pub fn new() -> Self {
        Self { wake: Moment::NEVER, ..Self::default() }
    }

    /// The workers that are attached.
    pub fn workers(&self) -> impl Iterator<Item = (WorkerId, &Worker)> {
        self.workers.iter().map(|(&id, worker)| (id, worker))
    }

    /// A worker, if it is attached.
    pub fn worker(&self, id: WorkerId) -> Option<&Worker> {
        self.workers.get(&id)
    }

    /// What is promised.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Who has the device.
    pub fn holder(&self) -> Option<WorkerId> {
        self.device.holder().map(|holder| holder.worker)
    }

    /// Whether a worker has the device, or takes it as it needs it.
    pub fn has_turn(&self, id: WorkerId) -> bool {
        self.holder() == Some(id) || self.device.stands(id)
    }

    /// Whether a worker's turn stands, and nobody waits for its end.
    pub fn stands(&self, id: WorkerId) -> bool {
        self.device.stands(id) && !self.device.is_to_be_given_back()
    }

    /// When [`Event::Tick`] is due, if nothing happens before.
    pub fn wake_at(&self) -> Moment {
        self.wake
    }

    /// Takes in what happened, and says what to do.
    pub fn handle(&mut self, now: Moment, event: Event<'_>, actions: &mut Vec<Action>) {
        match event {
            Event::Attached { worker, workload, batch_sizes, preemptible, stands } => {
                let unasked = match workload.kind {
                    WorkloadKind::Train => preemptible,
                    WorkloadKind::Infer => stands,
                };
                let mut attached = Worker::new(workload.clone(), batch_sizes.to_vec(), unasked);
                attached.agree(&self.agreement);
                actions.push(attached.plan(worker));
                self.workers.insert(worker, attached);
            }
            Event::Detached { worker } => self.remove(now, worker, actions),
            Event::Arrived { worker, at } => self.arrived(now, worker, at, actions),
            Event::Ran { worker, grant, minibatches, done } => {
                self.ran(now, worker, grant, minibatches, done, actions);
            }
            Event::Ready { worker, work } => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.ready = work;
                }
            }
            Event::Agreed(agreement) => {
                self.agreement = agreement.clone();
                self.in_cycle = 0;
                for (&id, worker) in &mut self.workers {
                    worker.agree(&self.agreement);
                    actions.push(worker.plan(id));
                }
            }
            Event::Reserved { worker, batch_size } => self.reserve(worker, batch_size, actions),
            Event::Released => self.release(actions),
            Event::Tick => {}
        }
        self.step(now, actions);
        for (&id, worker) in &mut self.workers {
            worker.waits(now, self.device.is_turn_of(id));
        }
    }

    fn arrived(&mut self, now: Moment, id: WorkerId, at: &[Moment], actions: &mut Vec<Action>) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.workload.kind == WorkloadKind::Train {
            return self.fence(now, id, "requests arrived at a worker that trains".into(), actions);
        }
        for &arrived in at {
            // A request cannot have come later than it was told of, nor before the one before it.
            let newest = worker.queue.back().copied().unwrap_or(Moment::START);
            worker.queue.push_back(arrived.clamp(newest, now.max(newest)));
        }
    }

    fn ran(
        &mut self,
        now: Moment,
        id: WorkerId,
        grant: u64,
        minibatches: &[Minibatch],
        done: bool,
        actions: &mut Vec<Action>,
    ) {
        if self.device.stands(id) {
            return self.ran_standing(now, id, grant, minibatches, done, actions);
        }
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let preempted_since = self.device.preempted_since(id);
        let preempted = self.device.preempted().filter(|_| preempted_since.is_none());
        let another_stands = self.device.standing.is_some();
        let Some(holder) = self.device.turn(id, grant) else {
            let reason = format!("told of turn {grant}, which it does not have");
            return self.fence(now, id, reason, actions);
        };
        for &minibatch in minibatches {
            if !minibatch.is_past(now) {
                return self.fence(now, id, NOT_PAST.into(), actions);
            }
            if minibatch.requests > holder.requests {
                let reason = format!(
                    "answered {} requests where {} were granted",
                    minibatch.requests, holder.requests
                );
                return self.fence(now, id, reason, actions);
            }
            holder.requests -= minibatch.requests;
            if holder.measured && worker.workload.kind == WorkloadKind::Infer {
                actions.push(Action::Ran(worker.rehearsed(id, grant, minibatch)));
                continue;
            }
            let waited = holder.waited.take();
            if another_stands {
                self.ahead.push(Ahead { worker: id, grant, minibatch, waited });
                continue;
            }
            let mut ran = worker.ran(id, grant, minibatch, waited, preempted_since);
            ran.preempts = preempted.is_some();
            if worker.is_background() {
                self.in_cycle = self.in_cycle.saturating_add(1);
            } else {
                self.in_cycle = 0;
            }
            actions.push(Action::Ran(ran));
        }
        if let Some(preempted) = preempted.and_then(|preempted| self.workers.get_mut(&preempted)) {
            for &Minibatch { began, ended, .. } in minibatches {
                preempted.was_preempted(Preemption { began, ended });
            }
        }
        if done {
            self.device.end(now, id);
        }
    }

    /// A worker is gone. Whatever it ran is taken to have ended.
    fn remove(&mut self, now: Moment, id: WorkerId, actions: &mut Vec<Action>) {
        self.settle_of(id, actions);
        self.workers.remove(&id);
        self.reserved = self.reserved.filter(|&(reserved, _)| reserved != id);
        self.device.end(now, id);
    }

    fn fence(&mut self, now: Moment, id: WorkerId, reason: String, actions: &mut Vec<Action>) {
        self.remove(now, id, actions);
        actions.push(Action::Fence { worker: id, reason });
    }

    /// Decides, given what is known now.
    fn step(&mut self, now: Moment, actions: &mut Vec<Action>) {
        self.wake = Moment::NEVER;
        let unheard = self.unheard(now);
        if let Some(holder) = self.device.holder().filter(|holder| now >= holder.due + unheard) {
            let due = now.since(holder.due) + PATIENCE;
            let reason = format!("its turn did not end: {} ms over", due.as_millis());
            self.fence(now, holder.worker, reason, actions);
        }
        self.stand(now, actions);
        self.settle(actions);
        if self.device.is_to_be_given_back() {
            // Nobody is given a turn meanwhile.
        } else if let Some((id, batch_size)) = self.reserved {
            self.measure(now, id, batch_size, actions);
        } else {
            self.take_turns(now, actions);
        }
        self.wake = self.wake.min(self.standing_due(now));
        self.foretell(now, actions);
    }

    /// Gives the device to whom it is due, or takes it back.
    fn take_turns(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let background = self.next_background(now);
        let decision = self.decide(now, background.map(|(_, background)| background));
        match self.device.holder() {
            Some(holder) if !self.loses(&holder, decision) => {
                self.look_at(now, holder, decision, actions);
            }
            _ => self.give(now, background.map(|(id, _)| id), decision, actions),
        }
    }

    /// Whether the device is taken from its holder at once.
    fn loses(&self, holder: &Holder, decision: Decision) -> bool {
        let preemptible = self.workers.get(&holder.worker).is_some_and(Worker::is_preemptible);
        preemptible && !holder.measured && matches!(decision, Decision::Infer { .. })
    }

    /// The background worker that should run next: the one that had the device for the shortest
    /// time, or the one whose turn it is.
    fn next_background(&self, now: Moment) -> Option<(WorkerId, Background)> {
        let holds = |id| self.device.is_turn_of(id);
        let ready = self
            .workers
            .iter()
            .filter(|&(&id, w)| w.is_background() && (w.has_work() || holds(id)));
        let (&id, worker) = ready.min_by_key(|&(&id, w)| (!holds(id), w.totals.busy, id))?;
        let holds_up =
            if worker.is_preemptible() { Duration::ZERO } else { worker.longest_minibatch(now) };
        let left = left_in_cycle(
            self.agreement.alternate,
            self.agreement.minibatches_per_cycle,
            self.in_cycle,
        );
        // Without a plan, or without anything promised to a request, there is no cycle to keep to.
        let urgent = self.agreement.terms.iter().any(|terms| terms.latency_budget.is_some());
        Some((id, Background { holds_up, left: left.filter(|_| urgent) }))
    }

    fn decide(&mut self, now: Moment, background: Option<Background>) -> Decision {
        self.streams.clear();
        self.whose.clear();
        for (&id, worker) in &self.workers {
            if !worker.is_background() && !self.device.stands(id) {
                self.streams.push(worker.stream(now));
                self.whose.push(id);
            }
        }
        decide(now, self.agreement.guard, &self.streams, background)
    }

    /// A device that is free, or taken from its holder: gives it to whom it is due.
    fn give(
        &mut self,
        now: Moment,
        background: Option<WorkerId>,
        decision: Decision,
        actions: &mut Vec<Action>,
    ) {
        let (id, start_until, minibatches, requests) = match decision {
            Decision::Wait { until } => {
                self.wake = until;
                return;
            }
            Decision::Infer { stream, requests } => {
                (self.whose[stream], Moment::NEVER, Some(1), requests)
            }
            Decision::Background { start_until, minibatches } => {
                let Some(id) = background else { return };
                (id, start_until, minibatches, 0)
            }
        };
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let trains = worker.workload.kind == WorkloadKind::Train;
        // An inference in the background answers what waits.
        let in_background = worker.is_background() && !trains;
        let requests = if in_background {
            worker.most_requests()
        } else {
            worker.enlarged(requests, self.agreement.guard, now)
        };
        let minibatches = if in_background { Some(1) } else { minibatches };
        worker.totals.turns += 1;
        let (patience, waited) = (worker.patience(requests, now), worker.waited(now));
        let preemptible = worker.is_preemptible();
        self.grants += 1;
        let slice = if trains { self.slice(now, id) } else { Moment::NEVER };
        let holder = Holder {
            worker: id,
            grant: self.grants,
            requests,
            limit: match (trains, preemptible) {
                (false, _) => Moment::NEVER,
                (true, true) => slice,
                (true, false) => start_until.min(slice),
            },
            revoked: false,
            due: if trains { Moment::NEVER } else { now + patience },
            slice,
            measured: false,
            waited: Some(waited),
        };
        self.device.give(now, holder);
        // Who is preemptible keeps its turn until then and loses the device.
        self.wake = start_until.min(holder.limit).min(holder.due);
        let start_until = holder.limit;
        actions.push(Action::Grant {
            worker: id,
            grant: holder.grant,
            start_until,
            minibatches,
            requests,
        });
    }

    /// Until when one trains that begins now: as long as it likes, unless others in the background
    /// have something to run.
    fn slice(&self, now: Moment, id: WorkerId) -> Moment {
        let waits = |(&other, worker): (&WorkerId, &Worker)| {
            other != id && worker.is_background() && worker.has_work()
        };
        if self.workers.iter().any(waits) { now + SLICE } else { Moment::NEVER }
    }

    /// A device that is taken: takes it back when others need it.
    fn look_at(
        &mut self,
        now: Moment,
        mut holder: Holder,
        decision: Decision,
        actions: &mut Vec<Action>,
    ) {
        let Some(worker) = self.workers.get(&holder.worker) else { return };
        let trains = worker.workload.kind == WorkloadKind::Train;
        if trains && !holder.revoked {
            if holder.slice == Moment::NEVER {
                // Others may have come since it began.
                holder.slice = self.slice(now, holder.worker);
            }
            holder.limit = match decision {
                Decision::Background { .. } if worker.is_preemptible() => holder.slice,
                Decision::Background { start_until, .. } => start_until.min(holder.slice),
                // It may not begin another one.
                Decision::Infer { .. } | Decision::Wait { .. } => now,
            };
            if now >= holder.limit {
                holder.revoked = true;
                holder.due = now + worker.patience(0, now);
                actions.push(Action::Revoke { worker: holder.worker, grant: holder.grant });
            }
        }
        let due = holder.due + self.unheard(now);
        let limit = if holder.revoked { due } else { holder.limit.min(due) };
        self.wake = match decision {
            // Then it is preempted, though it may have to make way at the end of its minibatch.
            Decision::Background { start_until: at, .. } | Decision::Wait { until: at }
                if worker.is_preemptible() =>
            {
                limit.min(at)
            }
            _ => limit,
        };
        self.device.keep(holder);
    }

    /// From now on one worker alone has the device.
    fn reserve(&mut self, id: WorkerId, batch_size: u32, actions: &mut Vec<Action>) {
        self.release(actions);
        if self.workers.contains_key(&id) {
            self.reserved = Some((id, batch_size));
            actions.push(Action::Plan { worker: id, batch_size, latency_budget: None });
        }
    }

    /// The device is everybody's again. Measuring went through other power modes, so what was
    /// learned of times does not hold.
    fn release(&mut self, actions: &mut Vec<Action>) {
        let Some((id, _)) = self.reserved.take() else { return };
        for worker in self.workers.values_mut() {
            worker.agree(&self.agreement);
        }
        if let Some(worker) = self.workers.get(&id) {
            actions.push(worker.plan(id));
        }
    }

    /// Lets one worker run and nobody else.
    fn measure(&mut self, now: Moment, id: WorkerId, batch_size: u32, actions: &mut Vec<Action>) {
        if let Some(mut holder) = self.device.holder() {
            let other = self.workers.get(&holder.worker).filter(|worker| {
                !holder.measured && !holder.revoked && worker.workload.kind == WorkloadKind::Train
            });
            if let Some(other) = other {
                holder.revoked = true;
                holder.due = now + other.patience(0, now);
                actions.push(Action::Revoke { worker: holder.worker, grant: holder.grant });
            }
            self.wake = holder.due;
            self.device.keep(holder);
            return;
        }
        let Some(worker) = self.workers.get_mut(&id).filter(|w| w.can_be_measured()) else {
            return;
        };
        let trains = worker.workload.kind == WorkloadKind::Train;
        worker.totals.turns += 1;
        self.grants += 1;
        let grant = self.grants;
        let due = if trains { Moment::NEVER } else { now + worker.patience(batch_size, now) };
        self.device.keep(Holder {
            worker: id,
            grant,
            requests: 0,
            limit: Moment::NEVER,
            revoked: false,
            due,
            slice: Moment::NEVER,
            measured: true,
            waited: None,
        });
        self.wake = due;
        actions.push(if trains {
            let start_until = Moment::NEVER;
            Action::Grant { worker: id, grant, start_until, minibatches: None, requests: 0 }
        } else {
            Action::Rehearse { worker: id, grant, requests: batch_size }
        });
    }

    /// Says which requests will be late, where that has changed.
    fn foretell(&mut self, now: Moment, actions: &mut Vec<Action>) {
        for (&id, worker) in &mut self.workers {
            let late = worker.will_be_late(now);
            if late != worker.told_late {
                worker.told_late = late;
                actions.push(Action::Late { worker: id, requests: late });
            }
        }
    }
}
