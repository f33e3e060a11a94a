//! A connection that shows who calls.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use fulcrum_credentials::Credentials;
use fulcrum_trace::send_on;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;
use tonic::codegen::http::header::{AUTHORIZATION, HeaderValue};
use tonic::codegen::http::{Request, Response, Uri};
use tonic::transport::channel::ResponseFuture;
use tonic::transport::{Channel, Endpoint, Error};
use tower_service::Service;

use crate::address::Address;

/// Whom this process shows itself as, whoever it calls.
static OWN: OnceLock<Credentials> = OnceLock::new();

/// Says as whom this process calls others, once and for all.
pub fn call_as(credentials: Credentials) {
    if OWN.set(credentials).is_err() {
        tracing::warn!("this process calls as somebody already");
    }
}

/// A connection that shows who calls: over TLS by a certificate, by a token or by both. Cloning it is
/// cheap and shares the connection.
#[derive(Debug, Clone)]
pub struct Caller {
    channel: Channel,
    /// Whose token is shown; none where it could be read on the way.
    credentials: Option<Credentials>,
}

impl Caller {
    /// Connects to an address as somebody; as whom this process calls by itself, unless it says.
    pub(crate) async fn connect(
        endpoint: Endpoint,
        address: &Address,
        who: Option<&Credentials>,
    ) -> Result<Self, Error> {
        let credentials = who.or(OWN.get()).cloned();
        let channel = if address.is_secure() {
            endpoint.connect_with_connector(Secure(credentials.clone())).await?
        } else {
            endpoint.connect().await?
        };
        Ok(Self { channel, credentials: credentials.filter(|_| address.keeps_secrets()) })
    }

    /// Connects when it is first used, and again when it has to.
    pub(crate) fn connect_lazily(endpoint: &Endpoint, address: &Address) -> Self {
        let credentials = OWN.get().cloned();
        let channel = if address.is_secure() {
            endpoint.connect_with_connector_lazy(Secure(credentials.clone()))
        } else {
            endpoint.connect_lazy()
        };
        Self { channel, credentials: credentials.filter(|_| address.keeps_secrets()) }
    }
}

impl Service<Request<Body>> for Caller {
    type Response = Response<Body>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> ResponseFuture {
        let token = self.credentials.as_ref().and_then(|own| own.now().token.clone());
        let shown = token.map(|token| HeaderValue::try_from(format!("Bearer {}", token.expose())));
        if let Some(Ok(mut shown)) = shown {
            shown.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, shown);
        }
        send_on(request.headers_mut());
        self.channel.call(request)
    }
}

/// Connects over TLS. The credentials are looked at for each connection, so that new ones count from
/// the next on.
#[derive(Debug, Clone)]
struct Secure(Option<Credentials>);

impl Service<Uri> for Secure {
    type Response = hyper_util::rt::TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let credentials = self.0.clone();
        Box::pin(async move {
            let credentials = credentials.ok_or_else(|| {
                io::Error::other(
                    "https needs an authority to believe; name a folder with --credentials",
                )
            })?;
            let host = to.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
            let stream = TcpStream::connect((host.as_str(), to.port_u16().unwrap_or(443))).await?;
            stream.set_nodelay(true)?;
            let client: Arc<_> = credentials.now().client.clone();
            let stream = TlsConnector::from(client).connect(name, stream).await?;
            Ok(hyper_util::rt::TokioIo::new(stream))
        })
    }
}
