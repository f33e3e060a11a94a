//! A training program's side of taking turns.

use std::mem;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::attachment::{AttachError, Attachment, Options, RETRY, send};
use crate::monotonic::now_ns;
use crate::wire::{FromAgent, FromWorker, Kind, Minibatch};

/// Minibatches are told of at the latest after this long, so that the agent sees that they go on.
const REPORT: Duration = Duration::from_millis(100);
/// So many at the latest, so that a line of short ones does not become longer than the agent reads.
const REPORT_MINIBATCHES: usize = 500;

/// Runs the minibatches of a training loop when it is their turn.
pub struct Trainer {
    options: Options,
    /// The agent's side; none while there is no agent.
    turns: Option<Turns>,
    /// When to look for an agent again.
    retry: Instant,
    warned: bool,
}

impl Trainer {
    /// Attaches to the agent. Where that fails the reason is logged once, minibatches run as if
    /// alone, and the agent is looked for again.
    pub fn attach(options: Options) -> Self {
        let mut trainer = Self { options, turns: None, retry: Instant::now(), warned: false };
        trainer.look_for_agent();
        trainer
    }

    /// Attaches to the agent, or says why not.
    ///
    /// # Errors
    /// When nobody listens, or the agent refuses.
    pub fn try_attach(options: Options) -> Result<Self, AttachError> {
        let turns = Some(Turns::open(&options)?);
        Ok(Self { options, turns, retry: Instant::now(), warned: false })
    }

    /// Whether an agent gives turns now.
    pub fn is_attached(&self) -> bool {
        self.turns.as_ref().is_some_and(|turns| !turns.shared.lock().lost)
    }

    /// The size of minibatches that the plan in force wants; none where there is no plan.
    pub fn batch_size(&self) -> Option<u32> {
        self.turns.as_ref().and_then(|turns| turns.shared.lock().batch_size)
    }

    /// Waits for a turn and runs one minibatch. Everything that the minibatch leaves to the device
    /// has to be done when `work` returns: synchronise with it before.
    pub fn minibatch<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.look_for_agent();
        let Some(turns) = &self.turns else { return work() };
        if !turns.shared.begin() {
            // The agent has gone; the next minibatch looks for it.
            self.turns = None;
            self.retry = Instant::now() + RETRY;
            return work();
        }
        // Were the work to panic, its turn ends with the connection, when the trainer is dropped.
        let began_ns = now_ns();
        let done = work();
        turns.shared.end(Minibatch { began_ns, ended_ns: now_ns(), requests: 0 });
        done
    }

    /// Says whether there is a next minibatch: a loop that waits for data, validates or saves lets
    /// others run meanwhile. The next minibatch says that there is one by itself.
    pub fn pause(&self) {
        if let Some(turns) = &self.turns {
            turns.shared.pause();
        }
    }

    fn look_for_agent(&mut self) {
        if self.turns.is_some() || Instant::now() < self.retry {
            return;
        }
        match Turns::open(&self.options) {
            Ok(turns) => self.turns = Some(turns),
            Err(error) => {
                self.retry = Instant::now() + error.retry_after();
                if !mem::replace(&mut self.warned, true) {
                    self.options.warn_alone(&error);
                }
            }
        }
    }
}

/// Turns from one agent.
struct Turns {
    shared: Arc<Shared>,
}

impl Turns {
    fn open(options: &Options) -> Result<Self, AttachError> {
        let attachment = Attachment::open(options, Kind::Train, false)?;
        let malformed = |error: std::io::Error| AttachError::Malformed(error.to_string());
        let shared = Arc::new(Shared {
            writer: attachment.writer().map_err(malformed)?,
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        });
        let listening = shared.clone();
        // Listens while the program is busy with other things: a turn that is revoked between two
        // minibatches is given back at once.
        thread::Builder::new()
            .name("fulcrum-turns".into())
            .spawn(move || listening.listen(attachment))
            .map_err(malformed)?;
        Ok(Self { shared })
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        // Ends the listening thread, and tells the agent.
        let _ = self.shared.writer.shutdown(Shutdown::Both);
    }
}

