//! The agent's life: opens the board, puts back what an earlier agent left, serves, and puts the
//! board back before it ends.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::Address;
use fulcrum_edge::{Bound, Edge, EdgeError, Limits, LocalUsers};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::attached_workers::AttachedWorkers;
use crate::board_thread::{BoardGone, BoardHandle};
use crate::config::Config;
use crate::control::Control;
use crate::described::Described;
use crate::following::follow;
use crate::journal::Journal;
use crate::metrics::{Metrics, THIS, summary};
use crate::open_board::{Opened, noise_named, open_board};
use crate::sampler::Sampler;
use crate::serve::{Ended, serve, serve_metrics};
use crate::service::Agent;
use crate::turn_service::{Turns, energy_account, keep_account};
use crate::turns::{TurnsHandle, WorkerSocket};

/// How often leases, overrides and pending restores are looked at, where there are any.
const LOOK_AFTER: Duration = Duration::from_millis(250);
/// While a mode is in force the guards look at least so often, however seldom sensors are read.
const GUARDED: Duration = Duration::from_millis(500);
/// How often parts that were not there are looked for, while nobody holds the board.
const PROBE: Duration = Duration::from_secs(10);

/// Why an agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is no board of the kind.
    #[error("--board: {0}")]
    Board(String),
    /// A limit is for a knob that the board does not have.
    #[error("--allow: {0}")]
    Limit(String),
    /// The journal cannot be kept.
    #[error("--state-dir {folder}: {error}")]
    Journal {
        /// The folder.
        folder: String,
        /// What went wrong.
        error: std::io::Error,
    },
    /// An address cannot be served on.
    #[error("{flag} {address}: {error}")]
    Address {
        /// The flag.
        flag: &'static str,
        /// The address.
        address: String,
        /// What went wrong.
        error: std::io::Error,
    },
    /// It cannot let anybody in.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// It does not serve any more.
    #[error(transparent)]
    Serving(#[from] Ended),
    /// The system failed.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// The board could not be put back; the next start tries again.
    #[error("the board is not as it was found: {0}; the next start tries again")]
    Unrestored(String),
    /// The board's thread ended.
    #[error("the board does not answer any more")]
    BoardGone,
}

impl From<BoardGone> for AgentError {
    fn from(_: BoardGone) -> Self {
        Self::BoardGone
    }
}

/// Runs an agent until its process is asked to end.
///
/// # Errors
/// When it cannot start, or cannot go on.
pub async fn run(config: &Config) -> Result<(), AgentError> {
    run_until(config, asked_to_stop()).await
}

/// Runs an agent until `stopped` is done, and then puts the board back. One that is dropped before
/// is gone as if it were killed.
///
/// # Errors
/// When it cannot start, or cannot go on.
pub async fn run_until(
    config: &Config,
    stopped: impl Future<Output = ()>,
) -> Result<(), AgentError> {
    // What is wrong with it is said before the board is touched.
    let labels = config.label.iter().cloned().collect();
    let edge = Edge::of_board(&config.edge, Limits::AGENT, labels)?;
    let noise = noise_named(&config.noise).map_err(AgentError::Board)?;
    let opened = open_board(config.board, &config.root, config.speed, noise, config.seed);
    let Opened { board, clock, workers, simulated } = opened.map_err(AgentError::Board)?;
    let described = Described::new(&*board);
    let journal = Journal::within(&config.state_dir).map_err(|error| AgentError::Journal {
        folder: config.state_dir.display().to_string(),
        error,
    })?;
    let board = BoardHandle::start(board)?;
    let limits = config.limits();
    let knobs = described.now().space.clone();
    let known = |name: &String| knobs.knobs().iter().any(|knob| knob.name() == name);
    if let Some(unknown) = limits.ranges.keys().find(|name| !known(name)) {
        let names: Vec<&str> = knobs.knobs().iter().map(fulcrum_domain::Knob::name).collect();
        let names = names.join(", ");
        return Err(AgentError::Limit(format!("unknown knob `{unknown}`; this board has {names}")));
    }
    let control = Arc::new(Control::new(board.clone(), journal, limits, config.guards()));
    // Only one agent may hold the journal: a second one must not put back what the first has set.
    let _lock = control.journal().lock().map_err(|error| AgentError::Journal {
        folder: config.state_dir.display().to_string(),
        error,
    })?;
    control.recover().await?;

    let description = described.now();
    tracing::info!(
        model = description.identity.model,
        modes = description.space.len(),
        sensors = summary(&description.sensors),
        "board"
    );
    let floor = start_turns(config)?;
    let workers = workers.unwrap_or_else(|| Arc::new(AttachedWorkers(floor.clone())));
    let turns = Arc::new(Turns::new(floor, simulated));
    let stopping_turns = StopsTurns(turns.clone());
    let sampler = Arc::new(Sampler::new(
        board.clone(),
        clock.clone(),
        config.sample_interval,
        &description.sensors,
        &description.total_power,
        energy_account(turns.clone()),
    ));
    let agent = Agent {
        control: control.clone(),
        sampler,
        workers,
        clock,
        described,
        board: board.clone(),
        turns: turns.clone(),
    };
    tokio::spawn(keep_account(agent.clone()));
    tokio::spawn(follow(agent.clone()));

    let (stopping, stop) = watch::channel(false);
    let told = |stop: &watch::Receiver<bool>| {
        let mut stop = stop.clone();
        async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }
    };
    let (bound, at_metrics) = bind(&edge, config).await?;
    let metrics = Metrics::new(agent.clone(), edge.clone());
    let tracing = config.otlp.trace(THIS);
    let _sending = config.otlp.send(THIS, {
        let metrics = metrics.clone();
        move || {
            let metrics = metrics.clone();
            async move { metrics.snapshot().await }
        }
    });
    let metrics_server = at_metrics.map(|at| tokio::spawn(serve_metrics(metrics, at, told(&stop))));
    tracing::info!(socket = %config.socket.display(), "serving");

    let served = tokio::select! {
        served = serve(agent.clone(), bound, stop.clone()) => served.map_err(AgentError::from),
        gone = sample(&agent) => Err(gone.into()),
        gone = look_after(&agent, &board) => Err(gone.into()),
        () = stopped => Ok(()),
    };
    // The board first: whoever is still connected is told afterwards.
    let restored = control.shut_down().await;
    drop(stopping_turns);
    stopping.send_replace(true);
    if let Some(server) = metrics_server {
        let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    }
    if let Some(tracing) = tracing {
        tracing.end().await;
    }
    served?;
    restored?;
    match control.standing().await.unrestored {
        Some(why) => Err(AgentError::Unrestored(why)),
        None => Ok(()),
    }
}

