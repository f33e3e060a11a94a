//! The agent's rpcs: each checks its request, asks the rooms behind, and answers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::v1::agent_service_server::AgentService;
use fulcrum_api::{
    BoardDescription, duration_to_wire, failure_kind, mode_to_wire, overrides_to_wire,
    sample_to_wire, time_to_wire, v1, value_to_wire, values_to_wire,
};
use fulcrum_board::{Clock, ModeChange};
use fulcrum_domain::{ModeId, ModeSpace};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::board_thread::{BoardGone, BoardHandle};
use crate::control::{Control, ControlError, GuardAction};
use crate::described::Described;
use crate::measure::{Instruments, Measurement, Progress};
use crate::measuring::Phase;
use crate::requests::{mode, order, text, time};
use crate::sampler::{HISTORY, Sampler};
use crate::settling::Settling;
use crate::turn_service::Turns;
use crate::workers::WorkerPool;

/// How long a lease lasts unless the request says otherwise.
const LEASE: Duration = Duration::from_secs(10);
/// No request waits longer for a board to settle: clients wait 30 s for an answer.
const LONGEST_SETTLING: Duration = Duration::from_secs(20);

/// Everything that answering needs. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) control: Arc<Control>,
    pub(crate) sampler: Arc<Sampler>,
    pub(crate) workers: Arc<dyn WorkerPool>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) described: Described,
    pub(crate) board: BoardHandle,
    pub(crate) turns: Arc<Turns>,
}

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What came of setting a mode, as the wire has it.
pub(crate) fn changed(space: &ModeSpace, change: &ModeChange) -> v1::SetPowerModeResponse {
    v1::SetPowerModeResponse {
        requested: Some(mode_to_wire(space, change.requested)),
        applied: Some(v1::PowerMode { levels: change.applied.clone() }),
        observed: values_to_wire(&change.observed),
        overrides: overrides_to_wire(&change.overrides),
        settled_after: None,
    }
}

/// What a guard did, as the wire has it.
pub(crate) fn guarded(space: &ModeSpace, action: &GuardAction) -> v1::GuardAction {
    v1::GuardAction {
        time: Some(time_to_wire(action.time)),
        reason: action.reason.clone(),
        mode: Some(mode_to_wire(space, action.mode)),
    }
}

impl Agent {
    /// Waits until the board has settled in a mode that was just set, but no longer than this.
    async fn settled(
        &self,
        mode: ModeId,
        within: Duration,
    ) -> Result<Option<Duration>, ControlError> {
        let mut settling = Settling::new(self.clock.now(), self.sampler.power_refresh());
        let mut samples = self.sampler.watch();
        let settled = async {
            loop {
                samples.changed().await.map_err(|_| BoardGone)?;
                let Some(reading) = samples.borrow_and_update().clone() else { continue };
                let standing = self.control.standing().await;
                if standing.wanted != Some(mode) {
                    // Somebody else has changed it since.
                    return Ok(None);
                }
                let sample = &reading.sample;
                let holds = standing.overrides.is_empty();
                if let Some(after) = settling.look(sample.at, &sample.total_power, holds) {
                    return Ok(Some(after));
                }
            }
        };
        tokio::time::timeout(self.clock.real(within), settled).await.unwrap_or(Ok(None))
    }
}

#[tonic::async_trait]
impl AgentService for Agent {
    async fn get_board(&self, _: Request<v1::GetBoardRequest>) -> Answer<v1::GetBoardResponse> {
        let description = self.described.now();
        let board = BoardDescription { offers: self.workers.offers(), ..(*description).clone() };
        let board = Some(board.to_wire());
        Ok(Response::new(v1::GetBoardResponse { board }))
    }

    async fn get_sample(&self, _: Request<v1::GetSampleRequest>) -> Answer<v1::GetSampleResponse> {
        let mut samples = self.sampler.watch();
        let latest = samples
            .wait_for(Option::is_some)
            .await
            .map_err(|_| Status::unavailable("the agent is stopping"))?
            .clone();
        let sample = latest.map(|reading| sample_to_wire(&reading.to_remote()));
        Ok(Response::new(v1::GetSampleResponse { sample }))
    }

