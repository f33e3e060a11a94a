//! The servers: gRPC on the local sockets and, where configured, in the network, and metrics over
//! HTTP.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;
use fulcrum_api::FILE_DESCRIPTOR_SET;
use fulcrum_api::v1::agent_service_server::AgentServiceServer;
use fulcrum_api::v1::turn_service_server::TurnServiceServer;
use fulcrum_edge::{Bound, Gate, Peer, guarded};
use fulcrum_telemetry::CONTENT_TYPE;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;

use crate::metrics::Metrics;
use crate::service::Agent;

/// So many requests of one connection are answered at a time.
const AT_A_TIME: usize = 32;
/// How often to see whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// After so long whoever calls is asked to connect anew, with what they show of themselves by then.
/// What is being answered is not cut off.
const CONNECTED: Duration = Duration::from_mins(10);
/// So large may be all headers of a call together.
const HEADERS: u32 = 16 << 10;

/// Why the agent does not serve any more.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The server failed.
    #[error("the server failed: {0}")]
    Server(#[from] tonic::transport::Error),
    /// The descriptors of what is served are wrong.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves wherever it is bound until told to stop.
pub(crate) async fn serve(
    agent: Agent,
    bound: Vec<Bound>,
    stop: watch::Receiver<bool>,
) -> Result<(), Ended> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<AgentServiceServer<Agent>>().await;
    health.set_serving::<TurnServiceServer<Agent>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(health_service)
        .add_service(reflection)
        .add_service(AgentServiceServer::new(agent.clone()))
        .add_service(TurnServiceServer::new(agent));
    let routes = routes.routes();
    let mut serving = JoinSet::new();
    for mut bound in bound {
        let Some(incoming) = bound.incoming() else { continue };
        let router = Server::builder()
            .layer(Gate(bound.edge().clone()))
            .max_connection_age(CONNECTED)
            .http2_max_header_list_size(HEADERS)
            .concurrency_limit_per_connection(AT_A_TIME)
            .max_concurrent_streams(u32::try_from(2 * AT_A_TIME).ok())
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .add_routes(routes.clone());
        let stop = until(stop.clone());
        serving.spawn(async move {
            let served = router.serve_with_incoming_shutdown(incoming, stop).await;
            // Its socket is there until now.
            drop(bound);
            served
        });
    }
    while let Some(served) = serving.join_next().await {
        served.unwrap_or(Ok(()))?;
    }
    Ok(())
}

async fn until(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves metrics at `/metrics` until told to stop.
pub(crate) async fn serve_metrics(
    metrics: Metrics,
    mut bound: Bound,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let text = |State(metrics): State<Metrics>| async move {
        ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.snapshot().await.text()).into_response()
    };
    let router = Router::new().route("/metrics", get(text)).with_state(metrics);
    let router = guarded(router, bound.edge()).into_make_service_with_connect_info::<Peer>();
    let Some(incoming) = bound.incoming() else { return Ok(()) };
    axum::serve(incoming, router).with_graceful_shutdown(stop).await
}
