//! A network that can be cut.

use std::path::PathBuf;

use tokio::io::AsyncRead;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes pass.
    Whole,
    /// Connections break, and new ones are refused.
    Cut,
    /// Bytes vanish, and nobody is told: neither those who have a connection nor those who want one.
    Silent,
}

/// Passes what comes in over TCP on to a local socket, as long as it is whole.
#[derive(Debug)]
pub struct Wire {
    address: String,
    state: watch::Sender<State>,
    passing: JoinHandle<()>,
}

impl Wire {
    /// Lays a wire to a socket.
    ///
    /// # Panics
    /// When there is no port.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state = watch::Sender::new(State::Whole);
        let watched = state.subscribe();
        let passing = tokio::spawn(async move {
            loop {
                let Ok((near, _)) = listener.accept().await else { continue };
                if *watched.borrow() == State::Cut {
                    continue;
                }
                tokio::spawn(pass(near, socket.clone(), watched.clone()));
            }
        });
        Self { address, state, passing }
    }

    /// Where to reach the socket over it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Cuts it.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Lets everything vanish that is sent over it. A connection over which something was lost stays
    /// dead for good, as behind a router that has forgotten it.
    pub fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    /// Makes it whole again.
    pub fn heal(&self) {
        self.state.send_replace(State::Whole);
    }
}

/// Passes one connection on for as long as the wire is whole.
async fn pass(mut near: TcpStream, socket: PathBuf, mut watched: watch::Receiver<State>) {
    if *watched.borrow() == State::Whole {
        let Ok(mut far) = UnixStream::connect(socket).await else { return };
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
            _ = watched.wait_for(|state| *state != State::Whole) => {}
        }
        if *watched.borrow() == State::Silent {
            // Neither side learns that the other has nothing more to say.
            let _ = tokio::join!(swallow(&mut near), swallow(&mut far));
        }
    } else {
        swallow(&mut near).await;
    }
}

/// Takes what comes until the other side gives up.
async fn swallow(stream: &mut (impl AsyncRead + Unpin)) {
    let _ = tokio::io::copy(stream, &mut tokio::io::sink()).await;
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.passing.abort();
    }
}
