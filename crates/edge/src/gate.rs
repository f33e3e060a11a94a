//! Every gRPC call passes here: who calls, whether they may, how large and how long, and what is
//! written down.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use fulcrum_access::{Identity, Record, Rpc, rpc, subject};
use fulcrum_api::{because, reason};
use fulcrum_trace::Span;
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::header::AUTHORIZATION;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::audit::Line;
use crate::edge::Edge;
use crate::peer::Peer;
use crate::watched::Watched;

/// The bytes before a message: whether it is compressed, and how long it is.
const FRAME: usize = 5;
/// So long may take what is not there.
const UNKNOWN: Duration = Duration::from_secs(10);
/// No more of a reason is kept.
const LONGEST: usize = 300;

/// Lets calls pass to a service that may.
#[derive(Debug, Clone)]
pub struct Gate(pub Edge);

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner, edge: self.0.clone() }
    }
}

/// A service behind a gate.
#[derive(Debug, Clone)]
pub struct Gated<S> {
    inner: S,
    edge: Edge,
}

impl<S> Service<Request<Body>> for Gated<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready answers.
        let another = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, another);
        let edge = self.edge.clone();
        Box::pin(async move {
            let rpc = rpc(request.uri().path());
            if rpc.is_some_and(|rpc| rpc.needs.is_none()) {
                return inner.call(request).await;
            }
            let mut call = Call::of(edge, rpc, &request);
            let by = Instant::now() + rpc.map_or(UNKNOWN, |rpc| rpc.within);
            let status = match timeout_at(by, call.let_in(request)).await {
                Ok(Ok(request)) => {
                    let span = call.begin(request.headers());
                    let answering = inner.call(request);
                    let answer = match &span {
                        Some(span) => timeout_at(by, span.within(answering)).await,
                        None => timeout_at(by, answering).await,
                    };
                    match answer {
                        Ok(answer) => {
                            let answer = call.answered(answer?, span).await;
                            return Ok(answer.map(|messages| call.watched(messages)));
                        }
                        Err(_) => call.too_slow("was not answered"),
                    }
                }
                Ok(Err(status)) => status,
                Err(_) => call.too_slow("was not received"),
            };
            call.refused(&status).await;
            Ok(status.into_http())
        })
    }
}

/// A call on its way through the gate.
struct Call {
    edge: Edge,
    rpc: Option<&'static Rpc>,
    peer: Option<Peer>,
    token: Option<String>,
    who: Option<Identity>,
    on: Option<String>,
    /// Whether it may have changed something by now.
    acts: bool,
}

impl Call {
    fn of(edge: Edge, rpc: Option<&'static Rpc>, request: &Request<Body>) -> Self {
        let peer = request.extensions().get::<Peer>().cloned();
        let token = token(request.headers()).map(str::to_owned);
        Self { edge, rpc, peer, token, who: None, on: None, acts: false }
    }

    /// The request, as it may pass: whole, and with who calls.
    async fn let_in(&mut self, mut request: Request<Body>) -> Result<Request<Body>, Status> {
        let who = self.caller()?;
        self.who = Some(who.clone());
        let Some(rpc) = self.rpc else {
            // What is not there is said by whoever would answer.
            self.edge.not_too_often(&who)?;
            return Ok(request);
        };
        let admitted = self.edge.admit(&who, rpc);
        if !rpc.streams_in && (admitted.is_ok() || rpc.record != Record::Nothing) {
            let (parts, body) = request.into_parts();
            let whole = whole(body, rpc).await?;
            if let Record::On(path) = rpc.record {
                self.on = whole.get(FRAME..).and_then(|message| subject(message, path));
            }
            request = Request::from_parts(parts, Body::new(Full::new(whole)));
        }
        admitted?;
        if self.is_recorded() {
            self.edge.audit().ready().await?;
            self.acts = true;
        }
        request.extensions_mut().insert(who);
        Ok(request)
    }

    /// Who calls, by what is known of them now.
    fn caller(&self) -> Result<Identity, Status> {
        let peer = self.peer.as_ref().ok_or_else(|| Status::internal("nobody knows who calls"))?;
        self.edge.who(peer, self.token.as_deref())
    }

    fn is_recorded(&self) -> bool {
        self.rpc.is_some_and(|rpc| rpc.record != Record::Nothing)
    }

    /// What is let in and does something begins a trace, if it is part of none.
    fn begin(&self, headers: &HeaderMap) -> Option<Span> {
        let span = Span::answer(self.rpc?.name, headers, self.is_recorded())?;
        let who = self.who.as_ref().map(|who| who.name.clone()).unwrap_or_default();
        let on = self.on.clone().unwrap_or_default();
        Some(span.saying("rpc.system", "grpc").saying("fulcrum.who", who).saying("fulcrum.on", on))
    }

    async fn answered(&self, answer: Response<Body>, span: Option<Span>) -> Response<Body> {
        // What is refused says so at once; a stream that fails later has begun, and that counts.
        let status = Status::from_header_map(answer.headers());
        let code = status.as_ref().map_or(Code::Ok, Status::code);
        let why = status.as_ref().map_or("", Status::message);
        if let Some(span) = span.filter(|_| code != Code::Ok) {
            span.failed(why.to_owned());
        }
        if self.is_recorded() {
            self.edge.audit().write(self.line(code, why)).await;
        }
        answer
    }

