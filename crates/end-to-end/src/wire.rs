//! A network that can be cut.

use std::path::PathBuf;

use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes pass.
    Whole,
    /// Connections break, and new ones are refused.
    Cut,
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
                let mut watched = watched.clone();
                if *watched.borrow() == State::Cut {
                    continue;
                }
                let socket = socket.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = UnixStream::connect(socket).await else { return };
                    let mut near = near;
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = watched.wait_for(|state| *state == State::Cut) => {}
                    }
                });
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

    /// Makes it whole again.
    pub fn heal(&self) {
        self.state.send_replace(State::Whole);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.passing.abort();
    }
}
