//! The thread that owns the board. A board's calls block as long as its files do; everything else
//! asks here and waits without blocking.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use fulcrum_board::Board;
use tokio::sync::oneshot;

/// What is asked of the board.
enum Job {
    Once(Errand),
    Repeatedly(Chore),
}

type Errand = Box<dyn FnOnce(&mut dyn Board) + Send>;

/// What the board's thread does again and again by itself: it says how long to wait until the next
/// time.
type Chore = Box<dyn FnMut(&mut dyn Board) -> Duration + Send>;

/// An instant further off cannot be told on every system.
const LONGEST_REST: Duration = Duration::from_hours(24);

/// A handle to the board. Cloning it is cheap. What is asked is done in the order in which it was
/// asked.
#[derive(Clone)]
pub(crate) struct BoardHandle {
    jobs: mpsc::Sender<Job>,
}

/// The board's thread has ended, which it does only when a call to the board panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the board does not answer any more; restart the agent")]
pub(crate) struct BoardGone;

impl BoardHandle {
    /// Gives the board a thread of its own.
    pub(crate) fn start(mut board: Box<dyn Board>) -> std::io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<Job>();
        thread::Builder::new().name("board".into()).spawn(move || {
            let mut chore: Option<(Chore, Instant)> = None;
            loop {
                let job = match &chore {
                    Some((_, due)) => {
                        todo.recv_timeout(due.saturating_duration_since(Instant::now()))
                    }
                    None => todo.recv().map_err(RecvTimeoutError::from),
                };
                match job {
                    Ok(Job::Once(job)) => job(&mut *board),
                    Ok(Job::Repeatedly(new)) => chore = Some((new, Instant::now())),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if let Some((work, due)) = &mut chore
                    && *due <= Instant::now()
                {
                    let rest = work(&mut *board);
                    *due = Instant::now() + rest.min(LONGEST_REST);
                }
            }
        })?;
        Ok(Self { jobs })
    }

    /// Does this at once, and then again and again, each time after as long as it says. Whatever was
    /// done repeatedly before is not done any more. Nobody else is woken for it.
    pub(crate) fn repeat(
        &self,
        work: impl FnMut(&mut dyn Board) -> Duration + Send + 'static,
    ) -> Result<(), BoardGone> {
        self.jobs.send(Job::Repeatedly(Box::new(work))).map_err(|_| BoardGone)
    }

    /// Does something with the board.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Board) -> T + Send + 'static,
    ) -> Result<T, BoardGone> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |board: &mut dyn Board| {
            // Whoever asked may have gone; what was asked is done all the same.
            let _ = answer.send(work(board));
        });
        self.jobs.send(Job::Once(job)).map_err(|_| BoardGone)?;
        answered.await.map_err(|_| BoardGone)
    }
}
