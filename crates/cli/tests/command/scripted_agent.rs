//! An agent that says what a test wants it to: overrides, a guard that stepped in, a lease that is
//! taken. What a real agent does with a board is tested with the real one.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fulcrum_api::v1::agent_service_server::{AgentService, AgentServiceServer};
use fulcrum_api::{
    BoardDescription, RemoteSample, kind_from_wire, mode_from_wire, mode_to_wire, sample_to_wire,
    v1,
};
use fulcrum_board::{
    Absence, Identity, Profiler as _, Quantity, Sensor, SimulatedOrin, TotalPower,
};
use fulcrum_domain::{BatchSize, ModeSpace, Workload};
use tokio::net::UnixListener;
use tokio_stream::wrappers::{IntervalStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};

/// What the agent says and what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// What it says of the mode, the lease and the guards, beside what was set.
    pub(crate) status: v1::GetStatusResponse,
    /// How often the lease was taken and ended.
    pub(crate) taken: usize,
    pub(crate) ended: usize,
    /// The mode that is set.
    pub(crate) set: Option<v1::PowerMode>,
    /// The holders, in the order in which they came.
    pub(crate) holders: Vec<String>,
    /// How often it was asked to measure.
    pub(crate) measurements: usize,
    /// Dies, as far as callers can tell, at this measurement.
    pub(crate) dies_at: Option<usize>,
    /// How long a measurement takes.
    pub(crate) measuring: Duration,
}

/// An agent that runs in this process until the test ends.
pub(crate) struct ScriptedAgent {
    socket: PathBuf,
    script: Arc<Mutex<Script>>,
}

impl ScriptedAgent {
    /// Starts one with its socket in a folder.
    pub(crate) fn start(folder: &Path, script: Script) -> Self {
        let socket = folder.join("agent.sock");
        let script = Arc::new(Mutex::new(script));
        let (ready, listening) = channel();
        let served = Served { script: script.clone(), board: Arc::new(board()) };
        let path = socket.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = UnixListener::bind(path).expect("a socket");
                ready.send(()).expect("the test waits");
                let server = tonic::transport::Server::builder();
                let incoming = UnixListenerStream::new(listener);
                let mut server = server;
                let router = server.add_service(AgentServiceServer::new(served));
                router.serve_with_incoming(incoming).await.expect("it serves");
            });
        });
        listening.recv().expect("it listens");
        Self { socket, script }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// How often its lease was taken and ended.
    pub(crate) fn leases(&self) -> (usize, usize) {
        let script = self.script();
        (script.taken, script.ended)
    }

    /// What it was asked until now. Not twice in one expression: the second would wait for ever.
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The board that the agent speaks for: the simulated Orin, with few sensors.
pub(crate) fn board() -> BoardDescription {
    let orin = SimulatedOrin::exact();
    let sensor = |part: &str, quantity, refresh: Option<u64>| Sensor {
        part: part.into(),
        quantity,
        refresh: refresh.map(Duration::from_millis),
    };
    BoardDescription {
        identity: Identity {
            kind: "simulated",
            model: "Simulated Jetson AGX Orin".into(),
            compatible: vec!["simulated-orin-agx".into()],
            software: "none".into(),
        },
        space: orin.space().clone(),
        presets: orin.presets().to_vec(),
        sensors: vec![
            sensor("VDD_GPU_SOC", Quantity::Power, Some(430)),
            sensor("tj", Quantity::Temperature, None),
            sensor("cv0", Quantity::Temperature, None),
            sensor("gpu", Quantity::Clock, None),
        ],
        total_power: TotalPower {
            parts: vec!["VDD_GPU_SOC".into()],
            leaves_out: "the carrier board".into(),
        },
        offers: orin.offers().to_vec(),
        generation: 0,
    }
}

/// Heat holds the GPU down, another holds the board, and something is still to be put back.
pub(crate) fn troubled() -> Script {
    let shown = v1::SensorValue { value: Some(v1::sensor_value::Value::Number(306_000.0)) };
    Script {
        status: v1::GetStatusResponse {
            overrides: vec![v1::Override {
                knob: "gpu_khz".into(),
                wanted: 1_300_500.0,
                shown: Some(shown),
                suspect: "thermal".into(),
            }],
            lease: Some(v1::LeaseInfo { holder: "ada on host-7".into(), expire_time: None }),
            guard_actions: vec![v1::GuardAction {
                time: None,
                reason: "tj at 97.5C is over 95C".into(),
                mode: None,
            }],
            restore_pending: "gpu max_freq shows 306000000".into(),
            ..v1::GetStatusResponse::default()
        },
        ..Script::default()
    }
}

fn sample() -> v1::Sample {
    sample_to_wire(&RemoteSample {
        time: std::time::UNIX_EPOCH + Duration::from_hours(490_000),
        values: vec![Ok(9.25), Ok(54.0), Err(Absence::Gated), Ok(306e6)],
        total_power: Ok(9.25),
        energy_joules: 92.5,
        energy_covered: Duration::from_secs(10),
        energy_samples: 23,
    })
}

struct Served {
    script: Arc<Mutex<Script>>,
    board: Arc<BoardDescription>,
}

const TOKEN: &str = "token";

impl Served {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn space(&self) -> &ModeSpace {
        &self.board.space
    }

