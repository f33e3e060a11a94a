//! A collector of OpenTelemetry, as far as metrics go.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value;
use tokio::runtime::Runtime;
use tonic::{Request, Response, Status};

/// The names of metrics, by the service that sent them.
type Told = Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>;

/// A collector of metrics.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    told: Told,
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
        Self { address, told: Told::default(), serving: None }
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
        self.told = Told::default();
        let service = MetricsServiceServer::new(Collecting(self.told.clone()));
        let serving = tonic::transport::Server::builder().add_service(service);
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

    /// What it was told of: the names of metrics, by service.
    pub fn told(&self) -> BTreeMap<String, BTreeSet<String>> {
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

#[derive(Debug)]
struct Collecting(Told);

#[tonic::async_trait]
impl MetricsService for Collecting {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for of in request.into_inner().resource_metrics {
            let attributes = of.resource.unwrap_or_default().attributes;
            let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
            let name = name.and_then(|name| name.value).and_then(|value| value.value);
            let Some(any_value::Value::StringValue(name)) = name else {
                return Err(Status::invalid_argument("a process without a name"));
            };
            let metrics = of.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            told.entry(name).or_default().extend(metrics.map(|metric| metric.name));
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
