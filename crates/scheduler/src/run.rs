//! The scheduler's life.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::v1::scheduler_service_server::SchedulerServiceServer;
use fulcrum_api::{Address, optimizer_at};
use fulcrum_edge::{Edge, Limits};
use fulcrum_service::{Bound, ServeError, asked_to_stop, bind};
use fulcrum_store::{Store, StoreError};
use tokio::sync::mpsc;
use tonic::service::RoutesBuilder;

use crate::config::{Config, Habits};
use crate::http::pages;
use crate::in_scope::InScope;
use crate::keeper::{WAITING, keep_records};
use crate::leading::Replica;
use crate::page::Source;
use crate::planner::Planner;
use crate::service::Scheduler;

/// Where it listens unless it is told otherwise.
const LISTEN: &str = "http://127.0.0.1:7620";

/// For so long what has happened may take to be kept at the end.
const KEEPING: Duration = Duration::from_secs(2);

/// Why the scheduler ended.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// Its store cannot be opened.
    #[error("--store: {0}")]
    Store(#[from] StoreError),
    /// The optimizer's address is none.
    #[error("--optimizer: {0}")]
    Optimizer(#[from] tonic::transport::Error),
    /// It cannot serve.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs until the process is asked to end.
///
/// # Errors
/// When it cannot start, or serving fails.
pub async fn run(config: &Config) -> Result<(), SchedulerError> {
    let edge = Edge::open(&config.service.edge, Limits::SERVICE).map_err(ServeError::from)?;
    let store = Store::open(&config.service.store).await?;
    let listen = config.service.listen.clone();
    let listen = listen.unwrap_or_else(|| Address::Network(LISTEN.into()));
    let bound = bind(&edge, &listen, config.service.http).await?.sending_to(&config.service.otlp);
    tracing::info!(address = %bound.address(), optimizer = %config.optimizer, "serving");
    let stop = async {
        if let Err(error) = asked_to_stop().await {
            tracing::error!(%error, "signals cannot be caught");
        }
    };
    serve(store, bound, &config.optimizer, config.habits(), stop).await
}

/// Serves on an address that is bound, and leads when nobody else does, until `stop` is done. Boards
/// keep what they have then, for as long as their leases last.
///
/// # Errors
/// When serving fails.
pub async fn serve(
    store: Store,
    mut bound: Bound,
    optimizer: &Address,
    habits: Habits,
    stop: impl Future<Output = ()>,
) -> Result<(), SchedulerError> {
    let (records, keeping) = mpsc::channel(WAITING);
    let planner = Planner::new(optimizer_at(optimizer)?);
    let replica =
        Arc::new(Replica::new(store.clone(), planner, records, Arc::default(), habits.takeover));
    let source = Source { store: store.clone(), planner: replica.planner.clone() };
    let pages = pages(source, replica.own.clone(), &mut bound);
    let service = Scheduler { store: store.clone(), bell: replica.bell.clone() };
    let add = |routes: &mut RoutesBuilder| {
        routes.add_service(SchedulerServiceServer::new(InScope(service)));
    };
    let keeper = tokio::spawn(keep_records(store, keeping, habits.keeps));
    let leading = tokio::spawn({
        let replica = replica.clone();
        async move { replica.serve_and_lead().await }
    });
    let served = fulcrum_service::serve(bound, add, pages, stop).await;
    leading.abort();
    let _ = leading.await;
    replica.step_down().await;
    // Whoever keeps ends once nobody is left to send.
    drop(replica);
    let _ = tokio::time::timeout(KEEPING, keeper).await;
    Ok(served?)
}
