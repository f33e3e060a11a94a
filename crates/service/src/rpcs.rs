//! Counts the calls that a service answers.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use fulcrum_api::code_name;
use fulcrum_telemetry::{Histogram, LATENCY_SECONDS, Metric, Snapshot};
use tonic::codegen::http::{Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};

static SECONDS: Metric = Metric::histogram(
    "fulcrum_rpc_seconds",
    &["rpc", "code"],
    "From a call to the beginning of its answer",
);

/// What every service tells of its calls.
pub static RPCS: &[&Metric] = &[&SECONDS];

/// How long the calls of a service took, by rpc and by code. Cloning it is cheap and shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rpcs(Arc<Mutex<BTreeMap<(&'static str, &'static str), Histogram>>>);

impl Rpcs {
    /// Adds what was counted.
    pub(crate) fn tell(&self, snapshot: &mut Snapshot) {
        for ((rpc, code), histogram) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            snapshot.set_histogram(&SECONDS, [rpc, code], histogram);
        }
    }

    fn count(&self, path: &str, code: Code, seconds: f64) {
        // Anybody may ask for what is not there, under any name.
        let rpc = fulcrum_access::rpc(path).map_or("unknown", fulcrum_access::Rpc::short_name);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = counted.entry((rpc, code_name(code)));
        entry.or_insert_with(|| Histogram::new(&LATENCY_SECONDS)).observe(seconds);
    }
}

impl<S> Layer<S> for Rpcs {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting { inner, rpcs: self.clone() }
    }
}

/// A service whose calls are counted.
#[derive(Debug, Clone)]
pub(crate) struct Counting<S> {
    inner: S,
    rpcs: Rpcs,
}

impl<S, A, B> Service<Request<A>> for Counting<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (path, began) = (request.uri().path().to_owned(), Instant::now());
        let rpcs = self.rpcs.clone();
        let answering = self.inner.call(request);
        Box::pin(async move {
            let answer = answering.await;
            if let Ok(answer) = &answer {
                // What is refused says so at once; what is answered says so at the end of its body.
                let status = Status::from_header_map(answer.headers());
                let code = status.map_or(Code::Ok, |status| status.code());
                rpcs.count(&path, code, began.elapsed().as_secs_f64());
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_anybody_may_invent_are_one() {
        let rpcs = Rpcs::default();
        for n in 0..100 {
            rpcs.count(&format!("/fulcrum.v1.OptimizerService/Made{n}"), Code::Unimplemented, 0.1);
        }
        rpcs.count("/fulcrum.v1.OptimizerService/SolveProblems", Code::Ok, 0.1);
        let mut snapshot = Snapshot::default();
        rpcs.tell(&mut snapshot);
        let text = snapshot.text();
        assert!(
            text.contains("fulcrum_rpc_seconds_count{rpc=\"unknown\",code=\"UNIMPLEMENTED\"} 100")
        );
        assert!(
            text.contains("fulcrum_rpc_seconds_count{rpc=\"SolveProblems\",code=\"OK\"} 1"),
            "{text}"
        );
    }
}
