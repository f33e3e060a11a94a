//! Boards that only say what a board says: a description, a lease, a window a second.

use std::collections::HashMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use fulcrum_api::v1::agent_service_server::{AgentService, AgentServiceServer};
use fulcrum_api::v1::turn_service_server::{TurnService, TurnServiceServer};
use fulcrum_api::{BoardDescription, duration_to_wire, time_to_wire, v1};
use fulcrum_board::{Identity, Profiler as _, SimulatedOrin, TotalPower};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{IntervalStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;
type Told<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Many boards, and the plans that they were told.
pub(crate) struct Stubs {
    told: mpsc::UnboundedReceiver<(usize, Instant)>,
    /// When each board was last told a plan.
    last: HashMap<usize, Instant>,
}

impl Stubs {
    pub(crate) fn name(number: usize) -> String {
        format!("board-{number}")
    }

    /// Starts them on the runtime that this is called on.
    pub(crate) fn start(folder: &Path, boards: usize) -> Self {
        let (sender, told) = mpsc::unbounded_channel();
        let board = Arc::new(description());
        for number in 0..boards {
            let socket = folder.join(format!("{}.sock", Self::name(number)));
            let listener = UnixListener::bind(socket).unwrap();
            let stub = Stub {
                number,
                board: board.clone(),
                generation: Arc::default(),
                told: sender.clone(),
            };
            let server = Server::builder()
                .add_service(AgentServiceServer::new(stub.clone()))
                .add_service(TurnServiceServer::new(stub));
            tokio::spawn(server.serve_with_incoming(UnixListenerStream::new(listener)));
        }
        Self { told, last: HashMap::new() }
    }

    /// Forgets what was told until now.
    pub(crate) fn forget(&mut self) {
        while self.told.try_recv().is_ok() {}
        self.last.clear();
    }

    /// Waits until a board was told a plan.
    pub(crate) async fn planned(&mut self, number: usize, patience: Duration) -> Instant {
        self.planned_or_same(number, patience).await.unwrap()
    }

    /// Waits until a board was told a plan; none in time where the new plan is the old one.
    pub(crate) async fn planned_or_same(
        &mut self,
        number: usize,
        patience: Duration,
    ) -> Option<Instant> {
        let end = tokio::time::Instant::now() + patience;
        loop {
            if let Some(at) = self.last.get(&number) {
                return Some(*at);
            }
            let (board, at) = tokio::time::timeout_at(end, self.told.recv()).await.ok()??;
            self.last.insert(board, at);
        }
    }
}

fn description() -> v1::Board {
    let orin = SimulatedOrin::exact();
    let identity = Identity {
        kind: "simulated",
        model: "a stub".into(),
        compatible: vec!["stub".into()],
        software: "none".into(),
    };
    BoardDescription {
        identity,
        space: orin.space().clone(),
        presets: orin.presets().to_vec(),
        sensors: Vec::new(),
        total_power: TotalPower { parts: Vec::new(), leaves_out: String::new() },
        offers: orin.offers().to_vec(),
        generation: 1,
    }
    .to_wire()
}

#[derive(Clone)]
struct Stub {
    number: usize,
    board: Arc<v1::Board>,
    generation: Arc<AtomicU64>,
    told: mpsc::UnboundedSender<(usize, Instant)>,
}

#[tonic::async_trait]
impl AgentService for Stub {
    type WatchSamplesStream = Told<v1::WatchSamplesResponse>;
    type MeasureStream = Told<v1::MeasureResponse>;

    async fn get_board(&self, _: Request<v1::GetBoardRequest>) -> Answer<v1::GetBoardResponse> {
        Ok(Response::new(v1::GetBoardResponse { board: Some((*self.board).clone()) }))
    }

    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Answer<v1::GetStatusResponse> {
        Ok(Response::new(v1::GetStatusResponse::default()))
    }

    async fn take_lease(&self, _: Request<v1::TakeLeaseRequest>) -> Answer<v1::TakeLeaseResponse> {
        let lease_token = "token".into();
        let expire_time = Some(time_to_wire(SystemTime::now() + Duration::from_mins(1)));
        Ok(Response::new(v1::TakeLeaseResponse { lease_token, expire_time }))
    }

    async fn renew_lease(
        &self,
        _: Request<v1::RenewLeaseRequest>,
    ) -> Answer<v1::RenewLeaseResponse> {
        Ok(Response::new(v1::RenewLeaseResponse::default()))
    }

    async fn release_lease(
        &self,
        _: Request<v1::ReleaseLeaseRequest>,
    ) -> Answer<v1::ReleaseLeaseResponse> {
        Ok(Response::new(v1::ReleaseLeaseResponse {}))
    }

    async fn get_sample(&self, _: Request<v1::GetSampleRequest>) -> Answer<v1::GetSampleResponse> {
        Err(Status::unimplemented("a stub"))
    }

    async fn watch_samples(
        &self,
        _: Request<v1::WatchSamplesRequest>,
    ) -> Answer<Self::WatchSamplesStream> {
        Err(Status::unimplemented("a stub"))
    }

    async fn set_power_mode(
        &self,
        _: Request<v1::SetPowerModeRequest>,
    ) -> Answer<v1::SetPowerModeResponse> {
        Err(Status::unimplemented("a stub"))
    }

    async fn measure(&self, _: Request<v1::MeasureRequest>) -> Answer<Self::MeasureStream> {
        Err(Status::unimplemented("a stub"))
    }
}

#[tonic::async_trait]
impl TurnService for Stub {
    type WatchTurnsStream = Told<v1::WatchTurnsResponse>;
    type WatchWindowsStream = Told<v1::WatchWindowsResponse>;

    async fn apply_plan(
        &self,
        request: Request<v1::ApplyPlanRequest>,
    ) -> Answer<v1::ApplyPlanResponse> {
        self.generation.store(request.get_ref().generation, Ordering::Relaxed);
        let _ = self.told.send((self.number, Instant::now()));
        Ok(Response::new(v1::ApplyPlanResponse::default()))
    }

    async fn get_turns(&self, _: Request<v1::GetTurnsRequest>) -> Answer<v1::GetTurnsResponse> {
        let generation = self.generation.load(Ordering::Relaxed);
        Ok(Response::new(v1::GetTurnsResponse { generation, ..Default::default() }))
    }

    async fn watch_turns(
        &self,
        _: Request<v1::WatchTurnsRequest>,
    ) -> Answer<Self::WatchTurnsStream> {
        Err(Status::unimplemented("a stub"))
    }

    async fn watch_windows(
        &self,
        _: Request<v1::WatchWindowsRequest>,
    ) -> Answer<Self::WatchWindowsStream> {
        let second = Duration::from_secs(1);
        let generation = self.generation.clone();
        let ticks = IntervalStream::new(tokio::time::interval(second));
        let windows = ticks.map(move |_| {
            let of = |workload: &str, kind: v1::WorkloadKind, requests| v1::WorkloadWindow {
                workload: workload.into(),
                kind: kind.into(),
                minibatches: 8,
                busy: Some(duration_to_wire(Duration::from_millis(400))),
                arrived: requests,
                requests,
                longest_latency: (requests > 0).then(|| duration_to_wire(second / 2)),
                ..Default::default()
            };
            let window = v1::Window {
                length: Some(duration_to_wire(second)),
                generation: generation.load(Ordering::Relaxed),
                mean_power_watts: Some(20.0),
                workloads: vec![
                    of("other", v1::WorkloadKind::Train, 0),
                    of("mobilenet_v3", v1::WorkloadKind::Infer, 60),
                ],
                ..Default::default()
            };
            Ok(v1::WatchWindowsResponse { window: Some(window) })
        });
        Ok(Response::new(Box::pin(windows)))
    }
}
