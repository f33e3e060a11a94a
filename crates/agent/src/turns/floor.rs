//! The floor: one thread that waits for workers and the clock, and gives turns.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use fulcrum_domain::{Workload, WorkloadKind};
use fulcrum_interleave::{Action, Event, Minibatch, Moment, Turns, WorkerId};
use fulcrum_worker::monotonic::now_ns;
use fulcrum_worker::wire::{self, FromAgent, FromWorker, Kind, PROTOCOL};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::broadcast;

use super::connection::{Connection, Ended, say_last};
use super::listener::WorkerSocket;
use super::{Command, Happening, Turn, WorkerStanding};

/// No more workers attach.
const MOST_WORKERS: usize = 64;
/// A connection has to say who it is within this time.
const ATTACHING: Duration = Duration::from_secs(5);
/// What is said in a turn that stands concerns nobody at once, and is heard so often: to wake this
/// thread costs whoever speaks more than to speak.
const QUIET: Duration = Duration::from_millis(5);
/// How often others see how the workers stand.
const SHOWN: Duration = Duration::from_millis(100);

pub(super) struct Floor {
    socket: WorkerSocket,
    commands: mpsc::Receiver<Command>,
    woken: UnixStream,
    happenings: broadcast::Sender<Arc<Happening>>,
    standing: Arc<Mutex<BTreeMap<WorkerId, WorkerStanding>>>,
    shown: Instant,
    turns: Turns,
    connections: BTreeMap<WorkerId, Connection>,
    ids: WorkerId,
    /// The measurement that has the device to itself.
    reservation: Option<u64>,
    actions: Vec<Action>,
}

fn now() -> Moment {
    Moment::at_ns(now_ns())
}

impl Floor {
    pub(super) fn new(
        socket: WorkerSocket,
        commands: mpsc::Receiver<Command>,
        woken: UnixStream,
        happenings: broadcast::Sender<Arc<Happening>>,
        standing: Arc<Mutex<BTreeMap<WorkerId, WorkerStanding>>>,
    ) -> Self {
        Self {
            socket,
            commands,
            woken,
            happenings,
            standing,
            shown: Instant::now(),
            turns: Turns::new(),
            connections: BTreeMap::new(),
            ids: 0,
            reservation: None,
            actions: Vec::new(),
        }
    }

    /// Gives turns until it is told to stop.
    pub(super) fn run(mut self) {
        loop {
            let (accepts, woken, ready) = match self.wait() {
                Ok(ready) => ready,
                Err(error) => {
                    tracing::error!(%error, "turns ended: the system cannot wait for workers");
                    return;
                }
            };
            for id in ready {
                self.hear(id);
            }
            if woken && !self.take_commands() {
                return;
            }
            if accepts {
                self.accept();
            }
            self.handle(Event::Tick);
            self.end_silent();
            self.show();
        }
    }

