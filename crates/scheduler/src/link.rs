//! The connection to one board: its description, its windows, the lease, the plan in force.

use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::{AgentClient, BoardDescription, TurnClient, connect_both, duration_to_wire, v1};
use fulcrum_domain::ModeSpace;
use fulcrum_store::StoredBoard;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

/// Who holds the boards, for people. The same for all replicas: one takes over from the other.
const HOLDER: &str = "fulcrum scheduler";
/// A board that nobody tends any more goes back to what it was after this.
const LEASE: Duration = Duration::from_mins(1);
/// How often the lease is renewed.
pub(crate) const RENEW: Duration = Duration::from_secs(20);
/// How long a window is.
const WINDOW: Duration = Duration::from_secs(1);
/// How long to wait until a board has said what it is.
const OPENING: Duration = Duration::from_secs(15);

/// Why a board did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// It does not answer any more.
    #[error("{0}")]
    Lost(String),
    /// It says no.
    #[error("{0}")]
    Refused(String),
}

impl From<Status> for LinkError {
    fn from(status: Status) -> Self {
        let message = status.message().to_owned();
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                Self::Lost(message)
            }
            _ => Self::Refused(message),
        }
    }
}

/// A board that answers.
pub(crate) struct Link {
    agent: AgentClient,
    turns: TurnClient,
    /// What tells equal boards.
    pub(crate) model: String,
    /// The software that decides how it behaves.
    pub(crate) software: String,
    /// Its power modes.
    pub(crate) space: Arc<ModeSpace>,
    pub(crate) windows: Streaming<v1::WatchWindowsResponse>,
    lease_id: String,
    /// What the lease is used with, while it is held.
    lease: Option<String>,
    term: u64,
    /// The generation of the plan that the board has; 0 for none since its agent started.
    pub(crate) generation: u64,
}

impl Link {
    /// Reaches a board, in a leader's term.
    pub(crate) async fn open(board: &StoredBoard, term: u64) -> Result<Self, LinkError> {
        let opening = timeout(OPENING, Self::open_unhurried(board, term)).await;
        opening.map_err(|_| LinkError::Lost("it does not answer in time".into()))?
    }

    async fn open_unhurried(board: &StoredBoard, term: u64) -> Result<Self, LinkError> {
        let wrong = |error: &dyn std::fmt::Display| LinkError::Lost(error.to_string());
        let address = board.address.parse().map_err(|error| wrong(&error))?;
        let connected = connect_both(&address).await;
        let (mut agent, mut turns) = connected.map_err(|error| wrong(&with_source(&error)))?;
        let described = agent.get_board(v1::GetBoardRequest {}).await?.into_inner().board;
        let described = described.ok_or_else(|| wrong(&"it does not say what it is"))?;
        let description = BoardDescription::from_wire(&described).map_err(|error| wrong(&error))?;
        let request = v1::WatchWindowsRequest { length: Some(duration_to_wire(WINDOW)) };
        let windows = turns.watch_windows(request).await?.into_inner();
        let generation = turns.get_turns(v1::GetTurnsRequest {}).await?.into_inner().generation;
        let lease_id = board.lease_id.clone();
        let identity = description.identity;
        Ok(Self {
            agent,
            turns,
            model: identity.compatible.into_iter().next().unwrap_or(identity.model),
            software: identity.software,
            space: description.space,
            windows,
            lease_id,
            lease: None,
            term,
            generation,
        })
    }

    /// Whether nobody but this fleet has the board.
    pub(crate) async fn is_ours_or_free(&mut self) -> Result<bool, LinkError> {
        let status = self.agent.get_status(v1::GetStatusRequest {}).await?.into_inner();
        Ok(status.lease.is_none_or(|lease| lease.holder == HOLDER))
    }

    /// Takes the lease, or takes it over from the replica that led before.
    pub(crate) async fn take(&mut self) -> Result<String, LinkError> {
        if let Some(token) = &self.lease {
            return Ok(token.clone());
        }
        let request = v1::TakeLeaseRequest {
            holder: HOLDER.to_owned(),
            duration: Some(duration_to_wire(LEASE)),
            request_id: self.lease_id.clone(),
        };
        // One that is taken over is renewed by it.
        let token = self.agent.take_lease(request).await?.into_inner().lease_token;
        self.lease = Some(token.clone());
        Ok(token)
    }

    /// Puts off the lease's end.
    pub(crate) async fn renew(&mut self) -> Result<(), LinkError> {
        let Some(lease_token) = self.lease.clone() else { return Ok(()) };
        let renewed = self.agent.renew_lease(v1::RenewLeaseRequest { lease_token }).await;
        renewed.map(drop).inspect_err(|_| self.lease = None).map_err(LinkError::from)
    }

    /// Puts a plan into force.
    pub(crate) async fn apply(
        &mut self,
        plan: v1::TurnPlan,
        simulate: Vec<v1::SimulatedWorker>,
    ) -> Result<(), LinkError> {
        let lease_token = self.take().await?;
        let generation = next_generation(self.term, self.generation).ok_or_else(|| {
            LinkError::Refused("it follows a later leader of the fleet already".into())
        })?;
        let request = v1::ApplyPlanRequest { lease_token, generation, plan: Some(plan), simulate };
        match self.turns.apply_plan(request).await {
            Ok(_) => {
                self.generation = generation;
                Ok(())
            }
            Err(status) => {
                // Whatever is wrong, the next attempt begins with what the board then says.
                if status.code() != Code::InvalidArgument {
                    self.lease = None;
                }
                let turns = self.turns.get_turns(v1::GetTurnsRequest {}).await?;
                self.generation = turns.into_inner().generation;
                Err(status.into())
            }
        }
    }

    /// Ends what runs there by a plan of this fleet, and gives the board back.
    pub(crate) async fn give_back(&mut self) -> Result<(), LinkError> {
        if self.generation == 0 && self.lease.is_none() {
            return Ok(());
        }
        if self.lease.is_none() && !self.is_ours_or_free().await? {
            return Ok(());
        }
        let nothing =
            v1::TurnPlan { alternate: v1::Alternate::SlackAware.into(), ..Default::default() };
        self.apply(nothing, Vec::new()).await?;
        if let Some(lease_token) = self.lease.take() {
            self.agent.release_lease(v1::ReleaseLeaseRequest { lease_token }).await?;
        }
        Ok(())
    }
}

/// The generation of a leader's next plan, where the board has this one: those of later terms are
/// above all of earlier ones. None where the board has one of a later term.
pub(crate) fn next_generation(term: u64, has: u64) -> Option<u64> {
    let first = term << 32;
    match has {
        has if has < first => Some(first + 1),
        has if has >> 32 == term => Some(has + 1),
        _ => None,
    }
}

fn with_source(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::next_generation;

    #[test]
    fn a_later_leader_fences_an_earlier_one() {
        let term = 1_764_000_000u64;
        let first = next_generation(term, 7).unwrap();
        let second = next_generation(term, first).unwrap();
        let later = next_generation(term + 1, second).unwrap();
        assert!(first > 7 && second > first && later > second);
        assert_eq!(next_generation(term, later), None, "the earlier one is out");
    }
}
