//! The commands against the real agent: what the scripted one promises, it keeps.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::agents::write_pair;
use crate::running::{Ran, folder, fulcrum_line};

/// A running agent of a simulated board, killed when it is dropped.
pub(crate) struct LiveAgent {
    process: Child,
    folder: PathBuf,
}

impl LiveAgent {
    fn start(test: &str) -> Self {
        Self::of_board(
            &folder(test),
            &["--board", "simulated-orin-agx", "--noise", "none", "--speed", "100"],
        )
    }

    /// Starts an agent of any board.
    pub(crate) fn of_board(folder: &Path, board: &[&str]) -> Self {
        let folder = folder.to_owned();
        let process = Command::new(built_beside("fulcrum-agent"))
            .args(board)
            .arg("--state-dir")
            .arg(folder.join("state"))
            .arg("--socket")
            .arg(folder.join("agent.sock"))
            .env("FULCRUM_AGENT_LOG", "warn")
            .stderr(Stdio::from(std::fs::File::create(folder.join("log")).expect("a file")))
            .spawn()
            .expect("the agent starts");
        let agent = Self { process, folder };
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(agent.folder.join("agent.sock")).is_err() {
            let log = std::fs::read_to_string(agent.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(20), "no agent: {log}");
            std::thread::sleep(Duration::from_millis(5));
        }
        agent
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        let socket = self.folder.join("agent.sock");
        fulcrum_line(&format!("{line} --agent unix://{}", socket.display()))
    }

    fn json(&self, line: &str) -> serde_json::Value {
        let ran = self.run(&format!("{line} -o json"));
        serde_json::from_str(&ran.out).expect(&ran.err)
    }

    fn borrowed(&self) -> bool {
        self.folder.join("state/found-state.json").exists()
    }
}

impl Drop for LiveAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Another package's binary, which is built beside the command's.
pub(crate) fn built_beside(name: &str) -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_fulcrum")).with_file_name(name);
    // Testing this package alone does not build it.
    if !beside.exists() {
        let built =
            Command::new(env!("CARGO")).args(["build", "--workspace", "--bin", name]).status();
        assert!(built.expect("cargo is there").success(), "{name} does not build");
    }
    beside
}

#[test]
fn a_board_is_listed_shown_set_and_given_back() {
    let agent = LiveAgent::start("live_board");
    let listed = agent.run("board list");
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(listed.out.contains("simulated"), "{listed:?}");

    let before = agent.json("board show");
    let knobs = before["knobs"].as_array().expect("knobs");
    assert_eq!(knobs.len(), 4);
    let lowest: Vec<String> = knobs
        .iter()
        .map(|knob| format!("{}={}", knob["name"].as_str().expect("a name"), knob["levels"][0]))
        .collect();
    let set = agent.run(&format!("board set {} --for 1s", lowest.join(",")));
    assert_eq!(set.code, 0, "{set:?}");
    assert!(!agent.borrowed(), "the board was put back");
    assert_eq!(agent.json("board show")["knobs"], before["knobs"]);

    let modes = agent.run("board modes");
    assert_eq!(modes.code, 0, "{modes:?}");
    let lease = agent.run("board lease show");
    assert!(lease.out.contains("free"), "{lease:?}");
    let top = agent.run("top");
    assert!(top.code == 0 && top.out.contains("gpu"), "{top:?}");
    let unknown = agent.run("board watch --sensor nosuch");
    assert!(unknown.complaint().ends_with("it has VDD_IN, cpu, emc, gpu, tj"), "{unknown:?}");
}

#[test]
fn a_plan_measured_on_the_agent_is_that_of_the_equal_table() {
    let agent = LiveAgent::start("live_plan");
    let line = "plan --train resnet18 --infer mobilenet_v3 --rate 60 --latency 800ms --power 30W \
                --strategy gmd";
    let plan = agent.json(line)["plan"].clone();
    let table = agent.folder.join("pair.csv");
    write_pair(&table);
    let expected = fulcrum_line(&format!("{line} --profiles {} -o json", table.display()));
    let expected: serde_json::Value = serde_json::from_str(&expected.out).expect("json");
    assert_ne!(plan, serde_json::Value::Null);
    assert_eq!(plan, expected["plan"]);
    assert!(!agent.borrowed(), "the board was given back");
}

#[test]
fn the_doctor_finds_a_running_agent() {
    let agent = LiveAgent::start("live_doctor");
    let checks = agent.json("doctor");
    let text = checks.to_string();
    assert!(text.contains("agent"), "{text}");
    let failed: Vec<_> = checks["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter(|check| check["id"].as_str().is_some_and(|id| id.starts_with("agent")))
        .filter(|check| check["status"] == "fail")
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}