    /// Waits until there is something to do: (somebody connects, a command came, who spoke).
    fn wait(&self) -> std::io::Result<(bool, bool, Vec<WorkerId>)> {
        let wake = [self.turns.wake_at()];
        let silent = self.connections.values().filter_map(|connection| connection.attach_by);
        let now = now();
        let (quiet, heard): (Vec<_>, Vec<_>) =
            self.connections.iter().partition(|(_, connection)| now < connection.quiet_until);
        let looks = quiet.iter().map(|(_, connection)| connection.quiet_until);
        let until = wake.into_iter().chain(silent).chain(looks).min().unwrap_or(Moment::NEVER);
        // How the workers stand is shown though nothing happens.
        let timeout = until.since(now).min(if self.connections.is_empty() {
            Duration::from_hours(1)
        } else {
            SHOWN
        });
        let timeout = Timespec {
            tv_sec: timeout.as_secs().cast_signed(),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        let mut descriptors = Vec::with_capacity(2 + heard.len());
        descriptors.push(PollFd::new(&self.socket, PollFlags::IN));
        descriptors.push(PollFd::new(&self.woken, PollFlags::IN));
        for (_, connection) in &heard {
            descriptors.push(PollFd::new(*connection, PollFlags::IN));
        }
        match poll(&mut descriptors, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |place: usize| !descriptors[place].revents().is_empty();
        let spoke = heard.iter().enumerate().filter(|(place, _)| ready(2 + place));
        let mut spoke: Vec<WorkerId> =
            spoke.map(|(_, one)| one).chain(&quiet).map(|&(&id, _)| id).collect();
        // What preempted training is heard before what the training says of that time.
        spoke.sort_by_key(|&id| {
            self.turns.worker(id).is_some_and(|of| of.workload.kind == WorkloadKind::Train)
        });
        Ok((ready(0), ready(1), spoke))
    }

    /// False when it is time to end.
    fn take_commands(&mut self) -> bool {
        let mut bytes = [0; 64];
        let _ = std::io::Read::read(&mut self.woken, &mut bytes);
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Agree(agreement) => self.handle(Event::Agreed(&agreement)),
                Command::Reserve { reservation, worker, batch_size } => {
                    self.reservation = Some(reservation);
                    self.handle(Event::Reserved { worker, batch_size });
                }
                Command::Release { reservation } if self.reservation == Some(reservation) => {
                    self.reservation = None;
                    self.handle(Event::Released);
                }
                // Another measurement has taken its place.
                Command::Release { .. } => {}
                Command::Stop => return false,
            }
        }
        true
    }

    fn accept(&mut self) {
        loop {
            match self.socket.accept() {
                Ok(None) => return,
                Ok(Some((stream, Err(reason)))) => {
                    tracing::warn!(reason, "a worker was refused");
                    let _ = say_last(&stream, &FromAgent::Refused { reason });
                }
                Ok(Some((stream, Ok(_)))) if self.connections.len() >= MOST_WORKERS => {
                    let reason = format!("{MOST_WORKERS} workers are attached already");
                    let _ = say_last(&stream, &FromAgent::Refused { reason });
                }
                Ok(Some((stream, Ok(peer)))) => {
                    self.ids += 1;
                    let connection = Connection::new(stream, peer, now() + ATTACHING);
                    self.connections.insert(self.ids, connection);
                }
                Err(error) => return tracing::warn!(%error, "a worker could not connect"),
            }
        }
    }

    /// Ends connections that did not say in time who they are.
    fn end_silent(&mut self) {
        let now = now();
        self.connections.retain(|_, c| c.attach_by.is_none_or(|by| now < by));
    }

    /// Takes in what a worker said.
    fn hear(&mut self, id: WorkerId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match connection.read() {
            Ok(true) if self.turns.stands(id) => connection.quiet_until = now() + QUIET,
            Ok(_) => {}
            Err(ended) => return self.lose(id, &ended),
        }
        // Nothing more is taken from a connection that has ended meanwhile.
        while let Some(connection) = self.connections.get_mut(&id) {
            match connection.message() {
                Ok(Some(message)) => self.take(id, message),
                Ok(None) => return,
                Err(ended) => return self.lose(id, &ended),
            }
        }
    }

