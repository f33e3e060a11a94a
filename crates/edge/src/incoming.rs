//! Connections as they come in, those alone that are let in.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;

use crate::connection::Connection;
use crate::edge::Edge;
use crate::limits::SHAKING_HANDS;
use crate::peer::{LocalUsers, Peer};
use crate::seats::{Seat, Seats};

/// So many connections wait to be served.
const WAITING: usize = 64;
/// How long to rest when no connection can be taken.
const REST: Duration = Duration::from_millis(50);

/// What is listened at, and how whoever calls is told.
#[derive(Debug)]
pub(crate) enum Door {
    /// By the kernel.
    Local(UnixListener, LocalUsers),
    /// Not at all, or by a token.
    Plain(TcpListener),
    /// By TLS and a certificate, or by a token.
    Secure(TcpListener, Spoken),
}

/// What is spoken over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    Grpc,
    Pages,
}

/// Connections that are let in, shaken hands with.
#[derive(Debug)]
pub struct Incoming {
    connections: mpsc::Receiver<Connection>,
    accepting: JoinHandle<()>,
}

impl Incoming {
    pub(crate) fn new(edge: Edge, door: Door) -> Self {
        let (sender, connections) = mpsc::channel(WAITING);
        let seats = Seats::new(edge.limits(), edge.counts().clone());
        let accepting = tokio::spawn(async move {
            let accepting = Accepting { edge, seats, sender };
            match door {
                Door::Local(listener, controls) => loop {
                    let accepted = listener.accept().await.map(|(stream, _)| stream);
                    accepting.local(accepted, &controls).await;
                },
                Door::Plain(listener) => loop {
                    accepting.plain(listener.accept().await).await;
                },
                Door::Secure(listener, spoken) => loop {
                    accepting.secure(listener.accept().await, spoken).await;
                },
            }
        });
        Self { connections, accepting }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Connection>>> {
        self.connections.poll_recv(context).map(|connection| connection.map(Ok))
    }
}

impl axum::serve::Listener for Incoming {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        match self.connections.recv().await {
            Some(connection) => {
                let peer = connection.peer.clone();
                (connection, peer)
            }
            // Whoever accepts goes on for as long as this is there.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Err(io::Error::other("it is not asked for"))
    }
}

struct Accepting {
    edge: Edge,
    seats: Seats,
    sender: mpsc::Sender<Connection>,
}

impl Accepting {
    async fn local(&self, accepted: io::Result<UnixStream>, controls: &LocalUsers) {
        let Some(stream) = self.taken(accepted).await else { return };
        let Ok(who) = stream.peer_cred() else { return };
        let peer = Peer::local(who.uid(), who.pid(), controls);
        if let Some(seat) = self.seat(&peer.place) {
            let _ = self.sender.send(Connection::new(stream, peer, seat)).await;
        }
    }

    async fn plain(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        let Some((stream, from)) = self.taken(accepted).await else { return };
        let peer = Peer::plain(from, self.edge.asks_for_tokens());
        if let Some(seat) = self.seat(&peer.place) {
            let _ = stream.set_nodelay(true);
            let _ = self.sender.send(Connection::new(stream, peer, seat)).await;
        }
    }

    /// Shakes hands in a task of its own, so that nobody waits for one who is slow.
    async fn secure(&self, accepted: io::Result<(TcpStream, SocketAddr)>, spoken: Spoken) {
        let Some((stream, from)) = self.taken(accepted).await else { return };
        let Some(seat) = self.seat(&from.ip().to_string()) else { return };
        let Some(servers) = self.edge.servers() else { return };
        let (edge, sender) = (self.edge.clone(), self.sender.clone());
        let acceptor = TlsAcceptor::from(match spoken {
            Spoken::Grpc => Arc::clone(&servers.grpc),
            Spoken::Pages => Arc::clone(&servers.pages),
        });
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let failed = match timeout(SHAKING_HANDS, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let shown = stream.get_ref().1.peer_certificates();
                    let shown = shown.and_then(|chain| chain.first()).map(AsRef::as_ref);
                    let peer = Peer::secure(from, shown);
                    let _ = sender.send(Connection::new(stream, peer, seat)).await;
                    return;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("it took longer than {} s", SHAKING_HANDS.as_secs()),
            };
            edge.handshake_failed(from, &failed);
        });
    }

    /// What was accepted; where nothing could be, it rests, because that may be so for a while.
    async fn taken<T>(&self, accepted: io::Result<T>) -> Option<T> {
        match accepted {
            Ok(taken) => Some(taken),
            Err(error) => {
                self.edge.not_accepted(&error);
                tokio::time::sleep(REST).await;
                None
            }
        }
    }

    /// A place for a connection from there; without one it is closed.
    fn seat(&self, from: &str) -> Option<Seat> {
        self.seats.take(from.to_owned()).inspect_err(|full| self.edge.turned_away(from, *full)).ok()
    }
}
