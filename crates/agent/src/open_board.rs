//! Which board this is.

use std::path::Path;
use std::sync::Arc;

use fulcrum_board::{
    Board, Clock, HostBoard, JetsonBoard, Noise, Rooted, SimulatedBoard, SimulatedOrin, SystemClock,
};

use crate::config::Kind;
use crate::workers::{SimulatedWorkers, WorkerPool};

/// A board, the clock that it runs on, and the workers that there are for it.
pub(crate) struct Opened {
    pub(crate) board: Box<dyn Board>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Simulated workers; none where real ones attach.
    pub(crate) workers: Option<Arc<dyn WorkerPool>>,
    /// The board once more, where it is simulated in real time and so can simulate turns.
    pub(crate) simulated: Option<SimulatedBoard>,
}

/// Opens the board of a kind.
///
/// # Errors
/// When there is none of that kind, in words.
pub(crate) fn open_board(
    kind: Kind,
    root: &Path,
    speed: f64,
    noise: Noise,
    seed: u64,
) -> Result<Opened, String> {
    let files = Arc::new(Rooted::new(root));
    let system: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let real = |board: Box<dyn Board>| Opened {
        board,
        clock: system.clone(),
        workers: None,
        simulated: None,
    };
    let jetson = || JetsonBoard::probe(files.clone(), system.clone()).map_err(|e| e.to_string());
    let host = || HostBoard::new(files.clone(), system.clone()).map_err(|e| e.to_string());
    match kind {
        Kind::Jetson => Ok(real(Box::new(jetson()?))),
        Kind::Host => Ok(real(Box::new(host()?))),
        Kind::Auto => match jetson() {
            Ok(board) => Ok(real(Box::new(board))),
            Err(no_jetson) => match host() {
                Ok(board) => {
                    tracing::info!(reason = no_jetson, "not a Jetson; this machine is the board");
                    Ok(real(Box::new(board)))
                }
                Err(no_host) => Err(format!("{no_jetson}; nor is it any Linux machine: {no_host}")),
            },
        },
        Kind::SimulatedOrinAgx => {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::faster(speed));
            let board = SimulatedBoard::new(clock.clone(), noise, seed);
            let workers = SimulatedWorkers::new(board.clone(), clock.clone());
            let workers: Option<Arc<dyn WorkerPool>> = Some(Arc::new(workers));
            let simulated = (speed == 1.0).then(|| board.clone());
            Ok(Opened { board: Box::new(board), clock, workers, simulated })
        }
    }
}

/// The noise of a simulated board by its name.
///
/// # Errors
/// When there is none of that name, with those that there are.
pub(crate) fn noise_named(name: &str) -> Result<Noise, String> {
    match name {
        "none" => Ok(Noise::NONE),
        "measured" => Ok(SimulatedOrin::NOISE),
        _ => Err(format!("unknown noise `{name}`; it is `none` or `measured`")),
    }
}
