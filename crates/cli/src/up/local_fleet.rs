//! An optimizer, a scheduler and simulated boards in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fulcrum_api::{Address, SchedulerClient, connect_scheduler, v1};
use fulcrum_board::SimulatedOrin;
use fulcrum_edge::{Edge, EdgeArgs, Limits};
use fulcrum_service::bind;
use fulcrum_store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::agent_thread::{AgentThread, socket};
use crate::exit::Failure;

/// For so long the scheduler may take to call its boards before they are shown all the same.
const CALLING: Duration = Duration::from_secs(5);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// So many searches at a time.
const SEARCHES: usize = 2;
/// The label that the boards of such a fleet have.
const KIND: (&str, &str) = ("kind", "simulated");

/// Where its services listen.
pub(crate) struct Places {
    pub(crate) scheduler: Address,
    pub(crate) optimizer: Address,
    /// Where the scheduler serves its metrics over HTTP, if it does; then the boards do too.
    pub(crate) http: Option<SocketAddr>,
    /// Where the optimizer does.
    pub(crate) optimizer_http: Option<SocketAddr>,
}

/// A running fleet.
pub(crate) struct LocalFleet {
    folder: PathBuf,
    /// A client of its scheduler.
    pub(crate) scheduler: SchedulerClient,
    agents: BTreeMap<u32, AgentThread>,
    /// Whether the agents serve metrics too.
    with_metrics: bool,
    stop: watch::Sender<bool>,
    services: Vec<JoinHandle<()>>,
}

impl LocalFleet {
    /// Starts everything, and registers the boards.
    pub(crate) async fn start(folder: &Path, boards: u32, at: &Places) -> Result<Self, Failure> {
        let no_folder = |error| Failure::of_file("--data", folder, &error);
        std::fs::create_dir_all(folder).map_err(no_folder)?;
        let folder = folder.canonicalize().map_err(no_folder)?;
        let address = format!("sqlite:{}", folder.join("fulcrum.db").display());
        let store = Store::open(&address).await.map_err(Failure::bad_input)?;
        let edge = Edge::open(&EdgeArgs::default(), Limits::SERVICE).map_err(Failure::bad_input)?;
        let at_optimizer = bind(&edge, &at.optimizer, at.optimizer_http).await;
        let at_optimizer = at_optimizer.map_err(Failure::bad_input)?;
        let at_scheduler = bind(&edge, &at.scheduler, at.http).await.map_err(Failure::bad_input)?;
        let optimizer = at_optimizer.address().clone();
        let scheduler = at_scheduler.address().clone();
        let (stop, stopped) = watch::channel(false);
        let told = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let services = vec![
            tokio::spawn({
                let (store, stop) = (store.clone(), told(stopped.clone()));
                async move {
                    let served = fulcrum_optimizer::serve(store, at_optimizer, SEARCHES, stop);
                    if let Err(error) = served.await {
                        tracing::error!(%error, "the optimizer ended");
                    }
                }
            }),
            tokio::spawn(async move {
                let (stop, habits) = (told(stopped), fulcrum_scheduler::Habits::default());
                let served =
                    fulcrum_scheduler::serve(store, at_scheduler, &optimizer, habits, stop);
                if let Err(error) = served.await {
                    tracing::error!(%error, "the scheduler ended");
                }
            }),
        ];
        let connected = connect_scheduler(&scheduler).await;
        let scheduler = connected.map_err(|error| anyhow::anyhow!("the scheduler: {error}"))?;
        let agents = BTreeMap::new();
        let with_metrics = at.http.is_some();
        let mut fleet = Self { folder, scheduler, agents, with_metrics, stop, services };
        for number in 1..=boards {
            fleet.start_board(number).await?;
        }
        fleet.forget_others(boards).await?;
        fleet.until_called().await?;
        Ok(fleet)
    }

    /// Waits until the scheduler knows how all boards stand, but not for ever: who then looks sees
    /// them as they are.
    async fn until_called(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let listed = crate::fleet::all_boards(&mut self.scheduler).await;
            let listed = listed.map_err(|status| anyhow::anyhow!("{status}"))?;
            let are_known = listed.iter().all(|standing| standing.state != "unknown");
            if are_known || began.elapsed() > CALLING {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Starts a board's agent and registers the board.
    pub(crate) async fn start_board(&mut self, number: u32) -> Result<(), Failure> {
        let name = name(number);
        let metrics = if self.with_metrics { free_port()? } else { String::new() };
        let agent = AgentThread::start(&self.folder, &name, number, &metrics).await?;
        self.agents.insert(number, agent);
        let labels = [KIND, ("number", &number.to_string())];
        let board = v1::FleetBoard {
            name: format!("boards/{name}"),
            address: format!("unix://{}", socket(&self.folder, &name).display()),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            stand_in: SimulatedOrin::NAME.to_owned(),
            simulate: true,
            metrics,
        };
        let request = v1::RegisterBoardRequest { board: Some(board), ..Default::default() };
        asked(self.scheduler.register_board(request).await)
    }

    /// Ends a board's agent as if its power had gone.
    pub(crate) fn kill_board(&mut self, number: u32) {
        if let Some(agent) = self.agents.remove(&number) {
            agent.kill();
        }
    }

    /// Boards of an earlier fleet in the same folder that was larger.
    async fn forget_others(&mut self, boards: u32) -> Result<(), Failure> {
        let listed = crate::fleet::all_boards(&mut self.scheduler).await;
        let listed = listed.map_err(|status| anyhow::anyhow!("{status}"))?;
        let own: Vec<String> = (1..=boards).map(|n| format!("boards/{}", name(n))).collect();
        for board in listed.into_iter().filter_map(|standing| standing.board) {
            let is_simulated = board.labels.get(KIND.0).is_some_and(|kind| kind == KIND.1);
            if is_simulated && !own.contains(&board.name) {
                let request = v1::RemoveBoardRequest { name: board.name, ..Default::default() };
                asked(self.scheduler.remove_board(request).await)?;
            }
        }
        Ok(())
    }

    /// Ends everything; the boards are put back.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        // Streams that somebody still watches would hold the services up.
        for service in self.services {
            let abort = service.abort_handle();
            if tokio::time::timeout(Duration::from_secs(2), service).await.is_err() {
                abort.abort();
            }
        }
        for (_, agent) in self.agents {
            agent.stop();
        }
    }
}

/// An address of this machine that nobody listens at.
fn free_port() -> Result<String, Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.to_string())
}

/// The name of a board by its number.
pub(crate) fn name(number: u32) -> String {
    format!("simulated-{number}")
}

fn asked<T>(answer: Result<T, tonic::Status>) -> Result<(), Failure> {
    let refused = |status: tonic::Status| anyhow::anyhow!("the scheduler: {}", status.message());
    answer.map(drop).map_err(|status| refused(status).into())
}
