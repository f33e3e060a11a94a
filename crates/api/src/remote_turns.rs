//! The turns of a borrowed board.

use std::time::Duration;

use fulcrum_domain::ModeId;
use tokio::time::{Instant, timeout_at};

use crate::power_mode::mode_to_wire;
use crate::remote_board::{RemoteBoard, RemoteError};
use crate::sample::{RemoteSample, sample_from_wire};
use crate::turns::{TurnPlan, turn_plan_to_wire};
use crate::v1;

/// So often the sensors are looked at while turns are watched.
const SAMPLED: Duration = Duration::from_secs(1);

/// What is seen of a board that takes turns.
#[derive(Debug)]
pub enum Seen {
    /// What ran.
    Turns(v1::WatchTurnsResponse),
    /// The sensors.
    Sample(RemoteSample),
}

impl RemoteBoard {
    /// Puts a plan into force, one generation above the one that is: the power mode, and what turns
    /// have to keep. On a simulated board, `simulate` says which workers to simulate.
    ///
    /// # Errors
    /// When the agent refuses, or the board is lost.
    pub fn apply_plan(
        &mut self,
        plan: &TurnPlan,
        mode: Option<ModeId>,
        simulate: Vec<v1::SimulatedWorker>,
    ) -> Result<(), RemoteError> {
        let generation = self.turns()?.generation + 1;
        let mode = mode.map(|mode| mode_to_wire(&self.description().space, mode));
        let request = v1::ApplyPlanRequest {
            lease_token: self.lease_token().to_owned(),
            generation,
            plan: Some(turn_plan_to_wire(plan, mode)),
            simulate,
        };
        let mut turns = self.turn_client();
        self.wait_for(async move { turns.apply_plan(request).await })?;
        Ok(())
    }

    /// How the turns stand.
    ///
    /// # Errors
    /// When the board is lost.
    pub fn turns(&mut self) -> Result<v1::GetTurnsResponse, RemoteError> {
        let mut turns = self.turn_client();
        self.wait_for(async move { turns.get_turns(v1::GetTurnsRequest {}).await })
    }

    /// The latest sample of the sensors.
    ///
    /// # Errors
    /// When the board is lost, or says what makes no sense.
    pub fn sample(&mut self) -> Result<RemoteSample, RemoteError> {
        let mut client = self.agent_client();
        let answer =
            self.wait_for(async move { client.get_sample(v1::GetSampleRequest {}).await })?;
        let sample = answer.sample.ok_or_else(|| crate::Malformed::missing("sample"))?;
        Ok(sample_from_wire(&sample, self.description().sensors.len())?)
    }

    /// Sees every minibatch that runs for so long, and a sample of the sensors every second.
    ///
    /// # Errors
    /// When the board is lost, or says what makes no sense.
    pub fn watch_turns(
        &mut self,
        time: Duration,
        mut see: impl FnMut(Seen),
    ) -> Result<(), RemoteError> {
        let until = Instant::now() + time;
        let mut sample_at = Instant::now() + SAMPLED;
        let mut turns = self.turn_client();
        let mut stream =
            self.wait_for(async move { turns.watch_turns(v1::WatchTurnsRequest {}).await })?;
        while Instant::now() < until {
            if Instant::now() >= sample_at {
                see(Seen::Sample(self.sample()?));
                // Whoever looks slowly looks seldom, and still sees what runs.
                sample_at = Instant::now() + SAMPLED;
            }
            let next = self.wait_for(async {
                match timeout_at(until.min(sample_at), stream.message()).await {
                    Ok(message) => message.map(|message| tonic::Response::new(Ok(message))),
                    Err(_elapsed) => Ok(tonic::Response::new(Err(()))),
                }
            })?;
            match next {
                Ok(Some(message)) => see(Seen::Turns(message)),
                Ok(None) => {
                    return Err(RemoteError::LeaseLost("the agent ended the stream".into()));
                }
                Err(()) => {}
            }
        }
        Ok(())
    }
}
