//! Serving gRPC, with health and reflection, on a local socket or in the network.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use fulcrum_api::{Address, FILE_DESCRIPTOR_SET};
use fulcrum_edge::{Edge, EdgeError, Gate, LocalUsers, Peer, guarded};
use fulcrum_telemetry::{OtlpArgs, Process, Sending, Snapshot, Tracing};
use tokio::task::JoinHandle;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;

use crate::http::metrics_at;
use crate::rpcs::Rpcs;

/// So many requests of one connection are answered at a time.
const AT_A_TIME: usize = 64;
/// How often to see whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// After so long whoever calls is asked to connect anew, with what they show of themselves by then.
/// What is being answered is not cut off.
const CONNECTED: Duration = Duration::from_mins(10);
/// So large may be all headers of a call together.
const HEADERS: u32 = 16 << 10;

/// Where a service listens, before it serves.
#[derive(Debug)]
pub struct Bound {
    grpc: fulcrum_edge::Bound,
    http: Option<fulcrum_edge::Bound>,
    rpcs: Rpcs,
    otlp: OtlpArgs,
    sending: Option<Sending>,
    tracing: Option<Tracing>,
}

impl Bound {
    /// Where it listens; with the port that the system chose, where none was named.
    pub const fn address(&self) -> &Address {
        self.grpc.address()
    }

    /// Where it shows things over HTTP, with the port that the system chose, if it does.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref()?.socket_address()
    }

    /// The same, which also sends metrics and traces to a collector, if one is named.
    #[must_use]
    pub fn sending_to(self, otlp: &OtlpArgs) -> Self {
        Self { otlp: otlp.clone(), ..self }
    }

    /// Tells what this process does for as long as it serves: the metrics that `snapshot` gives, and
    /// those of its calls, its edge and the process, to the collector and at `/metrics` of these
    /// pages, and traces to the collector.
    pub fn tell<F>(
        &mut self,
        process: Process,
        snapshot: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Router
    where
        F: Future<Output = Snapshot> + Send + 'static,
    {
        let (rpcs, edge) = (self.rpcs.clone(), self.grpc.edge().clone());
        let snapshot = move || {
            let (told, rpcs, edge) = (snapshot(), rpcs.clone(), edge.clone());
            async move {
                let mut snapshot = told.await;
                rpcs.tell(&mut snapshot);
                edge.tell(&mut snapshot);
                snapshot.process(process);
                snapshot
            }
        };
        self.sending = self.otlp.send(process, snapshot.clone());
        self.tracing = self.otlp.trace(process);
        metrics_at(snapshot)
    }
}

/// Why a service does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its edge is not as it should be.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// Serving ended.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors of what is served are wrong.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Binds the address for gRPC, and the one for HTTP where there is one. A local socket that a dead
/// process left is replaced; one at which somebody answers is not.
///
/// # Errors
/// When it cannot be bound, or should not be.
pub async fn bind(
    edge: &Edge,
    address: &Address,
    http: Option<SocketAddr>,
) -> Result<Bound, ServeError> {
    let grpc = fulcrum_edge::Bound::grpc(edge, "--listen", address, LocalUsers::All).await?;
    let http = match http {
        Some(address) => Some(fulcrum_edge::Bound::pages(edge, "--http", address).await?),
        None => None,
    };
    let (rpcs, otlp) = (Rpcs::default(), OtlpArgs::default());
    Ok(Bound { grpc, http, rpcs, otlp, sending: None, tracing: None })
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
    let pages = guarded(pages, bound.grpc.edge());
    let _pages = bound.http.as_mut().and_then(fulcrum_edge::Bound::incoming).map(|incoming| {
        AbortOnDrop(tokio::spawn(async move {
            let pages = pages.into_make_service_with_connect_info::<Peer>();
            if let Err(error) = axum::serve(incoming, pages).await {
                tracing::error!(%error, "HTTP is not served any more");
            }
        }))
    });
    let router = Server::builder()
        .layer(bound.rpcs.clone())
        .layer(Gate(bound.grpc.edge().clone()))
        .max_connection_age(CONNECTED)
        .http2_max_header_list_size(HEADERS)
        .concurrency_limit_per_connection(AT_A_TIME)
        .max_concurrent_streams(u32::try_from(4 * AT_A_TIME).ok())
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .add_routes(routes.routes());
    if let Some(incoming) = bound.grpc.incoming() {
        router.serve_with_incoming_shutdown(incoming, stop).await?;
    }
    if let Some(tracing) = bound.tracing.take() {
        tracing.end().await;
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
