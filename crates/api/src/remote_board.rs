//! A board behind an agent, to measure on as if it were at hand.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::{Offer, Preset, Profiler};
use fulcrum_domain::{BatchSize, Failure, ModeId, ModeSpace, Reading, Workload};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tonic::Status;

use crate::address::Address;
use crate::agent_client::{AgentClient, TurnClient, connect_both};
use crate::board::BoardDescription;
use crate::malformed::Malformed;
use crate::power_mode::mode_to_wire;
use crate::profile::{failure_from_wire, profile_from_wire};
use crate::remote_lease::{RemoteLease, give_back};
use crate::span::duration_to_wire;
use crate::v1;
use crate::workload::kind_to_wire;

/// How to measure on a remote board.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// Who holds the lease, for people: `fulcrum plan on host-7`.
    pub holder: String,
    /// How long the board stays borrowed should this process die.
    pub lease: Duration,
    /// Measure at least so many minibatches; none for as many as the agent thinks right.
    pub minibatches: Option<u32>,
    /// Measure at least so many distinct values of the power; none for as many as the agent thinks
    /// right.
    pub power_samples: Option<u32>,
    /// Give a measurement up after this long.
    pub timeout: Duration,
    /// Whether an interrupt (Ctrl-C, SIGTERM) gives the board back and makes every further
    /// measurement fail, instead of ending the process on the spot. Ending it is then up to whoever
    /// sees [`Profiler::lost`].
    pub stop_on_interrupt: bool,
}

impl RemoteOptions {
    /// The usual options for a holder.
    pub fn new(holder: impl Into<String>) -> Self {
        Self {
            holder: holder.into(),
            lease: Duration::from_secs(10),
            minibatches: None,
            power_samples: None,
            timeout: Duration::from_mins(10),
            stop_on_interrupt: false,
        }
    }
}

/// Why a remote board cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RemoteError {
    /// Nobody answers.
    #[error("no agent answers at {address}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        address: Address,
        /// What stood in the way.
        reason: String,
    },
    /// The agent said no.
    #[error("the agent refused: {}", .0.message())]
    Refused(Box<Status>),
    /// What the agent said makes no sense.
    #[error("the agent's answer is wrong: {0}")]
    Malformed(#[from] Malformed),
    /// The board is no longer borrowed.
    #[error("the lease on the board was lost: {0}")]
    LeaseLost(String),
    /// The user wants to stop.
    #[error("interrupted; the board was given back")]
    Interrupted,
    /// This process cannot wait for answers.
    #[error("cannot start waiting for answers: {0}")]
    Runtime(String),
}