struct Shared {
    writer: UnixStream,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    grant: Option<Grant>,
    /// Whether a minibatch runs.
    running: bool,
    paused: bool,
    batch_size: Option<u32>,
    /// Minibatches that the agent was not told of.
    ran: Vec<Minibatch>,
    /// Whether the connection has ended.
    lost: bool,
}

struct Grant {
    id: u64,
    start_until_ns: u64,
    left: u32,
    told_ns: u64,
}

impl State {
    /// Whether another minibatch may begin.
    fn may_begin(&self, now: u64) -> bool {
        self.grant.as_ref().is_some_and(|grant| grant.left > 0 && now <= grant.start_until_ns)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn and begins a minibatch. False when the agent has gone.
    fn begin(&self) -> bool {
        let mut state = self.lock();
        if mem::take(&mut state.paused) {
            self.say(&mut state, &FromWorker::Ready { work: true });
        }
        loop {
            if state.lost {
                return false;
            }
            if state.may_begin(now_ns()) {
                state.running = true;
                return true;
            }
            self.give_back(&mut state);
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A minibatch has ended.
    fn end(&self, minibatch: Minibatch) {
        let mut state = self.lock();
        state.running = false;
        state.ran.push(minibatch);
        if let Some(grant) = &mut state.grant {
            grant.left = grant.left.saturating_sub(1);
        }
        if state.may_begin(minibatch.ended_ns) {
            self.report(&mut state, minibatch.ended_ns);
        } else {
            self.give_back(&mut state);
        }
    }

    fn pause(&self) {
        let mut state = self.lock();
        if !mem::replace(&mut state.paused, true) {
            self.say(&mut state, &FromWorker::Ready { work: false });
        }
        self.give_back(&mut state);
    }

    /// Tells the agent of the minibatches since the last report, when it is time.
    fn report(&self, state: &mut State, now: u64) {
        let Some(grant) = &mut state.grant else { return };
        let waits = u128::from(now.saturating_sub(grant.told_ns)) < REPORT.as_nanos();
        if waits && state.ran.len() < REPORT_MINIBATCHES {
            return;
        }
        grant.told_ns = now;
        let grant = grant.id;
        let minibatches = mem::take(&mut state.ran);
        self.say(state, &FromWorker::Ran { grant, minibatches, done: false });
    }

    /// Ends the turn, if there is one.
    fn give_back(&self, state: &mut State) {
        let Some(grant) = state.grant.take() else { return };
        let minibatches = mem::take(&mut state.ran);
        self.say(state, &FromWorker::Ran { grant: grant.id, minibatches, done: true });
    }

    fn say(&self, state: &mut State, message: &FromWorker) {
        if send(&self.writer, message).is_err() {
            state.lost = true;
            self.changed.notify_all();
        }
    }

    /// Listens to the agent until the connection ends.
    fn listen(&self, mut attachment: Attachment) {
        while let Ok(message) = attachment.receive() {
            let mut state = self.lock();
            match message {
                FromAgent::Grant { id, start_until_ns, minibatches, .. } => {
                    state.grant = Some(Grant {
                        id,
                        start_until_ns: start_until_ns.unwrap_or(u64::MAX),
                        left: minibatches.unwrap_or(u32::MAX),
                        told_ns: now_ns(),
                    });
                    if state.paused {
                        self.give_back(&mut state);
                    }
                    self.changed.notify_all();
                }
                FromAgent::Revoke { id } => {
                    if let Some(grant) = &mut state.grant
                        && grant.id == id
                    {
                        grant.left = 0;
                        if !state.running {
                            self.give_back(&mut state);
                        }
                    }
                }
                FromAgent::Plan { batch_size, .. } => state.batch_size = Some(batch_size),
                FromAgent::Fenced { reason } => {
                    tracing::warn!(reason, "the agent went on without this worker");
                    break;
                }
                FromAgent::Refused { reason } => {
                    tracing::warn!(reason, "the agent does not take this worker any more");
                    break;
                }
                // Said to those that infer, or when they attach.
                FromAgent::Welcome { .. }
                | FromAgent::Late { .. }
                | FromAgent::Stand { .. }
                | FromAgent::Rehearse { .. } => {}
            }
        }
        self.lock().lost = true;
        self.changed.notify_all();
    }
}
