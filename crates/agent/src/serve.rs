//! The servers: gRPC on the local socket and, where configured, on TCP, and metrics over HTTP.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;
use fulcrum_api::FILE_DESCRIPTOR_SET;
use fulcrum_api::v1::agent_service_server::AgentServiceServer;
use fulcrum_api::v1::turn_service_server::TurnServiceServer;
use fulcrum_telemetry::CONTENT_TYPE;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::Server;

use crate::metrics::Metrics;
use crate::service::Agent;

/// No request is larger.
const LARGEST_REQUEST: usize = 64 << 10;
/// So many requests of one connection are answered at a time.
const AT_A_TIME: usize = 32;
/// How often to see whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// A local socket, which goes when it is dropped.
pub(crate) struct LocalSocket {
    listener: Option<UnixListener>,
    path: PathBuf,
}

impl LocalSocket {
    /// Binds a socket that its owner and group may use. One that a dead agent left is replaced; one
    /// at which somebody answers is not.
    pub(crate) async fn bind(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if path.exists() {
            if UnixStream::connect(path).await.is_ok() {
                let problem = "another agent answers there";
                return Err(io::Error::new(io::ErrorKind::AddrInUse, problem));
            }
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Self { listener: Some(listener), path: path.to_owned() })
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves until told to stop.
pub(crate) async fn serve(
    agent: Agent,
    mut socket: LocalSocket,
    tcp: Option<TcpListener>,
    stop: watch::Receiver<bool>,
) -> Result<(), tonic::transport::Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<AgentServiceServer<Agent>>().await;
    health.set_serving::<TurnServiceServer<Agent>>().await;
    let router = || -> Result<tonic::transport::server::Router, tonic_reflection::server::Error> {
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let service =
            AgentServiceServer::new(agent.clone()).max_decoding_message_size(LARGEST_REQUEST);
        let turns =
            TurnServiceServer::new(agent.clone()).max_decoding_message_size(LARGEST_REQUEST);
        Ok(Server::builder()
            .concurrency_limit_per_connection(AT_A_TIME)
            .max_concurrent_streams(u32::try_from(2 * AT_A_TIME).ok())
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .add_service(health_service.clone())
            .add_service(reflection)
            .add_service(service)
            .add_service(turns))
    };
    let local = socket.listener.take().zip(router().ok());
    let remote = tcp.zip(router().ok());
    let serve_local = async {
        match local {
            Some((listener, router)) => {
                let incoming = UnixListenerStream::new(listener);
                router.serve_with_incoming_shutdown(incoming, until(stop.clone())).await
            }
            None => Ok(()),
        }
    };
    let serve_remote = async {
        match remote {
            Some((listener, router)) => {
                let incoming = TcpListenerStream::new(listener);
                router.serve_with_incoming_shutdown(incoming, until(stop.clone())).await
            }
            None => Ok(()),
        }
    };
    tokio::try_join!(serve_local, serve_remote).map(|_| ())
}

async fn until(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves metrics at `/metrics` until told to stop.
pub(crate) async fn serve_metrics(
    metrics: Metrics,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let text = |State(metrics): State<Metrics>| async move {
        ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text().await).into_response()
    };
    let router = Router::new().route("/metrics", get(text)).with_state(metrics);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Binds a TCP address.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
