//! A small live page for people: the fleet, a job against its budgets, its front, its turns. It
//! reads what is kept, so that every replica serves it, and changes nothing.

mod job;
mod turns;
mod views;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use fulcrum_store::{Store, StoreError};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::planner::Planner;

/// How often what is shown is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// So many messages wait for a slow browser.
const WAITING: usize = 4;

/// What pages are made from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) store: Store,
    pub(crate) planner: Arc<Planner>,
}

/// The page and what it asks for.
pub(crate) fn page(source: Source) -> Router {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("page.html")))
        .route("/page.css", file("text/css; charset=utf-8", include_str!("page.css")))
        .route("/page.js", file("text/javascript; charset=utf-8", include_str!("page.js")))
        .route("/fleet", get(fleet))
        .route("/jobs/{job}", get(one_job))
        .route("/jobs/{job}/front", get(front))
        .route("/boards/{board}/turns", get(turns_of))
        .with_state(source)
}

/// The fleet, each time that it has changed.
async fn fleet(State(source): State<Source>) -> Response {
    told(async move |told| {
        let mut last = String::new();
        loop {
            match views::fleet(&source.store).await {
                Ok(fleet) => told.say_if_changed("fleet", &fleet, &mut last).await?,
                Err(error) => told.say("trouble", &error.to_string()).await?,
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// A job, each time that it has changed, and its windows as they come in.
async fn one_job(State(source): State<Source>, Path(name): Path<String>) -> Response {
    if let Err(error) = source.store.job(&name).await {
        return refused(&error);
    }
    told(async move |told| job::tell(&source.store, &name, told).await)
}

/// What a job could do with less and with more power.
async fn front(State(source): State<Source>, Path(name): Path<String>) -> Response {
    match job::front(&source, &name).await {
        Ok(front) => axum::Json(front).into_response(),
        Err(error) => refused(&error),
    }
}

/// The turns on a board, as they end.
async fn turns_of(State(source): State<Source>, Path(name): Path<String>) -> Response {
    let boards = match source.store.boards().await {
        Ok(boards) => boards,
        Err(error) => return refused(&error),
    };
    match boards.into_iter().find(|board| board.name == name) {
        Some(board) => told(async move |told| turns::tell(&board.address, told).await),
        None => refused(&StoreError::NotFound { what: "board", name }),
    }
}

fn refused(error: &StoreError) -> Response {
    let code = match error {
        StoreError::NotFound { .. } => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, error.to_string()).into_response()
}

/// The browser has gone.
struct Gone;

/// Where news for one browser go.
struct Told(mpsc::Sender<Result<Event, Infallible>>);

impl Told {
    async fn say(&self, kind: &str, what: &impl Serialize) -> Result<(), Gone> {
        self.say_if_changed(kind, what, &mut String::new()).await
    }

    async fn say_if_changed(
        &self,
        kind: &str,
        what: &impl Serialize,
        last: &mut String,
    ) -> Result<(), Gone> {
        if self.0.is_closed() {
            return Err(Gone);
        }
        let text = serde_json::to_string(what).unwrap_or_default();
        if text == *last {
            return Ok(());
        }
        let event = Event::default().event(kind).data(&text);
        *last = text;
        self.0.send(Ok(event)).await.map_err(|_| Gone)
    }
}

/// Server-sent events, told until the browser has gone.
fn told<F>(tell: impl FnOnce(Told) -> F + Send + 'static) -> Response
where
    F: Future<Output = Result<(), Gone>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _ = tell(Told(sender)).await;
    });
    Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default()).into_response()
}