    /// The messages of the answer, which end when who calls is not let in any more, or as somebody
    /// else.
    fn watched(self, messages: Body) -> Body {
        let by_connection = self.peer.as_ref().is_some_and(Peer::is_trusted);
        if messages.is_end_stream() || (self.token.is_none() && by_connection) {
            return messages;
        }
        Body::new(Watched::new(messages, move || {
            let Err(status) = self.is_the_same() else { return Ok(()) };
            self.edge.counts().refused(status.code());
            self.edge.audit().write_refused(self.line(status.code(), status.message()));
            let mut trailers = HeaderMap::new();
            // What cannot be said ends the answer all the same.
            let _ = status.add_header(&mut trailers);
            Err(trailers)
        }))
    }

    /// Whether who calls is still let in, as the same.
    fn is_the_same(&self) -> Result<(), Status> {
        let who = self.caller()?;
        if self.who.as_ref() == Some(&who) {
            return Ok(());
        }
        let why = format!("what {} may do has changed; call again", who.name);
        Err(because(Code::Unauthenticated, reason::UNAUTHENTICATED, why))
    }

    async fn refused(&self, status: &Status) {
        self.edge.counts().refused(status.code());
        let line = self.line(status.code(), status.message());
        if self.acts {
            self.edge.audit().write(line).await;
        } else {
            self.edge.audit().write_refused(line);
        }
    }

    fn line(&self, code: Code, why: &str) -> Line {
        Line {
            time: Line::now(),
            who: self.who.as_ref().map(|who| who.name.clone()),
            role: self.who.as_ref().map(|who| who.role.as_str()),
            from: self.peer.as_ref().map_or_else(String::new, |peer| peer.from.clone()),
            // Anybody may ask for what is not there, under any name.
            rpc: self.rpc.map_or("unknown", |rpc| rpc.name),
            on: self.on.clone(),
            code: format!("{code:?}"),
            why: why.chars().take(LONGEST).collect(),
            left_out: 0,
        }
    }

    fn too_slow(&self, what: &str) -> Status {
        let (rpc, within) = self.rpc.map_or(("it", UNKNOWN), |rpc| (rpc.short_name(), rpc.within));
        let why = format!("{rpc} {what} within {} s", within.as_secs());
        because(Code::DeadlineExceeded, reason::TOO_SLOW, why)
    }
}

/// All of a request, unless it is too large.
async fn whole(body: Body, rpc: &Rpc) -> Result<Bytes, Status> {
    let collected = Limited::new(body, rpc.largest + FRAME).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            let why = format!(
                "the request is larger than {} bytes, the most that {} takes",
                rpc.largest,
                rpc.short_name()
            );
            return because(Code::ResourceExhausted, reason::TOO_LARGE, why);
        }
        Status::cancelled("the request broke off")
    })
}

/// The token that a caller shows, if they do.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get(AUTHORIZATION)?.to_str().ok()?;
    // Something that is shown, and is no token, is a wrong one.
    Some(shown.strip_prefix("Bearer ").unwrap_or(shown).trim())
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use fulcrum_access::RPCS;
    use http_body_util::StreamBody;
    use tokio_stream::pending as nothing;

    use super::*;
    use crate::arguments::EdgeArgs;
    use crate::limits::Limits;
    use crate::peer::LocalUsers;

    /// A service that never answers.
    #[derive(Clone)]
    struct Hangs;

    impl Service<Request<Body>> for Hangs {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = std::future::Pending<Result<Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            pending()
        }
    }

    /// How a call ends, and after how long.
    async fn ended(rpc: &Rpc, body: Body) -> (Status, Duration) {
        let edge = Edge::open(&EdgeArgs::default(), Limits::AGENT).unwrap();
        let mut request = Request::new(body);
        *request.uri_mut() = format!("/fulcrum.v1.{}", rpc.name).parse().unwrap();
        request.extensions_mut().insert(Peer::local(0, None, &LocalUsers::All));
        let began = Instant::now();
        let answer = Gate(edge).layer(Hangs).call(request).await.unwrap();
        (Status::from_header_map(answer.headers()).unwrap(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn every_call_ends_in_time_though_nobody_answers() {
        for rpc in RPCS.iter().filter(|rpc| rpc.needs.is_some()) {
            let (status, after) = ended(rpc, Body::empty()).await;
            assert_eq!(status.code(), Code::DeadlineExceeded, "{}", rpc.name);
            let said =
                format!("{} was not answered within {} s", rpc.short_name(), after.as_secs());
            assert_eq!(status.message(), said);
            assert!(after.abs_diff(rpc.within) < Duration::from_millis(10), "{}", rpc.name);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_call_ends_in_time_though_its_request_never_comes() {
        for rpc in RPCS.iter().filter(|rpc| rpc.needs.is_some() && !rpc.streams_in) {
            let nothing = nothing::<Result<http_body::Frame<Bytes>, Status>>();
            let (status, after) = ended(rpc, Body::new(StreamBody::new(nothing))).await;
            assert_eq!(status.code(), Code::DeadlineExceeded, "{}", rpc.name);
            assert!(status.message().contains("was not received within"), "{}", status.message());
            assert!(after.abs_diff(rpc.within) < Duration::from_millis(10), "{}", rpc.name);
        }
    }
}