    type WatchSamplesStream = Answers<v1::WatchSamplesResponse>;

    async fn watch_samples(
        &self,
        request: Request<v1::WatchSamplesRequest>,
    ) -> Answer<Self::WatchSamplesStream> {
        let request = request.into_inner();
        let bounds = (Duration::from_millis(10), Duration::from_mins(1));
        let interval = time("interval", request.interval.as_ref(), Duration::from_secs(1), bounds)?;
        let back =
            time("history", request.history.as_ref(), Duration::ZERO, (Duration::ZERO, HISTORY))?;
        let past = if back.is_zero() { Vec::new() } else { self.sampler.history(back) };
        let (sender, receiver) = mpsc::channel(4);
        let mut samples = self.sampler.watch();
        tokio::spawn(async move {
            let answer = |sample| Ok(v1::WatchSamplesResponse { sample: Some(sample) });
            for sample in past {
                if sender.send(answer(sample_to_wire(&sample))).await.is_err() {
                    return;
                }
            }
            // A slow reader gets the latest when it is ready, and misses what was between.
            loop {
                let latest = samples.borrow_and_update().clone();
                if let Some(reading) = latest
                    && sender.send(answer(sample_to_wire(&reading.to_remote()))).await.is_err()
                {
                    return;
                }
                tokio::select! {
                    () = sender.closed() => return,
                    () = tokio::time::sleep(interval) => {}
                }
                if samples.changed().await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Answer<v1::GetStatusResponse> {
        let description = self.described.now();
        let space = &description.space;
        let levels = self.control.levels().await?;
        let standing = self.control.standing().await;
        Ok(Response::new(v1::GetStatusResponse {
            wanted: standing.wanted.map(|mode| mode_to_wire(space, mode)),
            shown: values_to_wire(&levels),
            overrides: overrides_to_wire(&standing.overrides),
            lease: standing.lease.map(|lease| v1::LeaseInfo {
                holder: lease.holder,
                expire_time: Some(time_to_wire(self.control.wall(lease.expires))),
            }),
            guard_actions: standing.guard_actions.iter().map(|a| guarded(space, a)).collect(),
            restore_pending: standing.unrestored.unwrap_or_default(),
        }))
    }

    async fn take_lease(
        &self,
        request: Request<v1::TakeLeaseRequest>,
    ) -> Answer<v1::TakeLeaseResponse> {
        let request = request.into_inner();
        let holder = text("holder", &request.holder, 128, true)?;
        let request_id = text("request_id", &request.request_id, 64, false)?;
        let bounds = (Duration::from_secs(1), Duration::from_mins(10));
        let duration = time("duration", request.duration.as_ref(), LEASE, bounds)?;
        let token = token().map_err(|error| {
            Status::internal(format!("the system gave no random numbers: {error}"))
        })?;
        let lease = self.control.take(holder, duration, request_id, token).await?;
        Ok(Response::new(v1::TakeLeaseResponse {
            expire_time: Some(time_to_wire(self.control.wall(lease.expires))),
            lease_token: lease.token,
        }))
    }

    async fn renew_lease(
        &self,
        request: Request<v1::RenewLeaseRequest>,
    ) -> Answer<v1::RenewLeaseResponse> {
        let request = request.into_inner();
        let lease =
            self.control.renew(text("lease_token", &request.lease_token, 128, true)?).await?;
        let expire_time = Some(time_to_wire(self.control.wall(lease.expires)));
        Ok(Response::new(v1::RenewLeaseResponse { expire_time }))
    }

    async fn release_lease(
        &self,
        request: Request<v1::ReleaseLeaseRequest>,
    ) -> Answer<v1::ReleaseLeaseResponse> {
        let request = request.into_inner();
        self.control.release(text("lease_token", &request.lease_token, 128, true)?).await?;
        Ok(Response::new(v1::ReleaseLeaseResponse {}))
    }

    async fn set_power_mode(
        &self,
        request: Request<v1::SetPowerModeRequest>,
    ) -> Answer<v1::SetPowerModeResponse> {
        let request = request.into_inner();
        let description = self.described.now();
        let space = &description.space;
        let mode = mode(space, request.mode.as_ref())?;
        let token = text("lease_token", &request.lease_token, 128, !request.validate_only)?;
        if request.validate_only {
            // What would be set can be asked without borrowing the board.
            self.control.admits(space, mode).await?;
            let levels = Some(mode_to_wire(space, mode));
            return Ok(Response::new(v1::SetPowerModeResponse {
                requested: levels.clone(),
                applied: levels,
                observed: values_to_wire(&self.control.levels().await?),
                overrides: Vec::new(),
                settled_after: None,
            }));
        }
        let bounds = (Duration::ZERO, LONGEST_SETTLING);
        let within = time("settle_within", request.settle_within.as_ref(), Duration::ZERO, bounds)?;
        let change = self.control.set(token, space, mode).await?;
        let settled = self.settled(mode, within).await?;
        let settled_after = settled.map(duration_to_wire);
        Ok(Response::new(v1::SetPowerModeResponse { settled_after, ..changed(space, &change) }))
    }

    type MeasureStream = Answers<v1::MeasureResponse>;

    async fn measure(&self, request: Request<v1::MeasureRequest>) -> Answer<Self::MeasureStream> {
        let description = self.described.now();
        let order = order(&description.space, &request.into_inner())?;
        // So that a lease that is not held is an answer at once, not a stream that fails.
        self.control.validate(&order.token, &description.space, order.mode).await?;
        let (sender, receiver) = mpsc::channel(16);
        let agent = self.clone();
        tokio::spawn(async move {
            let instruments = Instruments {
                control: &agent.control,
                sampler: &agent.sampler,
                workers: &*agent.workers,
                clock: &agent.clock,
                sensors: &description.sensors,
                space: &description.space,
            };
            // Progress that nobody takes in time is left out; the end never is.
            let told = sender.clone();
            let progress = |progress: Progress| {
                let _ = told.try_send(Ok(progress_to_wire(progress)));
            };
            tokio::select! {
                () = sender.closed() => tracing::info!("measurement cancelled"),
                found = instruments.measure(&order, progress) => {
                    let _ = sender.send(end_to_wire(found)).await;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// A secret that nobody guesses: 128 random bits.
fn token() -> Result<String, getrandom::Error> {
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bits)))
}

fn progress_to_wire(progress: Progress) -> v1::MeasureResponse {
    use v1::measure_progress::Phase as Wire;
    let phase = match progress.phase {
        None => Wire::Setting,
        Some(Phase::WarmingUp) => Wire::WarmingUp,
        Some(Phase::Measuring) => Wire::Measuring,
    };
    v1::MeasureResponse {
        update: Some(v1::measure_response::Update::Progress(v1::MeasureProgress {
            phase: phase.into(),
            minibatches: progress.minibatches,
            power_samples: progress.power_samples,
        })),
    }
}

fn end_to_wire(found: Result<Measurement, ControlError>) -> Result<v1::MeasureResponse, Status> {
    use v1::measure_response::Update;
    let update = match found? {
        Ok((measured, cost)) => Update::Profile(v1::ProfileReading {
            minibatch_seconds: measured.profile.minibatch.get(),
            power_watts: measured.profile.power.get(),
            relative_error_ratio: measured.profile.error,
            minibatch_spread_seconds: measured.spread.get(),
            minibatches: measured.minibatches,
            power_samples: measured.power_samples,
            peak_temperature_celsius: Some(value_to_wire(&measured.peak_temperature)),
            minibatch_joules: measured.energy_per_minibatch_joules,
            cost: Some(duration_to_wire(cost)),
        }),
        Err(failure) => Update::Failure(v1::MeasureFailure {
            kind: failure_kind(failure).into(),
            message: failure.to_string(),
        }),
    };
    Ok(v1::MeasureResponse { update: Some(update) })
}
