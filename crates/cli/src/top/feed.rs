//! Brings the news of one agent, and goes on when the agent was away.

use std::time::Duration;

use fulcrum_api::Address;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use super::state::News;
use crate::agents::Agent;
use crate::exit::Failure;

/// How long to wait before an agent that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// Sends what is new until nobody listens any more.
pub(super) async fn feed(
    place: usize,
    address: Address,
    interval: Duration,
    news: UnboundedSender<(usize, News)>,
) {
    while !news.is_closed() {
        let ended = follow(place, &address, interval, &news).await;
        let problem = match ended {
            Ok(()) => "the agent has ended the stream".into(),
            Err(failure) => failure.message().unwrap_or_default(),
        };
        if news.send((place, News::Lost(problem))).is_err() {
            return;
        }
        sleep(PAUSE).await;
    }
}

async fn follow(
    place: usize,
    address: &Address,
    interval: Duration,
    news: &UnboundedSender<(usize, News)>,
) -> Result<(), Failure> {
    // A receiver that is gone is noticed by the caller.
    let send = |what| drop(news.send((place, what)));
    let mut agent = Agent::reach(address).await?;
    let board = agent.board().await?;
    send(News::Board(Box::new(board.clone())));
    send(News::Status(agent.status(&board.space).await?));
    let mut samples = agent.watch(&board, interval, None).await?;
    while let Some(sample) = samples.next().await? {
        send(News::Sample(sample));
        send(News::Status(agent.status(&board.space).await?));
        if news.is_closed() {
            break;
        }
    }
    Ok(())
}
