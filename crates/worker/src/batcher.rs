//! An inference program's side of taking turns.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::mem;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::attachment::{Attachment, Options, send};
use crate::monotonic::now_ns;
use crate::standing::Standing;
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
    ) -> io::Result<Self> {
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
    ) -> io::Result<Self> {
        Self::start_with(options, infer, Some(sample))
    }

    fn start_with(
        options: Options,
        infer: impl FnMut(Vec<Request>) -> Vec<Answer> + Send + 'static,
        sample: Option<impl FnMut() -> Request + Send + 'static>,
    ) -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let state =
            State { waiting: VecDeque::new(), agent: None, sleeps_until: None, ended: false };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            came: Condvar::new(),
            wake,
            late: AtomicU32::new(0),
        });
        let server =
            Server { shared: shared.clone(), options, infer, sample, woken, warned: false };
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
        let waiting = state.waiting.len();
        let wakes = state.sleeps_until.take_if(|until| waiting >= *until).is_some();
        // Who wakes needs the lock at once.
        drop(state);
        if wakes {
            // Where there is no room, it has been woken before.
            let _ = (&self.shared.wake).write(&[0]);
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
    /// How many have to wait for the thread that answers to be woken; none while it is awake, and
    /// where the agent says when to answer.
    sleeps_until: Option<usize>,
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
    wake: UnixStream,
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
    woken: UnixStream,
    warned: bool,
}

/// What a worker does next.
enum Next {
    /// Hears the agent.
    Hears(FromAgent),
    /// Answers so many requests by itself.
    Answers(u32),
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
                    self.serve_alone(error.retry_after());
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
        let mut standing: Option<Standing> = None;
        while let Ok(next) = self.next(&mut attachment, standing.as_ref()) {
            let message = match (next, &standing) {
                (Next::Hears(message), _) => message,
                (Next::Answers(requests), Some(Standing { grant, .. })) => {
                    self.answer(*grant, requests, false);
                    continue;
                }
                (Next::Answers(_), None) => continue,
            };
            match message {
                FromAgent::Grant { id, requests, .. } => self.answer(id, requests, true),
                FromAgent::Stand { id, sizes } => standing = Some(Standing { grant: id, sizes }),
                FromAgent::Revoke { id } => {
                    // Any other is a minibatch that was begun at once and run to its end.
                    if standing.take_if(|standing| standing.grant == id).is_some() {
                        self.tell(id, Vec::new(), true);
                    }
                }
                FromAgent::Rehearse { id, requests } => self.rehearse(id, requests),
                FromAgent::Late { requests } => self.shared.late.store(requests, Ordering::Relaxed),
                FromAgent::Fenced { reason } | FromAgent::Refused { reason } => {
                    tracing::warn!(reason, "the agent went on without this worker");
                    break;
                }
                FromAgent::Plan { .. } | FromAgent::Welcome { .. } => {}
            }
        }
        self.shared.lock().leave();
        self.shared.late.store(0, Ordering::Relaxed);
    }

    /// Waits for the agent, or in a turn that stands until there is something to answer.
    fn next(&self, attachment: &mut Attachment, standing: Option<&Standing>) -> io::Result<Next> {
        let Some(standing) = standing else { return attachment.receive().map(Next::Hears) };
        loop {
            if let Some(message) = attachment.received()? {
                return Ok(Next::Hears(message));
            }
            let (answers, bears) = self.decide(standing);
            if attachment.wait(&self.woken, bears)? {
                attachment.read()?;
            } else if let Some(requests) = answers {
                return Ok(Next::Answers(requests));
            }
        }
    }

    /// How many requests to answer now, and for how long there is nothing to do otherwise.
    fn decide(&self, standing: &Standing) -> (Option<u32>, Option<Duration>) {
        let mut state = self.shared.lock();
        let waiting = state.waiting.len();
        let Some(oldest) = state.waiting.front() else {
            state.sleeps_until = Some(standing.decides_with(0));
            return (None, None);
        };
        let waited = Duration::from_nanos(now_ns().saturating_sub(oldest.at_ns));
        let answers = standing.answers(waiting, waited);
        state.sleeps_until = answers.is_none().then(|| standing.decides_with(waiting));
        let bears = if answers.is_some() { Duration::ZERO } else { standing.bears(waited) };
        (answers, Some(bears))
    }

    /// Runs one minibatch in a turn, which may be over with it.
    fn answer(&mut self, grant: u64, requests: u32, done: bool) {
        let taken = self.take(requests);
        let count = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let (senders, answers, minibatch) = self.run(taken);
        self.tell(grant, if count == 0 { Vec::new() } else { vec![minibatch] }, done);
        deliver(senders, answers);
    }

    /// Runs one minibatch of samples, to be measured.
    fn rehearse(&mut self, grant: u64, requests: u32) {
        let Some(sample) = &mut self.sample else { return self.tell(grant, Vec::new(), true) };
        let samples: Vec<Request> = (0..requests).map(|_| sample()).collect();
        let began_ns = now_ns();
        drop((self.infer)(samples));
        let minibatch = Minibatch { began_ns, ended_ns: now_ns(), requests: 0 };
        self.tell(grant, vec![minibatch], true);
    }

    /// Tells of minibatches that ran in a turn, and whether it is over.
    fn tell(&self, grant: u64, minibatches: Vec<Minibatch>, done: bool) {
        let mut state = self.shared.lock();
        let ran = FromWorker::Ran { grant, minibatches, done };
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