impl RemoteError {
    pub(crate) fn refused(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

/// A board behind an agent. It is borrowed from its agent for as long as this lives; dropping it
/// gives it back.
///
/// It waits for answers by blocking, so it is not for asynchronous code.
pub struct RemoteBoard {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: AgentClient,
    turns: TurnClient,
    description: BoardDescription,
    lease: RemoteLease,
    options: RemoteOptions,
    lost: Option<RemoteError>,
}

impl RemoteBoard {
    /// Connects to an agent and borrows its board.
    ///
    /// # Errors
    /// When nobody answers, the board is borrowed by another, or its description makes no sense.
    pub fn borrow(address: &Address, options: RemoteOptions) -> Result<Self, RemoteError> {
        // The lease is renewed while the caller computes, so it needs a thread of its own.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("remote-board")
            .enable_all()
            .build()
            .map_err(|error| RemoteError::Runtime(error.to_string()))?;
        let (client, turns, description, lease) = runtime.block_on(async {
            let connected = connect_both(address).await;
            let (mut client, turns) = connected.map_err(|error| RemoteError::Unreachable {
                address: address.clone(),
                reason: with_causes(&error),
            })?;
            let answer = client.get_board(v1::GetBoardRequest {}).await;
            let board = answer.map_err(RemoteError::refused)?.into_inner().board;
            let board = board.ok_or_else(|| Malformed::missing("board"))?;
            let description = BoardDescription::from_wire(&board)?;
            let lease = RemoteLease::take(&client, &options).await?;
            Ok::<_, RemoteError>((client, turns, description, lease))
        })?;
        Ok(Self { runtime: Some(runtime), client, turns, description, lease, options, lost: None })
    }

    /// What the agent says of the board.
    pub fn description(&self) -> &BoardDescription {
        &self.description
    }

    pub(crate) fn lease_token(&self) -> &str {
        self.lease.token()
    }

    pub(crate) fn agent_client(&self) -> AgentClient {
        self.client.clone()
    }

    pub(crate) fn turn_client(&self) -> TurnClient {
        self.turns.clone()
    }

    /// Waits for an answer, unless the board is lost before.
    pub(crate) fn wait_for<T>(
        &mut self,
        answer: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, RemoteError> {
        let runtime = self.runtime.as_ref();
        let runtime = runtime.ok_or_else(|| RemoteError::Runtime("it was given back".into()))?;
        let mut ended = self.lease.ended();
        runtime.block_on(async {
            tokio::select! {
                biased;
                end = ended.wait_for(Option::is_some) => Err(match end {
                    Ok(reason) => reason.clone().unwrap_or(RemoteError::Interrupted),
                    Err(_) => RemoteError::LeaseLost("nobody renews it".into()),
                }),
                answer = answer => answer.map(tonic::Response::into_inner).map_err(RemoteError::refused),
            }
        })
    }

    async fn ask(
        mut client: AgentClient,
        request: v1::MeasureRequest,
    ) -> Result<Reading, RemoteError> {
        use v1::measure_response::Update;
        let mut updates = client.measure(request).await.map_err(RemoteError::refused)?.into_inner();
        while let Some(answer) = updates.message().await.map_err(RemoteError::refused)? {
            match answer.update {
                Some(Update::Profile(reading)) => return Ok(Ok(profile_from_wire(&reading)?)),
                Some(Update::Failure(failure)) => return Ok(Err(failure_from_wire(&failure))),
                Some(Update::Progress(_)) | None => {}
            }
        }
        Err(Malformed::missing("profile").into())
    }
}

/// An error with what caused it: `transport error: No such file or directory`.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Profiler for RemoteBoard {
    fn name(&self) -> &str {
        let identity = &self.description.identity;
        identity.compatible.first().unwrap_or(&identity.model)
    }

    fn space(&self) -> &Arc<ModeSpace> {
        &self.description.space
    }

    fn presets(&self) -> &[Preset] {
        &self.description.presets
    }

    fn offers(&self) -> &[Offer] {
        &self.description.offers
    }

    fn measure(&mut self, workload: &Workload, mode: ModeId, batch_size: BatchSize) -> Reading {
        let runtime = self.runtime.as_ref().ok_or(Failure::Unavailable)?;
        if self.lost.is_some() || mode.index() >= self.description.space.len() {
            return Err(Failure::Unavailable);
        }
        let request = v1::MeasureRequest {
            lease_token: self.lease.token().to_owned(),
            workload: workload.name.to_string(),
            kind: kind_to_wire(workload.kind).into(),
            batch_size: batch_size.get(),
            mode: Some(mode_to_wire(&self.description.space, mode)),
            minibatches: self.options.minibatches.unwrap_or_default(),
            power_samples: self.options.power_samples.unwrap_or_default(),
            timeout: Some(duration_to_wire(self.options.timeout)),
        };
        let mut ended = self.lease.ended();
        let client = self.client.clone();
        let answer = runtime.block_on(async {
            tokio::select! {
                biased;
                end = ended.wait_for(Option::is_some) => Err(match end {
                    Ok(reason) => reason.clone().unwrap_or(RemoteError::Interrupted),
                    Err(_) => RemoteError::LeaseLost("nobody renews it".into()),
                }),
                answer = Self::ask(client, request) => answer,
            }
        });
        answer.unwrap_or_else(|error| {
            self.lost = Some(error);
            Err(Failure::Unavailable)
        })
    }

    fn lost(&self) -> Option<String> {
        self.lost.as_ref().map(ToString::to_string)
    }
}

impl Drop for RemoteBoard {
    fn drop(&mut self) {
        /// How long to wait for the board to be put back; if it takes longer, the agent still does.
        const PATIENCE: Duration = Duration::from_secs(10);
        if let Some(runtime) = self.runtime.take() {
            let release = give_back(self.client.clone(), self.lease.token().to_owned());
            let _ = runtime.block_on(async { timeout(PATIENCE, release).await });
            runtime.shutdown_background();
        }
    }
}