    /// What the board shows: what is set, or else its highest mode.
    fn shown(&self) -> Vec<v1::SensorValue> {
        let highest = mode_to_wire(self.space(), self.space().highest());
        let mode = self.script().set.clone().unwrap_or(highest);
        let number =
            |level| v1::SensorValue { value: Some(v1::sensor_value::Value::Number(level)) };
        mode.levels.into_iter().map(number).collect()
    }

    fn holds(&self, token: &str) -> Result<(), Status> {
        let script = self.script();
        let held = token == TOKEN && script.taken > script.ended;
        held.then_some(()).ok_or_else(|| Status::failed_precondition("lease_token: no such lease"))
    }
}

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AgentService for Served {
    type WatchSamplesStream = Streamed<v1::WatchSamplesResponse>;
    type MeasureStream = Streamed<v1::MeasureResponse>;

    async fn get_board(
        &self,
        _: Request<v1::GetBoardRequest>,
    ) -> Result<Response<v1::GetBoardResponse>, Status> {
        Ok(Response::new(v1::GetBoardResponse { board: Some(self.board.to_wire()) }))
    }

    async fn get_sample(
        &self,
        _: Request<v1::GetSampleRequest>,
    ) -> Result<Response<v1::GetSampleResponse>, Status> {
        Ok(Response::new(v1::GetSampleResponse { sample: Some(sample()) }))
    }

    async fn watch_samples(
        &self,
        _: Request<v1::WatchSamplesRequest>,
    ) -> Result<Response<Self::WatchSamplesStream>, Status> {
        let ticks = IntervalStream::new(tokio::time::interval(Duration::from_millis(10)));
        let samples = ticks.map(|_| Ok(v1::WatchSamplesResponse { sample: Some(sample()) }));
        Ok(Response::new(Box::pin(samples)))
    }

    async fn get_status(
        &self,
        _: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let mut status = self.script().status.clone();
        status.shown = self.shown();
        status.wanted.clone_from(&self.script().set);
        Ok(Response::new(status))
    }

    async fn take_lease(
        &self,
        request: Request<v1::TakeLeaseRequest>,
    ) -> Result<Response<v1::TakeLeaseResponse>, Status> {
        let mut script = self.script();
        if let Some(lease) = &script.status.lease {
            let message = format!("the board is held by {}", lease.holder);
            return Err(Status::failed_precondition(message));
        }
        script.taken += 1;
        script.holders.push(request.into_inner().holder);
        Ok(Response::new(v1::TakeLeaseResponse { lease_token: TOKEN.into(), expire_time: None }))
    }

    async fn renew_lease(
        &self,
        request: Request<v1::RenewLeaseRequest>,
    ) -> Result<Response<v1::RenewLeaseResponse>, Status> {
        self.holds(&request.into_inner().lease_token)?;
        Ok(Response::new(v1::RenewLeaseResponse { expire_time: None }))
    }

    async fn release_lease(
        &self,
        _: Request<v1::ReleaseLeaseRequest>,
    ) -> Result<Response<v1::ReleaseLeaseResponse>, Status> {
        let mut script = self.script();
        script.ended = script.taken;
        script.set = None;
        Ok(Response::new(v1::ReleaseLeaseResponse {}))
    }

    async fn set_power_mode(
        &self,
        request: Request<v1::SetPowerModeRequest>,
    ) -> Result<Response<v1::SetPowerModeResponse>, Status> {
        let request = request.into_inner();
        let mode = request.mode.ok_or_else(|| Status::invalid_argument("mode: is missing"))?;
        mode_from_wire(self.space(), &mode)
            .map_err(|error| Status::invalid_argument(format!("mode: {error}")))?;
        if !request.validate_only {
            self.holds(&request.lease_token)?;
            self.script().set = Some(mode.clone());
        }
        Ok(Response::new(v1::SetPowerModeResponse {
            requested: Some(mode.clone()),
            applied: Some(mode),
            observed: self.shown(),
            overrides: self.script().status.overrides.clone(),
            settled_after: None,
        }))
    }

    async fn measure(
        &self,
        request: Request<v1::MeasureRequest>,
    ) -> Result<Response<Self::MeasureStream>, Status> {
        use v1::measure_response::Update;
        let request = request.into_inner();
        self.holds(&request.lease_token)?;
        let wait = self.script().measuring;
        tokio::time::sleep(wait).await;
        let number = self.script().measurements;
        self.script().measurements += 1;
        if self.script().dies_at.is_some_and(|last| number >= last) {
            return Err(Status::failed_precondition("lease_token: the lease has ended"));
        }
        let mode = request.mode.unwrap_or_default();
        let mode = mode_from_wire(self.space(), &mode)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let kind = kind_from_wire(request.kind, "kind")
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let workload = Workload { name: request.workload.into(), kind };
        let batch_size = BatchSize::new(request.batch_size).unwrap_or(BatchSize::ONE);
        let reading = SimulatedOrin::exact().measure(&workload, mode, batch_size);
        let update = match reading {
            Ok(profile) => Update::Profile(v1::ProfileReading {
                minibatch_seconds: profile.minibatch.get(),
                power_watts: profile.power.get(),
                ..v1::ProfileReading::default()
            }),
            Err(failure) => Update::Failure(v1::MeasureFailure {
                kind: fulcrum_api::failure_kind(failure).into(),
                message: failure.to_string(),
            }),
        };
        let response = v1::MeasureResponse { update: Some(update) };
        Ok(Response::new(Box::pin(tokio_stream::iter([Ok(response)]))))
    }
}
