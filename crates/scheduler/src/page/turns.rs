//! The turns on a board as the page shows them: asked of its agent for as long as somebody looks.

use fulcrum_api::{connect_turns, pieces_ns, v1};
use serde::Serialize;

use super::{Gone, Told};

/// A minibatch, or what ran of it between two preemptions.
#[derive(Debug, Serialize)]
struct TurnView {
    workload: String,
    kind: &'static str,
    /// By the board's monotonic clock, in milliseconds.
    began_ms: f64,
    took_ms: f64,
    requests: usize,
    late_requests: u32,
}

fn views(turn: &v1::Turn) -> impl Iterator<Item = TurnView> {
    let is_training = turn.kind == v1::WorkloadKind::Train as i32;
    pieces_ns(turn).map(move |piece| TurnView {
        workload: turn.workload.clone(),
        kind: if is_training { "train" } else { "infer" },
        began_ms: piece.start as f64 / 1e6,
        took_ms: (piece.end - piece.start) as f64 / 1e6,
        requests: turn.latencies_seconds.len(),
        late_requests: turn.late_requests,
    })
}

/// Tells of turns until the browser or the board has gone.
pub(super) async fn tell(address: &str, told: Told) -> Result<(), Gone> {
    let trouble = |what: String| format!("the board's agent: {what}");
    let address = match address.parse() {
        Ok(address) => address,
        Err(error) => return told.say("trouble", &trouble(format!("{error}"))).await,
    };
    let mut turns = match connect_turns(&address).await {
        Ok(turns) => turns,
        Err(error) => return told.say("trouble", &trouble(error.to_string())).await,
    };
    let watched = turns.watch_turns(v1::WatchTurnsRequest {}).await;
    let mut stream = match watched {
        Ok(stream) => stream.into_inner(),
        Err(status) => return told.say("trouble", &trouble(status.message().to_owned())).await,
    };
    loop {
        match stream.message().await {
            Ok(Some(news)) => {
                let turns: Vec<_> = news.turns.iter().flat_map(views).collect();
                told.say("turns", &turns).await?;
            }
            Ok(None) => return Ok(()),
            Err(status) => {
                return told.say("trouble", &trouble(status.message().to_owned())).await;
            }
        }
    }
}
