//! A lease that this command holds.

use std::time::Duration;

use fulcrum_api::{duration_to_wire, v1};
use fulcrum_service::new_id;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::agent::Agent;
use crate::exit::Failure;

/// How long the board stays borrowed should this command die.
const DURATION: Duration = Duration::from_secs(10);

/// A lease on an agent's board.
#[derive(Debug)]
pub(crate) struct Lease {
    agent: Agent,
    token: String,
}

impl Lease {
    /// Borrows the board.
    pub(crate) async fn take(agent: &Agent, holder: String) -> Result<Self, Failure> {
        let mut agent = agent.clone();
        let request = v1::TakeLeaseRequest {
            holder,
            duration: Some(duration_to_wire(DURATION)),
            request_id: new_id(),
        };
        let answer = agent.client().take_lease(request).await;
        let answer = answer.map_err(|status| agent.refused(&status))?.into_inner();
        Ok(Self { agent, token: answer.lease_token })
    }

    /// What its holder shows to use it.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Keeps it alive, and returns only when it is lost, with the reason.
    pub(crate) async fn lost(&mut self) -> Failure {
        let mut unanswered = 0;
        loop {
            sleep(DURATION / 3).await;
            let request = v1::RenewLeaseRequest { lease_token: self.token.clone() };
            match timeout(DURATION / 3, self.agent.client().renew_lease(request)).await {
                Ok(Ok(_)) => unanswered = 0,
                Ok(Err(status)) if status.code() != Code::Unavailable => {
                    return self.agent.refused(&status);
                }
                // It lasts a while: the agent may be busy, or the network away for a moment.
                Ok(Err(_)) | Err(_) if unanswered < 2 => unanswered += 1,
                Ok(Err(status)) => return self.agent.refused(&status),
                Err(_) => {
                    let address = self.agent.address();
                    return Failure::unreachable(format_args!(
                        "{address} does not answer any more"
                    ));
                }
            }
        }
    }

    /// Ends it; returns when the agent has put the board back.
    pub(crate) async fn release(mut self) -> Result<(), Failure> {
        let request = v1::ReleaseLeaseRequest { lease_token: self.token.clone() };
        let answer = self.agent.client().release_lease(request).await;
        answer.map(drop).map_err(|status| self.agent.refused(&status))
    }
}

/// Who this is, for the people whom the agent tells: `fulcrum board set by ada on host-7`.
pub(crate) fn holder(what: &str) -> String {
    /// The most that an agent takes.
    const LONGEST: usize = 128;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = std::env::var("USER").unwrap_or_default();
    let mut holder = format!("fulcrum {what}");
    for (word, name) in [("by", user.trim()), ("on", host.trim())] {
        if !name.is_empty() {
            holder = format!("{holder} {word} {name}");
        }
    }
    holder.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
