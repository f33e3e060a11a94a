//! The optimizer's life.

use std::future::Future;

use fulcrum_api::Address;
use fulcrum_api::v1::optimizer_service_server::OptimizerServiceServer;
use fulcrum_edge::{Edge, Limits};
use fulcrum_service::{ServeError, asked_to_stop, bind};
use fulcrum_store::{Store, StoreError};
use tonic::service::RoutesBuilder;

use crate::config::Config;
use crate::metrics::{THIS, metrics};
use crate::searches::Searches;
use crate::service::Optimizer;

/// Where it listens unless it is told otherwise.
const LISTEN: &str = "http://127.0.0.1:7610";
/// No message is larger: ten thousand profiles.
const LARGEST_MESSAGE: usize = 16 << 20;

/// Why the optimizer ended.
#[derive(Debug, thiserror::Error)]
pub enum OptimizerError {
    /// Its store cannot be opened.
    #[error("--store: {0}")]
    Store(#[from] StoreError),
    /// It cannot serve.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// It cannot be told to stop.
    #[error("signals cannot be caught: {0}")]
    Signals(#[from] std::io::Error),
}

/// Runs until the process is asked to end.
///
/// # Errors
/// When it cannot start, or serving fails.
pub async fn run(config: &Config) -> Result<(), OptimizerError> {
    let edge = Edge::open(&config.service.edge, Limits::SERVICE).map_err(ServeError::from)?;
    let store = Store::open(&config.service.store).await?;
    let listen = config.service.listen.clone();
    let listen = listen.unwrap_or_else(|| Address::Network(LISTEN.into()));
    let bound = bind(&edge, &listen, config.service.http).await?.sending_to(&config.service.otlp);
    tracing::info!(address = %bound.address(), "serving");
    let stop = async {
        if let Err(error) = asked_to_stop().await {
            tracing::error!(%error, "signals cannot be caught");
        }
    };
    serve(store, bound, config.searches, stop).await
}

/// Serves on an address that is bound, until `stop` is done. Searches that go on then are taken up
/// by whoever starts next.
///
/// # Errors
/// When serving fails.
pub async fn serve(
    store: Store,
    mut bound: fulcrum_service::Bound,
    searches_at_a_time: usize,
    stop: impl Future<Output = ()>,
) -> Result<(), OptimizerError> {
    let searches = Searches::new(store.clone(), searches_at_a_time);
    let cost = searches.cost.clone();
    let snapshot = move || metrics(store.clone(), cost.clone());
    let pages = bound.tell(THIS, snapshot);
    let taking_up = tokio::spawn({
        let searches = searches.clone();
        async move { searches.take_up().await }
    });
    let optimizer = Optimizer { searches: searches.clone() };
    let service = OptimizerServiceServer::new(optimizer)
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    let add = |routes: &mut RoutesBuilder| {
        routes.add_service(service);
    };
    let served = fulcrum_service::serve(bound, add, pages, stop).await;
    taking_up.abort();
    searches.leave().await;
    Ok(served?)
}
