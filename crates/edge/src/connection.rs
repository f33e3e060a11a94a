//! A connection that ends when nothing goes over it, or when who is there is not believed any more.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::transport::server::Connected;

use crate::limits::QUIET;
use crate::peer::{Peer, Standing};
use crate::seats::Seat;

/// What bytes go over.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A connection that was let in.
pub struct Connection {
    bytes: Box<dyn Bytes>,
    pub(crate) peer: Peer,
    _seat: Seat,
    /// When something last went over it.
    last: Instant,
    /// When to look whether something did.
    look: Pin<Box<Sleep>>,
    /// When who is there is not believed any more.
    until: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(bytes: impl Bytes + 'static, peer: Peer, seat: Seat) -> Self {
        let last = Instant::now();
        let until = match &peer.standing {
            Standing::Certified(_, until) => {
                let left = (*until - OffsetDateTime::now_utc()).try_into().unwrap_or_default();
                last.checked_add(left)
            }
            Standing::Trusted(_) | Standing::Stranger(_) => None,
        };
        let look = Box::pin(sleep_until(last + QUIET));
        let mut connection = Self { bytes: Box::new(bytes), peer, _seat: seat, last, look, until };
        connection.look_again();
        connection
    }

    fn look_again(&mut self) {
        let quiet = self.last + QUIET;
        let next = self.until.map_or(quiet, |until| until.min(quiet));
        self.look.as_mut().reset(next);
    }

    /// Whether it is over.
    fn over(&mut self, context: &mut Context<'_>) -> Option<io::Error> {
        while self.look.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if self.until.is_some_and(|until| now >= until) {
                return Some(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the certificate has expired",
                ));
            }
            if now >= self.last + QUIET {
                return Some(io::Error::new(io::ErrorKind::TimedOut, "nothing goes over it"));
            }
            self.look_again();
        }
        None
    }

    fn went<T>(
        &mut self,
        context: &mut Context<'_>,
        went: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if went.is_ready() {
            self.last = Instant::now();
        }
        match self.over(context) {
            Some(error) => Poll::Ready(Err(error)),
            None => went,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.bytes).poll_read(context, buffer);
        self.went(context, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.bytes).poll_write(context, bytes);
        self.went(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(context)
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}
