//! For tests: agents, optimizers and schedulers as the processes that they are, on a Postgres of
//! their own, to be killed and started again.

mod ask;
mod clocks;
mod collector;
mod crowd;
mod process;
mod repeater;
mod secured;
mod served;
mod small_disk;
mod strangers;
mod wire;

pub use ask::{Client, job_spec, pair, request_id};
pub use clocks::Clocks;
pub use collector::{Collector, Told, ToldSpan};
pub use crowd::Crowd;
pub use process::Process;
pub use repeater::Repeater;
pub use secured::Secured;
pub use served::{quantile, waits};
pub use small_disk::SmallDisk;
pub use strangers::{ACCESS, Answers, call_as_strangers, write_access};
pub use wire::Wire;

use std::path::{Path, PathBuf};
use std::process::Command;

use fulcrum_throwaway_postgres::Postgres;

/// So many lines of each process are shown by a test that fails.
const SHOWN: usize = 60;

/// A folder and a Postgres for the processes of a test.
#[derive(Debug)]
pub struct House {
    folder: tempfile::TempDir,
    /// The database, to be killed and restarted.
    pub postgres: Postgres,
    /// The clocks of all its processes, where they can be set.
    pub clocks: Option<Clocks>,
}

impl House {
    /// Starts Postgres.
    ///
    /// # Panics
    /// When it does not start.
    pub fn build() -> Self {
        Self::on(Postgres::start())
    }

    /// Builds one on a Postgres that runs.
    ///
    /// # Panics
    /// When there can be no folder.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn on(postgres: Postgres) -> Self {
        let folder = tempfile::Builder::new().prefix("fulcrum").tempdir_in("/tmp");
        Self { folder: folder.expect("a folder"), postgres, clocks: None }
    }

    /// The same with clocks that can be set.
    #[must_use]
    pub fn with_clocks(mut self, clocks: Clocks) -> Self {
        self.clocks = Some(clocks);
        self
    }

    /// Where sockets and logs are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A local socket's address.
    pub fn address(&self, name: &str) -> String {
        format!("unix://{}", self.folder.path().join(format!("{name}.sock")).display())
    }

    /// Starts an optimizer.
    pub fn optimizer(&self, name: &str) -> Process {
        self.optimizer_with(name, &[])
    }

    /// Starts an optimizer with further arguments.
    pub fn optimizer_with(&self, name: &str, further: &[&str]) -> Process {
        let (store, listen) = (self.postgres.address(), self.address(name));
        let mut arguments = vec!["--store", &store, "--listen", &listen];
        arguments.extend(further);
        Process::start(self, name, "fulcrum-optimizer", &arguments)
    }

    /// Starts a scheduler that asks an optimizer, and need not be waited for long by whoever takes
    /// over.
    pub fn scheduler(&self, name: &str, optimizer: &str) -> Process {
        self.scheduler_with(name, optimizer, &["--takeover-seconds", "2"])
    }

    /// Starts a scheduler that asks an optimizer, with further arguments.
    pub fn scheduler_with(&self, name: &str, optimizer: &str, further: &[&str]) -> Process {
        let (store, listen) = (self.postgres.address(), self.address(name));
        let optimizer = self.address(optimizer);
        let mut arguments = vec!["--store", &store, "--listen", &listen, "--optimizer", &optimizer];
        arguments.extend(further);
        Process::start(self, name, "fulcrum-scheduler", &arguments)
    }

    /// Starts the agent of a simulated board, without noise.
    pub fn agent(&self, name: &str) -> Process {
        self.agent_with(name, &[])
    }

    /// Starts the agent of a simulated board, with further arguments.
    pub fn agent_with(&self, name: &str, further: &[&str]) -> Process {
        let simulated = ["--board", "simulated-orin-agx", "--noise", "none"];
        self.agent_of(name, &[&simulated, further].concat())
    }

    /// Starts the agent of the board that the arguments say.
    pub fn agent_of(&self, name: &str, board: &[&str]) -> Process {
        let own =
            |what: &str| self.folder.path().join(format!("{name}{what}")).display().to_string();
        let (socket, workers, state) = (own(".sock"), own("-workers.sock"), own("-state"));
        let read = own("-read.sock");
        let mut arguments = vec![
            "--socket",
            &socket,
            "--read-socket",
            &read,
            "--worker-socket",
            &workers,
            "--state-dir",
            &state,
        ];
        arguments.extend(board);
        Process::start(self, name, "fulcrum-agent", &arguments)
    }
}

/// A test that fails shows what its processes said last.
impl Drop for House {
    #[expect(clippy::print_stderr, reason = "for tests alone")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for entry in std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let log = std::fs::read_to_string(&path).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let last = lines.len().saturating_sub(SHOWN);
                eprintln!("== {}", path.display());
                lines[last..].iter().for_each(|line| eprintln!("{line}"));
            }
        }
    }
}

/// A program of the workspace, which is built where it is not there.
///
/// # Panics
/// When it does not build.
#[expect(clippy::expect_used, reason = "for tests alone")]
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    // target/debug/deps/this
    let folder = own.parent().and_then(Path::parent).expect("a target folder");
    let found = folder.join(name);
    if !found.exists() {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--workspace", "--bin", name]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo is there").success(), "{name} does not build");
    }
    found
}
