//! A lease that is kept alive in the background until it is given back.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status};

use crate::agent_client::AgentClient;
use crate::remote_board::{RemoteError, RemoteOptions};
use crate::span::duration_to_wire;
use crate::v1;

/// Why a lease is of no use any more; nothing while it is.
pub(crate) type Ended = watch::Receiver<Option<RemoteError>>;

/// A lease on a board.
pub(crate) struct RemoteLease {
    token: String,
    ended: Ended,
}

impl RemoteLease {
    /// Takes the lease, and keeps it alive on the runtime that this is called on.
    pub(crate) async fn take(
        client: &AgentClient,
        options: &RemoteOptions,
    ) -> Result<Self, RemoteError> {
        let request = v1::TakeLeaseRequest {
            holder: options.holder.clone(),
            duration: Some(duration_to_wire(options.lease)),
            request_id: request_id(),
        };
        let answer = client.clone().take_lease(request).await.map_err(RemoteError::refused)?;
        let token = answer.into_inner().lease_token;
        let (end, ended) = watch::channel(None);
        tokio::spawn(keep_alive(client.clone(), token.clone(), options.lease, end.clone()));
        if options.stop_on_interrupt {
            tokio::spawn(give_back_when_interrupted(client.clone(), token.clone(), end));
        }
        Ok(Self { token, ended })
    }

    /// What the holder shows to use it.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Tells when the lease is of no use any more.
    pub(crate) fn ended(&self) -> Ended {
        self.ended.clone()
    }
}

/// A text that no other caller is likely to use.
fn request_id() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    format!("{}-{}", std::process::id(), now.unwrap_or_default().as_nanos())
}

/// Gives a lease back. Should that fail, it ends by itself when its time is over.
pub(crate) async fn give_back(mut client: AgentClient, token: String) -> Result<(), Status> {
    let request = v1::ReleaseLeaseRequest { lease_token: token };
    client.release_lease(request).await.map(drop)
}

/// Renews a lease three times in its duration, until it is lost.
async fn keep_alive(
    mut client: AgentClient,
    token: String,
    duration: Duration,
    end: watch::Sender<Option<RemoteError>>,
) {
    let pause = duration / 3;
    let mut last = Instant::now();
    while end.borrow().is_none() {
        sleep(pause).await;
        let request = v1::RenewLeaseRequest { lease_token: token.clone() };
        match timeout(pause, client.renew_lease(request)).await {
            Ok(Ok(_)) => last = Instant::now(),
            // The agent may be busy, or the network away for a moment: the lease lasts a while.
            Ok(Err(status)) if status.code() == Code::Unavailable && last.elapsed() < duration => {}
            Err(_) if last.elapsed() < duration => {}
            Ok(Err(status)) => return set(&end, RemoteError::LeaseLost(status.message().into())),
            Err(_) => return set(&end, RemoteError::LeaseLost("the agent does not answer".into())),
        }
    }
}

async fn give_back_when_interrupted(
    client: AgentClient,
    token: String,
    end: watch::Sender<Option<RemoteError>>,
) {
    if interrupted().await.is_err() {
        return;
    }
    set(&end, RemoteError::Interrupted);
    // What is left undone here, the end of the lease's time does.
    let _ = give_back(client, token).await;
}

async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn set(end: &watch::Sender<Option<RemoteError>>, reason: RemoteError) {
    end.send_if_modified(|current| {
        let first = current.is_none();
        if first {
            *current = Some(reason);
        }
        first
    });
}
