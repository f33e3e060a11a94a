//! An agent's process in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use fulcrum_api::{Address, AgentClient, connect, v1};
use rustix::process::{Pid, Signal, kill_process};

/// A running agent, killed when it is dropped.
pub(crate) struct Agent {
    child: Child,
    folder: PathBuf,
}

impl Agent {
    /// Starts an agent in a folder and waits until it answers.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_fulcrum-agent"))
            .args(["--state-dir", &folder.join("state").to_string_lossy()])
            .args(["--socket", &folder.join("agent.sock").to_string_lossy()])
            .env("FULCRUM_AGENT_LOG", "warn")
            .args(arguments)
            .stderr(Stdio::from(std::fs::File::create(folder.join("log")).unwrap()))
            .spawn()
            .unwrap();
        let mut agent = Self { child, folder: folder.to_owned() };
        let began = Instant::now();
        // The socket for looking comes after the one for control.
        let answers = |name| std::os::unix::net::UnixStream::connect(folder.join(name)).is_ok();
        while !(answers("agent.sock") && answers("read.sock")) {
            assert!(began.elapsed() < Duration::from_secs(20), "no agent: {}", agent.log());
            assert!(agent.child.try_wait().unwrap().is_none(), "it ended: {}", agent.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        agent
    }

    /// Starts an agent of a simulated board without noise, on a fast clock.
    pub(crate) fn simulated(folder: &Path, more: &[&str]) -> Self {
        Self::simulated_at("100", folder, more)
    }

    /// The same on a clock of this speed.
    pub(crate) fn simulated_at(speed: &str, folder: &Path, more: &[&str]) -> Self {
        let own = ["--board", "simulated-orin-agx", "--noise", "none", "--speed", speed];
        Self::start(folder, &[own.as_slice(), more].concat())
    }

    pub(crate) fn address(&self) -> Address {
        format!("unix://{}", self.folder.join("agent.sock").display()).parse().unwrap()
    }

    pub(crate) async fn client(&self) -> AgentClient {
        connect(&self.address()).await.unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Whether the state found is written down, because the board is changed.
    pub(crate) fn journal(&self) -> bool {
        self.folder.join("state/found-state.json").exists()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes the lease for so long; gives its token.
pub(crate) async fn lease(client: &mut AgentClient, seconds: u64) -> String {
    let duration = prost_types::Duration { seconds: seconds.cast_signed(), nanos: 0 };
    let request = v1::TakeLeaseRequest {
        holder: "a test".into(),
        duration: Some(duration),
        request_id: String::new(),
    };
    client.take_lease(request).await.unwrap().into_inner().lease_token
}

/// The board's knobs.
pub(crate) async fn knobs(client: &mut AgentClient) -> Vec<v1::Knob> {
    let board = client.get_board(v1::GetBoardRequest {}).await.unwrap().into_inner();
    board.board.unwrap().mode_space.unwrap().knobs
}

/// What the knobs show.
pub(crate) async fn shown(client: &mut AgentClient) -> Vec<f64> {
    let status = client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
    let number = |value: &v1::SensorValue| match value.value {
        Some(v1::sensor_value::Value::Number(number)) => number,
        _ => f64::NAN,
    };
    status.shown.iter().map(number).collect()
}

/// Sets a mode by its levels.
pub(crate) async fn set(
    client: &mut AgentClient,
    token: &str,
    levels: &[f64],
) -> Result<v1::SetPowerModeResponse, tonic::Status> {
    let mode = Some(v1::PowerMode { levels: levels.to_vec() });
    let request = v1::SetPowerModeRequest { lease_token: token.into(), mode, ..Default::default() };
    client.set_power_mode(request).await.map(tonic::Response::into_inner)
}
