//! A collector of OpenTelemetry: metrics by their names, and spans.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::runtime::Runtime;
use tonic::{Request, Response, Status};

/// What a collector was told.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The names of metrics, by the service that sent them.
    pub metrics: BTreeMap<String, BTreeSet<String>>,
    /// The spans that have ended.
    pub spans: Vec<ToldSpan>,
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldSpan {
    /// Which service it went on in.
    pub service: String,
    /// What it is called.
    pub name: String,
    /// The trace that it is part of.
    pub trace: Vec<u8>,
    /// Tells it from others.
    pub id: Vec<u8>,
    /// The span that it is part of; empty for the first of a trace.
    pub parent: Vec<u8>,
}

/// A collector.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    told: Arc<Mutex<Told>>,
    /// A runtime of its own: with it the connections end too.
    serving: Option<Runtime>,
}

impl Collector {
    /// One that does not collect yet.
    ///
    /// # Panics
    /// When there is no port.
    pub fn new() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = port.local_addr().expect("an address");
        Self { address, told: Arc::default(), serving: None }
    }

    /// Where it collects.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins to collect, from nothing.
    ///
    /// # Panics
    /// When there are no threads for it.
    pub fn start(&mut self) {
        self.stop();
        self.told = Arc::default();
        let collecting = Collecting(self.told.clone());
        let serving = tonic::transport::Server::builder()
            .add_service(MetricsServiceServer::new(collecting.clone()))
            .add_service(TraceServiceServer::new(collecting));
        let runtime = Runtime::new().expect("threads");
        runtime.spawn(serving.serve(self.address));
        self.serving = Some(runtime);
    }

    /// Ends, with all that are connected.
    pub fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.shutdown_background();
        }
    }

    /// What it was told since it began.
    pub fn told(&self) -> Told {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for Collector {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}

#[derive(Debug, Clone)]
struct Collecting(Arc<Mutex<Told>>);

#[tonic::async_trait]
impl MetricsService for Collecting {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for of in request.into_inner().resource_metrics {
            let metrics = of.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            let names = told.metrics.entry(service(of.resource)?).or_default();
            names.extend(metrics.map(|metric| metric.name));
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl TraceService for Collecting {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for of in request.into_inner().resource_spans {
            let service = service(of.resource)?;
            let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
            told.spans.extend(spans.map(|span| ToldSpan {
                service: service.clone(),
                name: span.name,
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
            }));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn service(resource: Option<Resource>) -> Result<String, Status> {
    let attributes = resource.unwrap_or_default().attributes;
    let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
    match name.and_then(|name| name.value).and_then(|value| value.value) {
        Some(any_value::Value::StringValue(name)) => Ok(name),
        _ => Err(Status::invalid_argument("a process without a name")),
    }
}
