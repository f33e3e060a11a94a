//! A network that delivers messages twice, late, and out of their order.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::transport::{Channel, Endpoint, Server};
use tower::{Service, ServiceExt as _};

/// A message is held for up to so long before it is delivered.
const HELD: Duration = Duration::from_millis(20);
/// It comes again up to this much later.
const LATER: Duration = Duration::from_secs(2);
/// So many times at most.
const TIMES: u32 = 3;

/// Passes calls on to a service. Each request of one message comes late, and more often than once;
/// what is answered to those that come again is lost.
#[derive(Debug)]
pub struct Repeater {
    again: Arc<AtomicU32>,
    passing: JoinHandle<()>,
}

impl Repeater {
    /// Listens on one socket, and passes on to another, which need not be there yet.
    ///
    /// # Panics
    /// When it cannot listen.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn between(near: PathBuf, far: &str, seed: u64) -> Self {
        let listener = UnixListener::bind(near).expect("a socket");
        let channel = Endpoint::from_shared(far.to_owned()).expect("an address").connect_lazy();
        let again = Arc::<AtomicU32>::default();
        let rng = Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(seed)));
        let passes = Passes { channel, rng, again: Arc::clone(&again) };
        let passing = tokio::spawn(async move {
            let incoming = UnixListenerStream::new(listener);
            let served = Server::builder().serve_with_incoming(passes, incoming).await;
            served.expect("it serves");
        });
        Self { again, passing }
    }

    /// How many messages came again.
    pub fn repeated(&self) -> u32 {
        self.again.load(Ordering::Relaxed)
    }
}

impl Drop for Repeater {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

#[derive(Clone)]
struct Passes {
    channel: Channel,
    rng: Arc<Mutex<ChaCha8Rng>>,
    again: Arc<AtomicU32>,
}

impl Passes {
    fn up_to(&self, most: Duration) -> Duration {
        most.mul_f64(self.rng.lock().unwrap_or_else(PoisonError::into_inner).random())
    }

    async fn pass(self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Ok(message) = body.collect().await else {
            return Status::cancelled("the caller went away").into_http();
        };
        let message = message.to_bytes();
        let times = self.rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..=TIMES);
        for _ in 0..times {
            let (later, passes) = (self.up_to(LATER), self.clone());
            let again = Request::from_parts(head.clone(), Body::new(Full::new(message.clone())));
            tokio::spawn(async move {
                tokio::time::sleep(later).await;
                if passes.deliver(again).await.is_ok() {
                    passes.again.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        tokio::time::sleep(self.up_to(HELD)).await;
        let first = Request::from_parts(head, Body::new(Full::new(message)));
        match self.deliver(first).await {
            Ok(response) => response,
            Err(error) => Status::unavailable(error.to_string()).into_http(),
        }
    }

    async fn deliver(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Body>, tonic::transport::Error> {
        self.channel.clone().ready().await?.call(request).await
    }
}

impl Service<Request<Body>> for Passes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let passes = self.clone();
        Box::pin(async move { Ok(passes.pass(request).await) })
    }
}
