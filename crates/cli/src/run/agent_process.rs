//! An agent of the run's own, for a simulated board.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use fulcrum_api::Address;

use super::STARTING;
use crate::exit::Failure;

/// A running agent in a folder of its own; it is stopped, and the folder goes, when it is dropped.
pub(super) struct AgentProcess {
    child: Child,
    folder: PathBuf,
}

impl AgentProcess {
    /// Starts the agent that is installed beside this command, or that is in the path: of this
    /// machine where real programs are to run, else of a simulated board.
    pub(super) fn start(real: bool) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("fulcrum-run-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let beside = std::env::current_exe()?.with_file_name("fulcrum-agent");
        let binary = if beside.exists() { beside } else { PathBuf::from("fulcrum-agent") };
        let board = if real { "host" } else { "simulated-orin-agx" };
        let child = Command::new(&binary)
            .args(["--board", board, "--log", "warn", "--state-dir"])
            .arg(folder.join("state"))
            .arg("--socket")
            .arg(folder.join("agent.sock"))
            .stdin(Stdio::null())
            .stderr(Stdio::from(fs::File::create(folder.join("log"))?))
            .spawn()
            .map_err(|error| {
                Failure::bad_input(format_args!(
                    "no agent could be started: {}: {error}; name a running one with --agent",
                    binary.display()
                ))
            })?;
        let mut own = Self { child, folder };
        let began = Instant::now();
        while UnixStream::connect(own.folder.join("agent.sock")).is_err() {
            if own.child.try_wait()?.is_some() || began.elapsed() > STARTING {
                let log = fs::read_to_string(own.folder.join("log")).unwrap_or_default();
                let last = log.trim_end().lines().last().unwrap_or("it says nothing").to_owned();
                return Err(Failure::unreachable(format_args!("the agent did not start: {last}")));
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Ok(own)
    }

    pub(super) fn address(&self) -> Result<Address, Failure> {
        let text = format!("unix://{}", self.folder.join("agent.sock").display());
        text.parse().map_err(|error| Failure::bad_input(format_args!("{text}: {error}")))
    }

    pub(super) fn worker_socket(&self) -> PathBuf {
        self.folder.join("workers.sock")
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        // Asked to stop, it puts back what it changed.
        if let Some(process) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
