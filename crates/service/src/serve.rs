//! Serving gRPC, with health and reflection, on a local socket or in the network.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use axum::Router;
use fulcrum_api::{Address, FILE_DESCRIPTOR_SET};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::service::RoutesBuilder;
use tonic::transport::Server;

use crate::rpcs::Rpcs;

/// So many requests of one connection are answered at a time.
const AT_A_TIME: usize = 64;
/// How often to see whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Where a service listens, before it serves.
#[derive(Debug)]
pub struct Bound {
    /// There until it is served.
    listener: Option<Listener>,
    address: Address,
    http: Option<TcpListener>,
    rpcs: Rpcs,
}

#[derive(Debug)]
enum Listener {
    Socket(UnixListener),
    Network(TcpListener),
}

impl Bound {
    /// Where it listens; with the port that the system chose, where none was named.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where it shows things over HTTP, with the port that the system chose, if it does.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref()?.local_addr().ok()
    }

    /// The calls that it will answer.
    pub const fn rpcs(&self) -> &Rpcs {
        &self.rpcs
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Address::Socket(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Why a service does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen there.
    #[error("--listen {address}: {error}")]
    Listen {
        /// Where.
        address: Address,
        /// Why not.
        error: io::Error,
    },
    /// It cannot listen there for HTTP.
    #[error("--http {address}: {error}")]
    Http {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// Serving ended.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors of what is served are wrong.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Binds the address for gRPC, and the one for HTTP where there is one. A local socket that a dead process left is replaced; one at which somebody
/// answers is not.
///
/// # Errors
/// When it cannot be bound.
pub async fn bind(address: &Address, http: Option<SocketAddr>) -> Result<Bound, ServeError> {
    let (listener, address) = listen(address).await?;
    // What is dropped takes its socket with it.
    let mut bound = Bound { listener: Some(listener), address, http: None, rpcs: Rpcs::default() };
    if let Some(address) = http {
        let listener = TcpListener::bind(address).await;
        bound.http = Some(listener.map_err(|error| ServeError::Http { address, error })?);
    }
    Ok(bound)
}

async fn listen(address: &Address) -> Result<(Listener, Address), ServeError> {
    let failed = |error| ServeError::Listen { address: address.clone(), error };
    match address {
        Address::Socket(path) => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            if path.exists() {
                if UnixStream::connect(path).await.is_ok() {
                    let problem = "another process answers there";
                    return Err(failed(io::Error::new(io::ErrorKind::AddrInUse, problem)));
                }
                std::fs::remove_file(path).map_err(failed)?;
            }
            let listener = UnixListener::bind(path).map_err(failed)?;
            let mode = std::fs::Permissions::from_mode(0o660);
            std::fs::set_permissions(path, mode).map_err(failed)?;
            Ok((Listener::Socket(listener), address.clone()))
        }
        Address::Network(url) => {
            let authority = url.trim_start_matches("http://");
            let listener = TcpListener::bind(authority).await.map_err(failed)?;
            let local = listener.local_addr().map_err(failed)?;
            let address = Address::Network(format!("http://{local}"));
            Ok((Listener::Network(listener), address))
        }
    }
}

/// Serves the services that `add` adds, and `pages` over HTTP where it is bound for that, until
/// `stop` is done.
///
/// # Errors
/// When serving fails.
pub async fn serve(
    mut bound: Bound,
    add: impl FnOnce(&mut RoutesBuilder),
    pages: Router,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let mut routes = RoutesBuilder::default();
    routes.add_service(health_service).add_service(reflection);
    add(&mut routes);
    // Pages end with what they tell of.
    let _pages = bound.http.take().map(|listener| {
        AbortOnDrop(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, pages).await {
                tracing::error!(%error, "HTTP is not served any more");
            }
        }))
    });
    let router = Server::builder()
        .layer(bound.rpcs.clone())
        .concurrency_limit_per_connection(AT_A_TIME)
        .max_concurrent_streams(u32::try_from(4 * AT_A_TIME).ok())
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .add_routes(routes.routes());
    match bound.listener.take() {
        None => {}
        Some(Listener::Socket(listener)) => {
            let incoming = UnixListenerStream::new(listener);
            router.serve_with_incoming_shutdown(incoming, stop).await?;
        }
        Some(Listener::Network(listener)) => {
            let incoming = TcpListenerStream::new(listener);
            router.serve_with_incoming_shutdown(incoming, stop).await?;
        }
    }
    Ok(())
}

/// Ends its task when it is dropped.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
