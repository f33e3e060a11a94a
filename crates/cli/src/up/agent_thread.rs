//! The agent of a simulated board, on a thread of its own.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fulcrum_agent::{Config, run_until};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::exit::Failure;

/// How long an agent may take to listen.
const STARTING: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(5);

/// How an agent is to end.
enum End {
    /// As when it is asked to: it puts its board back.
    Stopped,
    /// As when the power goes.
    Killed,
}

/// A running agent.
pub(super) struct AgentThread {
    workers: PathBuf,
    end: Option<oneshot::Sender<End>>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl AgentThread {
    /// Starts the agent of a simulated board and waits until it listens.
    ///
    /// It serves metrics at `metrics`, unless that is empty.
    pub(super) async fn start(
        folder: &Path,
        name: &str,
        seed: u32,
        metrics: &str,
    ) -> Result<Self, Failure> {
        let socket = socket(folder, name);
        let workers = folder.join(format!("{name}-workers.sock"));
        let text = |path: PathBuf| path.display().to_string();
        let mut arguments = vec![
            "fulcrum-agent".to_owned(),
            "--board=simulated-orin-agx".to_owned(),
            format!("--seed={seed}"),
            format!("--socket={}", text(socket.clone())),
            format!("--read-socket={}", text(folder.join(format!("{name}-read.sock")))),
            format!("--worker-socket={}", text(workers.clone())),
            format!("--state-dir={}", text(folder.join(format!("{name}-state")))),
        ];
        if !metrics.is_empty() {
            arguments.push(format!("--metrics={metrics}"));
        }
        let (config, _) =
            Config::load(&arguments).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            runtime.block_on(live(config, ended))
        })?;
        let mut agent = Self { workers, end: Some(end), thread: Some(thread) };
        let listening = async {
            while UnixStream::connect(&socket).await.is_err() {
                if agent.thread.as_ref().is_none_or(JoinHandle::is_finished) {
                    return false;
                }
                tokio::time::sleep(LOOK).await;
            }
            true
        };
        if matches!(tokio::time::timeout(STARTING, listening).await, Ok(true)) {
            return Ok(agent);
        }
        let why = agent.join().unwrap_or_else(|| "it does not listen in time".into());
        Err(Failure::bad_input(format_args!("the agent of {name} does not start: {why}")))
    }

    /// Has it put its board back and end.
    pub(super) fn stop(mut self) {
        self.tell(End::Stopped);
        self.join();
    }

    /// Ends it as if the power had gone.
    pub(super) fn kill(mut self) {
        self.tell(End::Killed);
        self.join();
        // The thread of its turns ends by itself; until then no other can have the socket.
        let began = Instant::now();
        while self.workers.exists() && began.elapsed() < STARTING {
            std::thread::sleep(LOOK);
        }
    }

    fn tell(&mut self, end: End) {
        if let Some(told) = self.end.take() {
            let _ = told.send(end);
        }
    }

    /// Waits for its end; why it ended, if that was not as it should.
    fn join(&mut self) -> Option<String> {
        self.thread.take().and_then(|thread| match thread.join() {
            Ok(ended) => ended.err(),
            Err(_) => Some("its thread panicked".into()),
        })
    }
}

async fn live(config: Config, ended: oneshot::Receiver<End>) -> Result<(), String> {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = run_until(&config, async {
        let _ = stopped.await;
    });
    tokio::pin!(running);
    tokio::select! {
        ran = &mut running => ran.map_err(|error| error.to_string()),
        // Whoever is dropped without a word goes as if it were killed.
        end = ended => match end {
            Ok(End::Stopped) => {
                let _ = stop.send(());
                running.await.map_err(|error| error.to_string())
            }
            Ok(End::Killed) | Err(_) => Ok(()),
        },
    }
}

/// Where an agent listens.
pub(super) fn socket(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.sock"))
}
