//! An inference program's side of taking turns.

use std::collections::VecDeque;
use std::mem;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::attachment::{AttachError, Attachment, Options, RETRY, send};
use crate::monotonic::now_ns;
use crate::wire::{FromAgent, FromWorker, Kind, MOST_ARRIVALS, Minibatch};

/// Takes requests, and answers them in minibatches when it is their turn.
///
/// Dropping it ends its thread; requests that still wait are dropped.
pub struct Batcher<Request, Answer> {
    shared: Arc<Shared<Request, Answer>>,
}

/// An answer that is to come.
#[derive(Debug)]
pub struct Pending<Answer> {
    answer: mpsc::Receiver<Answer>,
}

/// A request that will not be answered: its batcher ended, or gave too few answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request was dropped: the program that answers has ended or gave no answer for it")]
pub struct Dropped;

impl<Answer> Pending<Answer> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// When there will be none.
    pub fn wait(self) -> Result<Answer, Dropped> {
        self.answer.recv().map_err(|_| Dropped)
    }
}

impl<Request: Send + 'static, Answer: Send + 'static> Batcher<Request, Answer> {
    /// Attaches to the agent and answers requests from then on, on a thread of its own. `infer`
    /// answers one minibatch: an answer for each request, in their order, with nothing left to the
    /// device. Where no agent answers that is logged once, requests are answered as they come, and
    /// the agent is looked for again.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        options: Options,
        infer: impl FnMut(Vec<Request>) -> Vec<Answer> + Send + 'static,
    ) -> std::io::Result<Self> {
        Self::start_with(options, infer, None::<fn() -> Request>)
    }

    /// The same, with samples: the agent can then measure this worker without requests, which a
    /// search for a plan needs. Every call of `sample` gives a request as real ones are.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start_with_samples(
        options: Options,
        infer: impl FnMut(Vec<Request>) -> Vec<Answer> + Send + 'static,
        sample: impl FnMut() -> Request + Send + 'static,
    ) -> std::io::Result<Self> {
        Self::start_with(options, infer, Some(sample))
    }

    fn start_with(
        options: Options,
        infer: impl FnMut(Vec<Request>) -> Vec<Answer> + Send + 'static,
        sample: Option<impl FnMut() -> Request + Send + 'static>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { waiting: VecDeque::new(), agent: None, ended: false }),
            came: Condvar::new(),
            late: AtomicU32::new(0),
        });
        let server = Server { shared: shared.clone(), options, infer, sample, warned: false };
        thread::Builder::new().name("fulcrum-batcher".into()).spawn(move || server.serve())?;
        Ok(Self { shared })
    }

    /// Takes a request.
    pub fn submit(&self, request: Request) -> Pending<Answer> {
        let (sender, answer) = mpsc::channel();
        let mut state = self.shared.lock();
        let at_ns = now_ns();
        state.waiting.push_back(Waiting { request, at_ns, sender });
        state.tell(&[at_ns]);
        if state.agent.is_none() {
            self.shared.came.notify_one();
        }
        Pending { answer }
    }

    /// How many of the oldest requests that wait will be answered too late, as the agent last said.
    pub fn will_be_late(&self) -> u32 {
        self.shared.late.load(Ordering::Relaxed)
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// Whether an agent gives turns now.
    pub fn is_attached(&self) -> bool {
        self.shared.lock().agent.is_some()
    }
}

impl<Request, Answer> Drop for Batcher<Request, Answer> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        state.leave();
        self.shared.came.notify_one();
    }
}

struct Waiting<Request, Answer> {
    request: Request,
    at_ns: u64,
    sender: mpsc::Sender<Answer>,
}

struct State<Request, Answer> {
    waiting: VecDeque<Waiting<Request, Answer>>,
    /// Where to tell of arrivals; none while there is no agent.
    agent: Option<UnixStream>,
    /// Whether the batcher was dropped.
    ended: bool,
}

impl<Request, Answer> State<Request, Answer> {
    /// Tells the agent of arrivals, as long as there is one.
    fn tell(&mut self, arrivals: &[u64]) {
        let Some(agent) = &self.agent else { return };
        let told = arrivals
            .chunks(MOST_ARRIVALS)
            .all(|at| send(agent, &FromWorker::Arrived { at_ns: at.to_vec() }).is_ok());
        if !told {
            self.leave();
        }
    }

    /// Ends the connection; the thread that listens on it sees that.
    fn leave(&mut self) {
        if let Some(agent) = self.agent.take() {
            let _ = agent.shutdown(Shutdown::Both);
        }
    }
}

struct Shared<Request, Answer> {
    state: Mutex<State<Request, Answer>>,
    came: Condvar,
    late: AtomicU32,
}

impl<Request, Answer> Shared<Request, Answer> {
    fn lock(&self) -> MutexGuard<'_, State<Request, Answer>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Server<Request, Answer, Infer, Sample> {
    shared: Arc<Shared<Request, Answer>>,
    options: Options,
    infer: Infer,
    sample: Option<Sample>,
    warned: bool,
}