/// Threads of turns and of simulated workers end with the agent, though it be dropped midway.
struct StopsTurns(Arc<Turns>);

impl Drop for StopsTurns {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Starts the turns of this board's workers.
fn start_turns(config: &Config) -> Result<TurnsHandle, AgentError> {
    let path = config.worker_socket();
    let socket = WorkerSocket::bind(&path, config.admitted());
    socket.and_then(TurnsHandle::start).map_err(|error| AgentError::Address {
        flag: "--worker-socket",
        address: path.display().to_string(),
        error,
    })
}

/// Binds everything that is served on: gRPC, and metrics where they are wanted.
async fn bind(edge: &Edge, config: &Config) -> Result<(Vec<Bound>, Option<Bound>), EdgeError> {
    let said = |flag: &str, bound: &Bound| {
        if let Some(address) = bound.socket_address() {
            let tls = bound.address().is_secure();
            tracing::info!(flag, %address, tls, "listening");
        }
    };
    let socket = Address::Socket(config.socket.clone());
    let read = Address::Socket(config.read_socket());
    let mut bound = vec![
        Bound::grpc(edge, "--socket", &socket, config.controls()).await?,
        Bound::grpc(edge, "--read-socket", &read, LocalUsers::None).await?,
    ];
    if let Some(address) = &config.listen {
        let network = Bound::grpc(edge, "--listen", address, LocalUsers::None).await?;
        said("--listen", &network);
        bound.push(network);
    }
    let metrics = match config.metrics {
        Some(address) => Some(Bound::pages(edge, "--metrics", address).await?),
        None => None,
    };
    if let Some(metrics) = &metrics {
        said("--metrics", metrics);
    }
    Ok((bound, metrics))
}

/// Samples, and lets the guards look at every sample while a mode is in force.
async fn sample(agent: &Agent) -> BoardGone {
    match guarded_samples(agent).await {
        Ok(never) => match never {},
        Err(gone) => gone,
    }
}

async fn guarded_samples(agent: &Agent) -> Result<Infallible, BoardGone> {
    let mut samples = agent.sampler.watch();
    loop {
        agent.sampler.start(Duration::MAX)?;
        agent.control.mode_came_into_force().await;
        // Whatever the interval, a mode that was just set is watched from now on.
        samples.mark_unchanged();
        agent.sampler.start(GUARDED)?;
        loop {
            samples.changed().await.map_err(|_| BoardGone)?;
            let Some(reading) = samples.borrow_and_update().clone() else { continue };
            let board = agent.described.now();
            if !agent.control.guard(&board.sensors, &reading.sample, &board.space).await? {
                break;
            }
        }
    }
}

/// Looks after the lease and the board again and again.
async fn look_after(agent: &Agent, board: &BoardHandle) -> BoardGone {
    let mut probed = agent.clock.now();
    loop {
        let borrowed = match agent.control.look_after().await {
            Ok(borrowed) => borrowed,
            Err(gone) => return gone,
        };
        let now = agent.clock.now();
        if now.since(probed) >= PROBE && !borrowed {
            probed = now;
            let (described, sampler) = (agent.described.clone(), agent.sampler.clone());
            let renewed = board.run(move |board| {
                let changed = board.probe_again();
                if changed {
                    described.renew(board);
                    sampler.described(board.sensors(), board.total_power());
                }
                changed
            });
            match renewed.await {
                Ok(true) => {
                    let board = agent.described.now();
                    tracing::info!(modes = board.space.len(), "a part of the board came up");
                }
                Ok(false) => {}
                Err(gone) => return gone,
            }
        }
        // A board that nobody has borrowed is left alone until it is time to look for new parts.
        let rest = if borrowed { LOOK_AFTER } else { PROBE };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = agent.control.lease_taken() => {}
        }
    }
}

/// Waits until the process is asked to end.
async fn asked_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::warn!("signals cannot be caught; the board is put back at the next start instead");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("asked to stop"),
        _ = interrupt.recv() => tracing::info!("interrupted"),
    }
}
