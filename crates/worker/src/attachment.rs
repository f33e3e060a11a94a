//! The connection to an agent.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::idle::run_when_idle;
use crate::wire::{self, BadLine, FromAgent, FromWorker, Kind, Lines, PROTOCOL};

/// Where an agent listens for workers unless it is told otherwise.
const SOCKET: &str = "/run/fulcrum/workers.sock";
/// Says where it listens.
const SOCKET_VARIABLE: &str = "FULCRUM_WORKER_SOCKET";
/// How long an agent may take to answer a worker that attaches, or to read what it says.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before an agent that is not there is looked for again.
pub(crate) const RETRY: Duration = Duration::from_secs(1);
/// The same for an agent that refused.
const RETRY_REFUSED: Duration = Duration::from_secs(10);

/// What a worker is, and where its agent listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    workload: String,
    batch_sizes: Vec<u32>,
    fingerprint: String,
    preemptible: bool,
    socket: PathBuf,
}

impl Options {
    /// A worker for a workload, as plans and profiles name it, with the batch sizes that it can
    /// run. The agent's socket is that of the variable `FULCRUM_WORKER_SOCKET`, or
    /// `/run/fulcrum/workers.sock`.
    pub fn new(workload: impl Into<String>, batch_sizes: impl IntoIterator<Item = u32>) -> Self {
        let socket = std::env::var_os(SOCKET_VARIABLE).map_or_else(|| SOCKET.into(), PathBuf::from);
        let mut batch_sizes: Vec<u32> = batch_sizes.into_iter().collect();
        batch_sizes.sort_unstable();
        batch_sizes.dedup();
        Self {
            workload: workload.into(),
            batch_sizes,
            fingerprint: String::new(),
            preemptible: false,
            socket,
        }
    }

    /// The same worker in a version of its network: whatever changes what a minibatch costs, like the
    /// size of a sample or the number of layers, has another fingerprint. Profiles of one version say
    /// nothing certain of another. At most 64 letters, digits, dots, hyphens and underscores.
    #[must_use]
    pub fn fingerprint(mut self, fingerprint: impl Into<String>) -> Self {
        self.fingerprint = fingerprint.into();
        self
    }

    /// The same worker, whose minibatches are preempted when requests have to be answered, instead of
    /// letting them wait for the end of one. For training that computes on the processor, which the
    /// system can take from it at any moment, as nobody can a GPU: once it attaches, the whole
    /// process runs only while no other wants to (`SCHED_IDLE`), until it ends.
    #[must_use]
    pub const fn preemptible(mut self) -> Self {
        self.preemptible = true;
        self
    }

    /// The same worker with its agent at another socket.
    #[must_use]
    pub fn socket(mut self, path: impl AsRef<Path>) -> Self {
        path.as_ref().clone_into(&mut self.socket);
        self
    }

    /// The largest batch size, for a worker that runs alone.
    pub(crate) fn largest(&self) -> u32 {
        self.batch_sizes.last().copied().unwrap_or(1)
    }

    /// Whether requests need not wait for the end of a minibatch. The process is made to yield to
    /// others for that.
    fn yields(&self, kind: Kind) -> bool {
        if !self.preemptible || kind == Kind::Infer {
            return false;
        }
        let yields = run_when_idle();
        if let Err(error) = &yields {
            let workload = &self.workload;
            tracing::warn!(workload, %error, "requests wait for the end of each minibatch");
        }
        yields.is_ok()
    }

    /// Says once that the worker runs alone, and why.
    pub(crate) fn warn_alone(&self, error: &AttachError) {
        tracing::warn!(
            workload = self.workload,
            socket = %self.socket.display(),
            %error,
            "running without turns"
        );
    }
}

/// Why a worker is not attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Nobody listens at the socket, or the connection failed.
    #[error("no agent at {}: {error}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
    /// The agent does not take this worker.
    #[error("the agent refused: {0}")]
    Refused(String),
    /// What answers is no agent.
    #[error("what answers there is no agent: {0}")]
    Malformed(String),
}

