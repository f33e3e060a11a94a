//! Pages and metrics over HTTP, for those who may look at the whole fleet.

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::serve::IncomingStream;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fulcrum_access::{Identity, Refusal, Role};
use tonic::{Code, Status};

use crate::edge::{Edge, forbidden, sees_everything};
use crate::gate::token;
use crate::incoming::Incoming;
use crate::peer::Peer;
use crate::watched::Watched;

impl axum::extract::connect_info::Connected<IncomingStream<'_, Incoming>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Incoming>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Pages for those alone who may look at the whole fleet.
pub fn guarded(pages: Router, edge: &Edge) -> Router {
    pages.layer(from_fn_with_state(edge.clone(), guard))
}

async fn guard(
    State(edge): State<Edge>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let shown = password(request.headers()).or_else(|| token(request.headers()).map(str::to_owned));
    let let_in = may_look(&edge, &peer, shown.as_deref());
    if let Err(status) = let_in.and_then(|who| edge.not_too_often(&who)) {
        return refused(&status);
    }
    let answer = next.run(request).await;
    if shown.is_none() && peer.is_trusted() {
        return answer;
    }
    // A page that is watched ends; whoever asks again is told why.
    let ask =
        move || may_look(&edge, &peer, shown.as_deref()).map(drop).map_err(|_| HeaderMap::new());
    answer.map(|body| Body::new(Watched::new(body, ask)))
}

fn may_look(edge: &Edge, peer: &Peer, shown: Option<&str>) -> Result<Identity, Status> {
    let who = edge.who(peer, shown)?;
    if !who.role.covers(Role::Viewer) {
        let (name, role) = (who.name, who.role);
        let refusal = Refusal::Role { name, role, rpc: "this page", needed: Role::Viewer };
        return Err(forbidden(&refusal));
    }
    sees_everything(&who).map_err(|refusal| forbidden(&refusal))?;
    Ok(who)
}

/// The token that a browser shows as a password, under whatever name.
fn password(headers: &HeaderMap) -> Option<String> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let shown = String::from_utf8(STANDARD.decode(shown.trim()).ok()?).ok()?;
    Some(shown.split_once(':')?.1.to_owned())
}

fn refused(status: &Status) -> Response {
    let code = match status.code() {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::FORBIDDEN,
    };
    let mut answer = (code, format!("{}\n", status.message())).into_response();
    if code == StatusCode::UNAUTHORIZED {
        // A browser asks for the token as a password then.
        let ask = header::HeaderValue::from_static("Basic realm=\"fulcrum\"");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    }
    answer
}
