//! One worker's connection, which never makes the floor wait.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use fulcrum_interleave::Moment;
use fulcrum_worker::wire::{self, FromAgent, FromWorker, Lines};

use super::listener::Peer;

pub(super) struct Connection {
    stream: UnixStream,
    lines: Lines,
    pub(super) peer: Peer,
    /// When it has to have said who it is, until it has.
    pub(super) attach_by: Option<Moment>,
    /// Whether it can run minibatches of samples of its own.
    pub(super) rehearses: bool,
    /// Whether requests need not wait for the end of its minibatches.
    pub(super) preemptible: bool,
    /// Whether it answers requests by itself where it may.
    pub(super) stands: bool,
    /// Until then nobody is woken by what it says.
    pub(super) quiet_until: Moment,
    /// What tells its version of the workload from others; empty where nothing does.
    pub(super) fingerprint: String,
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Ended {
    /// The other side closed it, or it broke.
    Gone,
    /// What came is no message.
    Malformed(String),
}

impl Connection {
    pub(super) fn new(stream: UnixStream, peer: Peer, attach_by: Moment) -> Self {
        Self {
            stream,
            lines: Lines::default(),
            peer,
            attach_by: Some(attach_by),
            rehearses: false,
            preemptible: false,
            stands: false,
            quiet_until: Moment::START,
            fingerprint: String::new(),
        }
    }

    /// Says something. A worker that does not read what it is told is as good as gone.
    pub(super) fn say(&mut self, message: &FromAgent) -> Result<(), Ended> {
        let line = wire::line(message);
        match self.stream.write(&line) {
            Ok(written) if written == line.len() => Ok(()),
            _ => Err(Ended::Gone),
        }
    }

    /// Takes in what has come, and says whether anything had.
    pub(super) fn read(&mut self) -> Result<bool, Ended> {
        let mut bytes = [0; 16 << 10];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err(Ended::Gone),
            Ok(count) => {
                self.lines.push(&bytes[..count]);
                Ok(true)
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(false)
            }
            Err(_) => Err(Ended::Gone),
        }
    }

    /// The next message that has come whole.
    pub(super) fn message(&mut self) -> Result<Option<FromWorker>, Ended> {
        self.lines.message().map_err(|bad| Ended::Malformed(bad.to_string()))
    }
}

/// Says something on a connection that goes no further.
pub(super) fn say_last(stream: &UnixStream, message: &FromAgent) -> io::Result<()> {
    (&*stream).write_all(&wire::line(message))
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
