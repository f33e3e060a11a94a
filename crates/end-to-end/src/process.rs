//! One process.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::House;

/// A running process, killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program that listens on the socket of its name, and waits until it does.
    ///
    /// # Panics
    /// When it does not.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub(crate) fn start(house: &House, name: &str, program: &str, arguments: &[&str]) -> Self {
        let socket = house.folder().join(format!("{name}.sock"));
        let log = house.folder().join(format!("{name}.log"));
        let to = std::fs::File::options().create(true).append(true).open(&log);
        let clock = house.clocks.iter().flat_map(|clocks| clocks.environment(name));
        let child = Command::new(crate::binary(program))
            .args(arguments)
            .envs(clock)
            .stderr(Stdio::from(to.expect("a log")))
            .spawn();
        let mut process = Self { child: child.expect("it starts"), log };
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            let ended = process.child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "{name} ended: {}", process.log());
            assert!(began.elapsed() < Duration::from_secs(30), "no {name}: {}", process.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        process
    }

    /// Kills it, as if the power had gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Stops it in its tracks, or lets it go on, as a machine that hangs for a while does.
    ///
    /// # Panics
    /// When it cannot be signalled.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn hang(&self, hangs: bool) {
        let signal = if hangs { Signal::STOP } else { Signal::CONT };
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("it can be signalled");
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
