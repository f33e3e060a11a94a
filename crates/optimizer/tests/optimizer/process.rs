//! An optimizer's process in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fulcrum_api::{Address, OptimizerClient, connect_optimizer, v1};
use rustix::process::{Pid, Signal, kill_process};

/// A running optimizer, killed when it is dropped.
pub(crate) struct Optimizer {
    child: Child,
    folder: PathBuf,
    socket: PathBuf,
}

impl Optimizer {
    /// Starts an optimizer on a store and waits until it answers.
    pub(crate) fn start(folder: &Path, name: &str, store: &str) -> Self {
        let socket = folder.join(format!("{name}.sock"));
        let log = std::fs::File::create(folder.join(format!("{name}.log"))).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_fulcrum-optimizer"))
            .args(["--store", store])
            .args(["--listen", &format!("unix://{}", socket.display())])
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let mut optimizer = Self { child, folder: folder.join(format!("{name}.log")), socket };
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(&optimizer.socket).is_err() {
            let log = std::fs::read_to_string(&optimizer.folder).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(20), "no optimizer: {log}");
            assert!(optimizer.child.try_wait().unwrap().is_none(), "it ended: {log}");
            std::thread::sleep(Duration::from_millis(5));
        }
        optimizer
    }

    /// On an SQLite file of the folder.
    pub(crate) fn with_sqlite(folder: &Path) -> Self {
        let store = format!("sqlite:{}", folder.join("fulcrum.db").display());
        Self::start(folder, "optimizer", &store)
    }

    pub(crate) async fn client(&self) -> OptimizerClient {
        connect_optimizer(&Address::Socket(self.socket.clone())).await.unwrap()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end; gives what it said.
    pub(crate) fn end(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        let log = std::fs::read_to_string(&self.folder).unwrap();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for Optimizer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A pair of workloads of the simulated board.
pub(crate) fn problem(power_watts: f64, rate_hertz: f64) -> v1::Problem {
    v1::Problem {
        train: "resnet18".into(),
        infer: "mobilenet_v3".into(),
        rate_hertz,
        latency_seconds: 0.8,
        power_watts,
        ..Default::default()
    }
}

/// A search on the table of the simulated board.
pub(crate) fn spec(strategy: &str, problem: v1::Problem) -> v1::SearchSpec {
    v1::SearchSpec {
        stand_in: "simulated-orin-agx".into(),
        problem: Some(problem),
        strategy: strategy.into(),
        measured_by: "a test".into(),
        ..Default::default()
    }
}

/// Starts a search.
pub(crate) async fn create(
    client: &mut OptimizerClient,
    request_id: &str,
    spec: v1::SearchSpec,
) -> v1::Search {
    let request = v1::CreateSearchRequest { request_id: request_id.into(), spec: Some(spec) };
    client.create_search(request).await.unwrap().into_inner().search.unwrap()
}

/// Watches a search to its end; gives what was told.
pub(crate) async fn watch(client: &mut OptimizerClient, name: &str) -> Vec<v1::Search> {
    let request = v1::WatchSearchRequest { name: name.into() };
    let mut stream = client.watch_search(request).await.unwrap().into_inner();
    let mut told = Vec::new();
    while let Some(answer) = stream.message().await.unwrap() {
        told.push(answer.search.unwrap());
    }
    told
}

/// What is stored says of problems.
pub(crate) async fn solve(
    client: &mut OptimizerClient,
    problems: Vec<v1::Problem>,
) -> Vec<v1::StoredAnswer> {
    let request = v1::SolveProblemsRequest {
        stand_in: "simulated-orin-agx".into(),
        problems,
        ..Default::default()
    };
    client.solve_problems(request).await.unwrap().into_inner().answers
}

/// How many profiles are stored.
pub(crate) async fn stored(client: &mut OptimizerClient) -> usize {
    let request = v1::ListProfilesRequest { page_size: 10_000, ..Default::default() };
    client.list_profiles(request).await.unwrap().into_inner().profiles.len()
}
