//! The thread that owns the board. A board's calls block as long as its files do; everything else
//! asks here and waits without blocking.

use std::sync::mpsc;
use std::thread;

use fulcrum_board::Board;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut dyn Board) + Send>;

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
            while let Ok(job) = todo.recv() {
                job(&mut *board);
            }
        })?;
        Ok(Self { jobs })
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
        self.jobs.send(job).map_err(|_| BoardGone)?;
        answered.await.map_err(|_| BoardGone)
    }
}