impl<Request, Answer, Infer, Sample> Server<Request, Answer, Infer, Sample>
where
    Infer: FnMut(Vec<Request>) -> Vec<Answer>,
    Sample: FnMut() -> Request,
{
    fn serve(mut self) {
        while !self.shared.lock().ended {
            match Attachment::open(&self.options, Kind::Infer, self.sample.is_some()) {
                Ok(attachment) => self.serve_turns(attachment),
                Err(error) => {
                    if !mem::replace(&mut self.warned, true) {
                        self.options.warn_alone(&error);
                    }
                    let fatal = matches!(error, AttachError::Refused(_));
                    self.serve_alone(if fatal { 10 * RETRY } else { RETRY });
                }
            }
        }
    }

    /// Answers requests when the agent says so, until the connection ends.
    fn serve_turns(&mut self, mut attachment: Attachment) {
        {
            let Ok(agent) = attachment.writer() else { return };
            let mut state = self.shared.lock();
            if state.ended {
                return;
            }
            state.agent = Some(agent);
            // What came while there was no agent still has its own time of arrival.
            let arrivals: Vec<u64> = state.waiting.iter().map(|waiting| waiting.at_ns).collect();
            state.tell(&arrivals);
        }
        while let Ok(message) = attachment.receive() {
            match message {
                FromAgent::Grant { id, requests, .. } => self.answer(id, requests),
                FromAgent::Rehearse { id, requests } => self.rehearse(id, requests),
                FromAgent::Late { requests } => self.shared.late.store(requests, Ordering::Relaxed),
                FromAgent::Fenced { reason } | FromAgent::Refused { reason } => {
                    tracing::warn!(reason, "the agent went on without this worker");
                    break;
                }
                // A minibatch that was granted is begun at once and run to its end.
                FromAgent::Revoke { .. } | FromAgent::Plan { .. } | FromAgent::Welcome { .. } => {}
            }
        }
        self.shared.lock().leave();
        self.shared.late.store(0, Ordering::Relaxed);
    }

    /// Runs one minibatch under a grant.
    fn answer(&mut self, grant: u64, requests: u32) {
        let taken = self.take(requests);
        let count = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let (senders, answers, minibatch) = self.run(taken);
        self.give_back(grant, if count == 0 { Vec::new() } else { vec![minibatch] });
        deliver(senders, answers);
    }

    /// Runs one minibatch of samples, to be measured.
    fn rehearse(&mut self, grant: u64, requests: u32) {
        let Some(sample) = &mut self.sample else { return self.give_back(grant, Vec::new()) };
        let samples: Vec<Request> = (0..requests).map(|_| sample()).collect();
        let began_ns = now_ns();
        drop((self.infer)(samples));
        let minibatch = Minibatch { began_ns, ended_ns: now_ns(), requests: 0 };
        self.give_back(grant, vec![minibatch]);
    }

    fn give_back(&self, grant: u64, minibatches: Vec<Minibatch>) {
        let mut state = self.shared.lock();
        let ran = FromWorker::Ran { grant, minibatches, done: true };
        let told = state.agent.as_ref().is_some_and(|agent| send(agent, &ran).is_ok());
        if !told {
            state.leave();
        }
    }

    /// Answers requests as they come, for a while.
    fn serve_alone(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            let mut state = self.shared.lock();
            while state.waiting.is_empty() && !state.ended {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                let waited = self.shared.came.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            if state.ended || Instant::now() >= until {
                return;
            }
            drop(state);
            let taken = self.take(self.options.largest());
            let (senders, answers, _) = self.run(taken);
            deliver(senders, answers);
        }
    }

    fn take(&self, requests: u32) -> Vec<Waiting<Request, Answer>> {
        let mut state = self.shared.lock();
        let count = state.waiting.len().min(requests as usize);
        state.waiting.drain(..count).collect()
    }

    fn run(
        &mut self,
        taken: Vec<Waiting<Request, Answer>>,
    ) -> (Vec<mpsc::Sender<Answer>>, Vec<Answer>, Minibatch) {
        let requests = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let (inputs, senders) =
            taken.into_iter().map(|waiting| (waiting.request, waiting.sender)).unzip();
        let began_ns = now_ns();
        let answers = if requests == 0 { Vec::new() } else { (self.infer)(inputs) };
        (senders, answers, Minibatch { began_ns, ended_ns: now_ns(), requests })
    }
}

/// Gives the answers to those who wait for them. The rest are told that there is none.
fn deliver<Answer>(senders: Vec<mpsc::Sender<Answer>>, answers: Vec<Answer>) {
    if answers.len() != senders.len() {
        tracing::error!(
            requests = senders.len(),
            answers = answers.len(),
            "a minibatch has not one answer for each request"
        );
    }
    for (sender, answer) in senders.into_iter().zip(answers) {
        // Whoever asked may not want to know any more.
        let _ = sender.send(answer);
    }
}