impl AttachError {
    /// How long to run alone before the agent is asked again. One that refuses will most likely do so
    /// again, and writes it down each time.
    pub(crate) const fn retry_after(&self) -> Duration {
        match self {
            Self::Refused(_) => RETRY_REFUSED,
            Self::Unreachable { .. } | Self::Malformed(_) => RETRY,
        }
    }
}

/// A connection on which this worker is attached.
#[derive(Debug)]
pub(crate) struct Attachment {
    stream: UnixStream,
    lines: Lines,
}

impl Attachment {
    /// Connects and attaches.
    pub(crate) fn open(
        options: &Options,
        kind: Kind,
        rehearses: bool,
    ) -> Result<Self, AttachError> {
        let unreachable =
            |error| AttachError::Unreachable { socket: options.socket.clone(), error };
        let stream = UnixStream::connect(&options.socket).map_err(unreachable)?;
        let mut attachment = Self { stream, lines: Lines::default() };
        let timeouts = |stream: &UnixStream, read| {
            stream.set_read_timeout(read)?;
            stream.set_write_timeout(Some(PATIENCE))
        };
        timeouts(&attachment.stream, Some(PATIENCE)).map_err(unreachable)?;
        let attach = FromWorker::Attach {
            protocol: PROTOCOL,
            workload: options.workload.clone(),
            kind,
            batch_sizes: options.batch_sizes.clone(),
            rehearses,
            fingerprint: options.fingerprint.clone(),
            preemptible: options.yields(kind),
            stands: kind == Kind::Infer,
        };
        send(&attachment.stream, &attach).map_err(unreachable)?;
        match attachment.receive().map_err(unreachable)? {
            FromAgent::Welcome { worker } => {
                tracing::debug!(worker, workload = options.workload, "attached");
            }
            FromAgent::Refused { reason } => return Err(AttachError::Refused(reason)),
            other => return Err(AttachError::Malformed(format!("it began with {other:?}"))),
        }
        // From here on the agent may be silent for as long as it likes.
        timeouts(&attachment.stream, None).map_err(unreachable)?;
        Ok(attachment)
    }

    /// The other half, to say something from another thread, or to end the connection.
    pub(crate) fn writer(&self) -> io::Result<UnixStream> {
        self.stream.try_clone()
    }

    /// Waits for what the agent says next.
    pub(crate) fn receive(&mut self) -> io::Result<FromAgent> {
        loop {
            if let Some(message) = self.received()? {
                return Ok(message);
            }
            self.read()?;
        }
    }

    /// What the agent has said, as far as it has been read.
    pub(crate) fn received(&mut self) -> io::Result<Option<FromAgent>> {
        let invalid = |bad: BadLine| io::Error::new(io::ErrorKind::InvalidData, bad);
        self.lines.message().map_err(invalid)
    }

    /// Reads what the agent says, and waits until it says something.
    pub(crate) fn read(&mut self) -> io::Result<()> {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.lines.push(&bytes[..count]);
                Ok(())
            }
        }
    }

    /// Waits until the agent says something, until this thread is woken, or for so long; without an
    /// end where there is none. Says whether there is something to read from the agent.
    pub(crate) fn wait(&self, woken: &UnixStream, time: Option<Duration>) -> io::Result<bool> {
        let timeout = time.map(|time| Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        let mut either =
            [PollFd::new(&self.stream, PollFlags::IN), PollFd::new(woken, PollFlags::IN)];
        match poll(&mut either, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [agent, itself] = either.map(|one| !one.revents().is_empty());
        if itself {
            let mut woken = woken;
            // However often it was woken, it is awake.
            let _ = woken.read(&mut [0; 64]);
        }
        Ok(agent)
    }
}

/// Says something to the agent.
pub(crate) fn send(mut stream: &UnixStream, message: &FromWorker) -> io::Result<()> {
    stream.write_all(&wire::line(message))
}
