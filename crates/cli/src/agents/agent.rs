//! One agent, and the questions that it is asked.

use std::time::Duration;

use fulcrum_api::{
    Address, AgentClient, BoardDescription, Malformed, RemoteSample, connect, duration_to_wire,
    mode_to_wire, sample_from_wire, v1,
};
use fulcrum_domain::{ModeId, ModeSpace};
use tonic::{Code, Streaming};

use super::refusal::{malformed, refused, unreachable};
use super::status::{ModeReport, Status};
use crate::exit::Failure;

/// An agent that answered when it was called.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    address: Address,
    client: AgentClient,
}

impl Agent {
    /// Connects to the agent at an address.
    pub(crate) async fn reach(address: &Address) -> Result<Self, Failure> {
        let client = connect(address).await.map_err(|error| unreachable(address, &error))?;
        Ok(Self { address: address.clone(), client })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// What it says of its board.
    pub(crate) async fn board(&mut self) -> Result<BoardDescription, Failure> {
        let answer = self.client.get_board(v1::GetBoardRequest {}).await;
        let board = answer.map_err(|status| self.refused(&status))?.into_inner().board;
        let board = board.ok_or_else(|| Malformed::missing("board"));
        board
            .and_then(|board| BoardDescription::from_wire(&board))
            .map_err(|error| malformed(&self.address, &error))
    }

    /// The latest sample of all sensors; none before the agent has read them once.
    pub(crate) async fn sample(
        &mut self,
        board: &BoardDescription,
    ) -> Result<Option<RemoteSample>, Failure> {
        let answer = match self.client.get_sample(v1::GetSampleRequest {}).await {
            Err(status) if status.code() == Code::Unavailable => return Ok(None),
            answer => answer.map_err(|status| self.refused(&status))?.into_inner(),
        };
        let Some(sample) = answer.sample else { return Ok(None) };
        let sample = sample_from_wire(&sample, board.sensors.len());
        sample.map(Some).map_err(|error| malformed(&self.address, &error))
    }

    /// The mode, the lease and the guards.
    pub(crate) async fn status(&mut self, space: &ModeSpace) -> Result<Status, Failure> {
        let answer = self.client.get_status(v1::GetStatusRequest {}).await;
        let status = answer.map_err(|status| self.refused(&status))?.into_inner();
        let status = Status::from_wire(status, space.knobs().len());
        status.map_err(|error| malformed(&self.address, &error))
    }

    /// Samples as they come.
    pub(crate) async fn watch(
        &mut self,
        board: &BoardDescription,
        interval: Duration,
        history: Option<Duration>,
    ) -> Result<Samples, Failure> {
        let request = v1::WatchSamplesRequest {
            interval: Some(duration_to_wire(interval)),
            history: history.map(duration_to_wire),
        };
        let answer = self.client.watch_samples(request).await;
        let stream = answer.map_err(|status| self.refused(&status))?.into_inner();
        Ok(Samples { address: self.address.clone(), stream, sensors: board.sensors.len() })
    }

    /// Sets a mode under a lease and waits so long for the board to settle, or, with
    /// `validate_only`, asks what that would do.
    pub(crate) async fn set(
        &mut self,
        token: &str,
        space: &ModeSpace,
        mode: ModeId,
        validate_only: bool,
        settle_within: Option<Duration>,
    ) -> Result<ModeReport, Failure> {
        let request = v1::SetPowerModeRequest {
            lease_token: token.to_owned(),
            mode: Some(mode_to_wire(space, mode)),
            validate_only,
            settle_within: settle_within.map(duration_to_wire),
        };
        let answer = self.client.set_power_mode(request).await;
        let report = answer.map_err(|status| self.refused(&status))?.into_inner();
        let report = ModeReport::from_wire(report, space.knobs().len());
        report.map_err(|error| malformed(&self.address, &error))
    }

    pub(super) fn client(&mut self) -> &mut AgentClient {
        &mut self.client
    }

    pub(super) fn refused(&self, status: &tonic::Status) -> Failure {
        refused(&self.address, status)
    }
}

/// A stream of samples.
#[derive(Debug)]
pub(crate) struct Samples {
    address: Address,
    stream: Streaming<v1::WatchSamplesResponse>,
    sensors: usize,
}

impl Samples {
    /// The next sample; none when the agent has ended the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<RemoteSample>, Failure> {
        loop {
            let answer = self.stream.message().await;
            let Some(answer) = answer.map_err(|status| refused(&self.address, &status))? else {
                return Ok(None);
            };
            if let Some(sample) = answer.sample {
                let sample = sample_from_wire(&sample, self.sensors);
                return sample.map(Some).map_err(|error| malformed(&self.address, &error));
            }
        }
    }
}
