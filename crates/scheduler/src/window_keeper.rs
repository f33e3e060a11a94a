//! Keeps windows, many at a time, and forgets old ones.

use std::time::{Duration, Instant};

use fulcrum_service::now_ms;
use fulcrum_store::{Store, StoredWindow};
use tokio::sync::mpsc;

/// So many wait to be kept at most; what comes then is lost, and boards go on.
pub(crate) const WAITING: usize = 50_000;
/// They are kept together at this interval.
const TOGETHER: Duration = Duration::from_secs(1);
/// How often old ones are forgotten.
const FORGETS: Duration = Duration::from_mins(1);

/// Keeps what comes in, for as long as `keep` says.
pub(crate) async fn keep_windows(
    store: Store,
    mut windows: mpsc::Receiver<StoredWindow>,
    keep: Duration,
) {
    let mut together = Vec::new();
    let mut forgot = Instant::now();
    loop {
        tokio::time::sleep(TOGETHER).await;
        let most = WAITING.saturating_sub(together.len());
        while together.len() < most {
            match windows.try_recv() {
                Ok(window) => together.push(window),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => return,
            }
        }
        if !together.is_empty() {
            match store.add_windows(&together).await {
                Ok(()) => together.clear(),
                Err(error) if error.is_passing() => {
                    tracing::warn!(%error, waiting = together.len(), "windows wait for the store");
                }
                Err(error) => {
                    tracing::error!(%error, lost = together.len(), "windows cannot be kept");
                    together.clear();
                }
            }
        }
        if forgot.elapsed() > FORGETS {
            forgot = Instant::now();
            let before = now_ms() - i64::try_from(keep.as_millis()).unwrap_or(i64::MAX / 2);
            match store.forget_windows(before).await {
                Ok(0) => {}
                Ok(count) => tracing::debug!(count, "windows forgotten"),
                Err(error) => tracing::warn!(%error, "old windows could not be forgotten"),
            }
        }
    }
}
