//! Schedulers as processes on one SQLite file: who leads.

#![expect(clippy::unwrap_used, reason = "what a test starts is there")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A running scheduler, killed when it is dropped.
struct Scheduler {
    child: Child,
    log: PathBuf,
}

impl Scheduler {
    fn start(folder: &Path, name: &str) -> Self {
        let log = folder.join(format!("{name}.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_fulcrum-scheduler"))
            .args(["--store", &format!("sqlite:{}", folder.join("fulcrum.db").display())])
            .args(["--listen", &format!("unix://{}/{name}.sock", folder.display())])
            .args(["--takeover-seconds", "600"])
            .stderr(Stdio::from(std::fs::File::create(&log).unwrap()))
            .spawn();
        Self { child: child.unwrap(), log }
    }

    /// Waits until its log says something.
    fn says(&self, what: &str) {
        let began = Instant::now();
        loop {
            let log = std::fs::read_to_string(&self.log).unwrap();
            if log.contains(what) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "no `{what}`: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn one_that_is_asked_to_stop_lets_another_lead() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Scheduler::start(folder.path(), "first");
    first.says("leading");
    let second = Scheduler::start(folder.path(), "second");
    second.says("serving");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!std::fs::read_to_string(&second.log).unwrap().contains("leading"));
    kill_process(Pid::from_child(&first.child), Signal::TERM).unwrap();
    assert!(first.child.wait().unwrap().success());
    // Ten minutes need not be waited for.
    second.says("leading");
}

#[test]
fn what_is_wrong_with_a_flag_is_said() {
    let wrong = |arguments: &[&str]| {
        let ran =
            Command::new(env!("CARGO_BIN_EXE_fulcrum-scheduler")).args(arguments).output().unwrap();
        assert!(!ran.status.success());
        String::from_utf8(ran.stderr).unwrap()
    };
    assert!(wrong(&["--takeover-seconds", "0"]).contains("takeover-seconds"));
    assert!(wrong(&["--optimizer", "nowhere"]).contains("optimizer"));
    assert!(wrong(&["--store", "mysql://x"]).contains("postgres://"));
}
