//! Where a process listens, before it serves.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fulcrum_api::{Address, AddressError};
use fulcrum_credentials::CredentialsError;
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::edge::Edge;
use crate::incoming::{Door, Incoming, Spoken};
use crate::peer::LocalUsers;

/// Why a process has no edge.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The folder of credentials cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The list of who is let in cannot be used.
    #[error("--access: {0}")]
    Access(String),
    /// The audit cannot be written.
    #[error("--audit {file}: {error}")]
    Audit {
        /// The file.
        file: String,
        /// Why not.
        error: io::Error,
    },
    /// It cannot listen there.
    #[error("{flag} {address}: {error}")]
    Listen {
        /// The flag that says where.
        flag: &'static str,
        /// Where.
        address: String,
        /// Why not.
        error: io::Error,
    },
}

/// Where a process listens, before it serves. A local socket goes when this is dropped.
#[derive(Debug)]
pub struct Bound {
    edge: Edge,
    address: Address,
    /// There until it is served.
    door: Option<Door>,
}

impl Bound {
    /// Binds what a flag says, for gRPC. A local socket that a dead process left is replaced; one at
    /// which somebody answers is not.
    ///
    /// # Errors
    /// When it cannot be bound, or should not be.
    pub async fn grpc(
        edge: &Edge,
        flag: &'static str,
        address: &Address,
        controls: LocalUsers,
    ) -> Result<Self, EdgeError> {
        let shown = address.to_string();
        let failed = |error| EdgeError::Listen { flag, address: shown, error };
        let bound = match address {
            Address::Socket(path) => {
                let door =
                    Door::Local(bind_socket(path, &controls).await.map_err(failed)?, controls);
                (door, address.clone())
            }
            Address::Network(_) => network(edge, address, Spoken::Grpc).await.map_err(failed)?,
        };
        let (door, address) = bound;
        Ok(Self { edge: edge.clone(), address, door: Some(door) })
    }

    /// Binds what a flag says, for pages and metrics: over TLS where this process has a certificate.
    ///
    /// # Errors
    /// When it cannot be bound, or should not be.
    pub async fn pages(
        edge: &Edge,
        flag: &'static str,
        address: SocketAddr,
    ) -> Result<Self, EdgeError> {
        let scheme = if edge.servers().is_some() { "https" } else { "http" };
        let wanted = Address::Network(format!("{scheme}://{address}"));
        let failed = |error| EdgeError::Listen { flag, address: address.to_string(), error };
        let (door, address) = network(edge, &wanted, Spoken::Pages).await.map_err(failed)?;
        Ok(Self { edge: edge.clone(), address, door: Some(door) })
    }

    /// Where it listens; with the port that the system chose, where none was named.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Its host and port, where it listens in the network.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        self.address.authority()?.parse().ok()
    }

    /// What its processes share.
    pub const fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Those who come in from now on; nobody the second time.
    pub fn incoming(&mut self) -> Option<Incoming> {
        Some(Incoming::new(self.edge.clone(), self.door.take()?))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Address::Socket(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A socket that its owner and its group may use; one for looking at alone, everybody.
async fn bind_socket(path: &Path, controls: &LocalUsers) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if path.exists() {
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process answers there"));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    let mode = if *controls == LocalUsers::None { 0o666 } else { 0o660 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

async fn network(edge: &Edge, address: &Address, spoken: Spoken) -> io::Result<(Door, Address)> {
    let wrong = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if address.is_secure() && edge.servers().is_none() {
        return wrong(
            "needs a certificate; name a folder of cert.pem, key.pem and ca.pem with --credentials",
        );
    }
    let listener = TcpListener::bind(address.authority().unwrap_or_default()).await?;
    let local = listener.local_addr()?;
    if address.is_secure() {
        let address = Address::Network(format!("https://{local}"));
        return Ok((Door::Secure(listener, spoken), address));
    }
    if !local.ip().is_loopback() {
        if !edge.allows_plain() {
            return wrong(
                "whoever reached it could read all that is said and ask for anything; give this \
                 process a certificate with --credentials and listen at https://, or say --allow-plain",
            );
        }
        tracing::warn!(address = %local, "whoever reaches this address may ask for anything");
    }
    Ok((Door::Plain(listener), Address::Network(format!("http://{local}"))))
}

/// Where to listen, as it is written: a bare `host:port` is one without TLS.
///
/// # Errors
/// Says how one is written.
pub fn listen_address(text: &str) -> Result<Address, AddressError> {
    let bare = !text.contains("://") && text.contains(':');
    if bare { format!("http://{text}").parse() } else { text.parse() }
}

/// Where to serve pages and metrics, as it is written.
///
/// # Errors
/// Says how one is written.
pub fn page_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no IP address with a port; write it like 127.0.0.1:9600 or [::]:9600")
    })
}
