//! The connections to agents, optimizers and schedulers.

use std::time::Duration;

use fulcrum_credentials::Credentials;
use tonic::transport::{Endpoint, Error};

use crate::address::Address;
use crate::caller::Caller;
use crate::v1::agent_service_client::AgentServiceClient;
use crate::v1::optimizer_service_client::OptimizerServiceClient;
use crate::v1::scheduler_service_client::SchedulerServiceClient;
use crate::v1::turn_service_client::TurnServiceClient;

/// A client of an agent. Cloning it is cheap and shares the connection.
pub type AgentClient = AgentServiceClient<Caller>;

/// A client of an agent's turns. Cloning it is cheap and shares the connection.
pub type TurnClient = TurnServiceClient<Caller>;

/// A client of an optimizer. Cloning it is cheap and shares the connection.
pub type OptimizerClient = OptimizerServiceClient<Caller>;

/// A client of a scheduler. Cloning it is cheap and shares the connection.
pub type SchedulerClient = SchedulerServiceClient<Caller>;

/// How long to wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long to wait for an answer, or for the beginning of a stream of them. Putting a board back
/// is the slowest thing that an answer may have to wait for.
const ANSWERING: Duration = Duration::from_secs(30);
/// How long to wait for an optimizer: importing a million profiles takes about a minute.
const IMPORTING: Duration = Duration::from_mins(10);
/// How often to see whether the other side is still there. Without it, a connection over a network
/// that went away and came back stays dead.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A board with a large mode space describes it in one message.
const LARGEST_MESSAGE: usize = 64 << 20;

/// Connects to an agent.
///
/// # Errors
/// When nobody answers there.
pub async fn connect(address: &Address) -> Result<AgentClient, Error> {
    let caller = caller(address, None).await?;
    Ok(AgentServiceClient::new(caller).max_decoding_message_size(LARGEST_MESSAGE))
}

/// Connects to an agent's turns.
///
/// # Errors
/// When nobody answers there.
pub async fn connect_turns(address: &Address) -> Result<TurnClient, Error> {
    let caller = caller(address, None).await?;
    Ok(TurnServiceClient::new(caller).max_decoding_message_size(LARGEST_MESSAGE))
}

/// Connects to an optimizer.
///
/// # Errors
/// When nobody answers there.
pub async fn connect_optimizer(address: &Address) -> Result<OptimizerClient, Error> {
    let caller = Caller::connect(endpoint(address)?.timeout(IMPORTING), address, None).await?;
    Ok(OptimizerServiceClient::new(caller).max_decoding_message_size(LARGEST_MESSAGE))
}

/// Connects to a scheduler.
///
/// # Errors
/// When nobody answers there.
pub async fn connect_scheduler(address: &Address) -> Result<SchedulerClient, Error> {
    let caller = caller(address, None).await?;
    Ok(SchedulerServiceClient::new(caller).max_decoding_message_size(LARGEST_MESSAGE))
}

/// A client of an optimizer that connects when it is first used, and again when it has to.
///
/// # Errors
/// When the address is none.
pub fn optimizer_at(address: &Address) -> Result<OptimizerClient, Error> {
    let caller = Caller::connect_lazily(&endpoint(address)?.timeout(IMPORTING), address);
    Ok(OptimizerServiceClient::new(caller).max_decoding_message_size(LARGEST_MESSAGE))
}

/// Connects to an agent and its turns, over one connection.
///
/// # Errors
/// When nobody answers there.
pub async fn connect_both(address: &Address) -> Result<(AgentClient, TurnClient), Error> {
    let caller = caller(address, None).await?;
    let agent = AgentServiceClient::new(caller.clone());
    let turns = TurnServiceClient::new(caller);
    Ok((
        agent.max_decoding_message_size(LARGEST_MESSAGE),
        turns.max_decoding_message_size(LARGEST_MESSAGE),
    ))
}

/// Connects to whatever listens there, as somebody other than this process is.
///
/// # Errors
/// When nobody answers there, or one does not believe the other.
pub async fn caller(address: &Address, who: Option<&Credentials>) -> Result<Caller, Error> {
    Caller::connect(endpoint(address)?.timeout(ANSWERING), address, who).await
}

fn endpoint(address: &Address) -> Result<Endpoint, Error> {
    // What is below is TLS or none by the address; for HTTP it is the same.
    let endpoint = match address.authority() {
        Some(authority) => Endpoint::from_shared(format!("http://{authority}"))?,
        None => Endpoint::from_shared(address.to_string())?,
    };
    Ok(endpoint
        .connect_timeout(CONNECTING)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true))
}