    fn take(&mut self, id: WorkerId, message: FromWorker) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match (message, connection.attach_by.is_some()) {
            (
                FromWorker::Attach {
                    protocol,
                    workload,
                    kind,
                    batch_sizes,
                    rehearses,
                    fingerprint,
                    preemptible,
                    stands,
                },
                true,
            ) => {
                connection.rehearses = rehearses;
                connection.fingerprint = fingerprint;
                connection.preemptible = preemptible;
                connection.stands = stands;
                self.attach(id, protocol, &workload, kind, &batch_sizes);
            }
            (FromWorker::Attach { .. }, false) => {
                self.lose(id, &Ended::Malformed("it attached a second time".into()));
            }
            (_, true) => {
                self.lose(id, &Ended::Malformed("it did not begin with `attach`".into()));
            }
            (FromWorker::Arrived { at_ns }, false) => {
                let at: Vec<Moment> = at_ns.into_iter().map(Moment::at_ns).collect();
                self.handle(Event::Arrived { worker: id, at: &at });
                if let Some(worker) = self.turns.worker(id) {
                    let workload = worker.workload.clone();
                    self.tell(Happening::Arrived { workload, at });
                }
            }
            (FromWorker::Ran { grant, minibatches, done }, false) => {
                let minibatch = |ran: &wire::Minibatch| Minibatch {
                    began: Moment::at_ns(ran.began_ns),
                    ended: Moment::at_ns(ran.ended_ns),
                    requests: ran.requests,
                };
                let minibatches: Vec<Minibatch> = minibatches.iter().map(minibatch).collect();
                self.handle(Event::Ran { worker: id, grant, minibatches: &minibatches, done });
            }
            (FromWorker::Ready { work }, false) => self.handle(Event::Ready { worker: id, work }),
        }
    }

    fn attach(&mut self, id: WorkerId, protocol: u32, name: &str, kind: Kind, sizes: &[u32]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let refuse = if protocol != PROTOCOL {
            Some(format!("it speaks protocol {protocol}; this agent speaks {PROTOCOL}"))
        } else if name.is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
            Some("`workload` is not a name of 1 to 256 characters".to_owned())
        } else if sizes.is_empty() || sizes.contains(&0) || !sizes.is_sorted() || sizes.len() > 1024
        {
            Some("`batch_sizes` are not 1 to 1024 sizes above zero, ascending".to_owned())
        } else if connection.preemptible && kind == Kind::Infer {
            Some("`preemptible` is for workers that train".to_owned())
        } else if connection.stands && kind == Kind::Train {
            Some("`stands` is for workers that infer".to_owned())
        } else if !is_fingerprint(&connection.fingerprint) {
            Some(
                "`fingerprint` is not at most 64 letters, digits, dots, hyphens and underscores"
                    .to_owned(),
            )
        } else {
            None
        };
        if let Some(reason) = refuse {
            tracing::warn!(worker = id, reason, "a worker was refused");
            let _ = connection.say(&FromAgent::Refused { reason });
            self.connections.remove(&id);
            return;
        }
        connection.attach_by = None;
        let process = connection.peer.process;
        let (preemptible, stands) = (connection.preemptible, connection.stands);
        let workload = match kind {
            Kind::Train => Workload::train(name),
            Kind::Infer => Workload::infer(name),
        };
        if connection.say(&FromAgent::Welcome { worker: id }).is_err() {
            self.connections.remove(&id);
            return;
        }
        tracing::info!(worker = id, %workload, process, preemptible, "a worker attached");
        self.tell(Happening::Attached { process });
        self.handle(Event::Attached {
            worker: id,
            workload: &workload,
            batch_sizes: sizes,
            preemptible,
            stands,
        });
    }

    /// A connection has ended.
    fn lose(&mut self, id: WorkerId, ended: &Ended) {
        let Some(mut connection) = self.connections.remove(&id) else { return };
        let attached = connection.attach_by.is_none();
        if let Ended::Malformed(problem) = ended {
            tracing::warn!(worker = id, problem, "a worker said what makes no sense");
            let reason = problem.clone();
            let _ = connection.say(&if attached {
                FromAgent::Fenced { reason }
            } else {
                FromAgent::Refused { reason }
            });
        }
        if attached {
            let had_turn = self.turns.has_turn(id);
            tracing::info!(worker = id, had_turn, "a worker left");
            self.tell(Happening::Left { worker: id });
            self.handle(Event::Detached { worker: id });
        }
    }

    /// Lets the turns take in what happened, and does what they say.
    fn handle(&mut self, event: Event<'_>) {
        let mut actions = std::mem::take(&mut self.actions);
        self.turns.handle(now(), event, &mut actions);
        let mut lost = Vec::new();
        for action in actions.drain(..) {
            if let Some(worker) = self.act(action) {
                lost.push(worker);
            }
        }
        self.actions = actions;
        for worker in lost {
            self.lose(worker, &Ended::Gone);
        }
    }

    /// Does one thing; gives the worker that could not be told.
    fn act(&mut self, action: Action) -> Option<WorkerId> {
        let (worker, message) = match action {
            Action::Plan { worker, batch_size, latency_budget } => {
                let latency_budget_ns = latency_budget.map(nanoseconds);
                (worker, FromAgent::Plan { batch_size, latency_budget_ns })
            }
            Action::Grant { worker, grant, start_until, minibatches, requests } => {
                let bounded = start_until != Moment::NEVER;
                let start_until_ns = bounded.then_some(start_until.ns());
                (worker, FromAgent::Grant { id: grant, start_until_ns, minibatches, requests })
            }
            Action::Stand { worker, grant, sizes } => {
                let size = |size: &fulcrum_interleave::Size| wire::Size {
                    requests: size.requests,
                    hold_ns: nanoseconds(size.hold),
                };
                let sizes = sizes.iter().map(size).collect();
                (worker, FromAgent::Stand { id: grant, sizes })
            }
            Action::Rehearse { worker, grant, requests } => {
                (worker, FromAgent::Rehearse { id: grant, requests })
            }
            Action::Revoke { worker, grant } => {
                self.connections.get_mut(&worker)?.quiet_until = Moment::START;
                (worker, FromAgent::Revoke { id: grant })
            }
            Action::Late { worker, requests } => (worker, FromAgent::Late { requests }),
            Action::Fence { worker, reason } => {
                self.fence(worker, reason);
                return None;
            }
            Action::Ran(ran) => {
                let workload = self.turns.worker(ran.worker)?.workload.clone();
                self.tell(Happening::Ran(Turn { workload, ran }));
                return None;
            }
        };
        let told = self.connections.get_mut(&worker)?.say(&message);
        told.is_err().then_some(worker)
    }

    fn fence(&mut self, worker: WorkerId, reason: String) {
        let Some(mut connection) = self.connections.remove(&worker) else { return };
        tracing::warn!(worker, reason, "going on without a worker");
        let _ = connection.say(&FromAgent::Fenced { reason: reason.clone() });
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let workload = standing.get(&worker).map(|standing| standing.workload.clone());
        drop(standing);
        if let Some(workload) = workload {
            self.tell(Happening::Fenced { worker, workload, reason });
        }
    }

    fn tell(&self, happening: Happening) {
        // Nobody may be watching.
        let _ = self.happenings.send(Arc::new(happening));
    }

    /// Shows others how the workers stand, now and then.
    fn show(&mut self) {
        let changed = {
            let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
            !standing.keys().eq(self.turns.workers().map(|(id, _)| id).collect::<Vec<_>>().iter())
        };
        if !changed && self.shown.elapsed() < SHOWN {
            return;
        }
        self.shown = Instant::now();
        let standing = self.turns.workers().map(|(id, worker)| {
            let connection = self.connections.get(&id);
            let standing = WorkerStanding {
                workload: worker.workload.clone(),
                process: connection.map_or(0, |connection| connection.peer.process),
                has_turn: self.turns.has_turn(id),
                waiting: if worker.workload.kind == WorkloadKind::Infer {
                    worker.waiting()
                } else {
                    0
                },
                totals: worker.totals,
                batch_sizes: worker.batch_sizes.clone(),
                measurable: worker.workload.kind == WorkloadKind::Train
                    || connection.is_some_and(|connection| connection.rehearses),
                fingerprint: connection.map_or_else(String::new, |of| of.fingerprint.clone()),
            };
            (id, standing)
        });
        let standing = standing.collect();
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

/// Whether a text may tell one version of a workload from another: it becomes part of names.
fn is_fingerprint(text: &str) -> bool {
    text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
