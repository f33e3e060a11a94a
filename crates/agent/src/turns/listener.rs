//! The socket for workers, and who may attach to it.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

/// Which users' processes may attach, beside root's and the agent's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// Everyone's.
    Anyone,
    /// Those of these users, by number.
    Users(Vec<u32>),
}

/// The local socket for workers, which goes when it is dropped.
pub(crate) struct WorkerSocket {
    listener: UnixListener,
    path: PathBuf,
    admitted: Admitted,
}

/// The process on the other side of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) process: u32,
    user: u32,
}

impl WorkerSocket {
    /// Binds the socket. One that a dead agent left is replaced; one that is in use is not.
    pub(crate) fn bind(path: &Path, admitted: Admitted) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if path.exists() {
            if UnixStream::connect(path).is_ok() {
                let problem = "another agent answers there";
                return Err(io::Error::new(io::ErrorKind::AddrInUse, problem));
            }
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        // Who may attach is decided by who they are, for each connection.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path: path.to_owned(), admitted })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection that waits, with who is there, or why they may not attach.
    pub(super) fn accept(&self) -> io::Result<Option<(UnixStream, Result<Peer, String>)>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        let credentials = socket_peercred(&stream)?;
        let peer = Peer {
            process: credentials.pid.as_raw_nonzero().get().unsigned_abs(),
            user: credentials.uid.as_raw(),
        };
        let admitted = self.admit(peer).map(|()| peer);
        Ok(Some((stream, admitted)))
    }

    fn admit(&self, peer: Peer) -> Result<(), String> {
        let own = geteuid().as_raw();
        let Admitted::Users(users) = &self.admitted else { return Ok(()) };
        if peer.user == 0 || peer.user == own || users.contains(&peer.user) {
            return Ok(());
        }
        Err(format!(
            "user {} may not attach here; start the agent with --worker-user {}",
            peer.user, peer.user
        ))
    }
}

impl AsFd for WorkerSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for WorkerSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
