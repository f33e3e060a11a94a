//! An agent, an optimizer and a scheduler that speak over TLS alone, each with a certificate of its
//! own.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use fulcrum_throwaway_postgres::Postgres;

use crate::binary;

/// The processes of a fleet that speak over TLS alone. They end when it is dropped.
#[derive(Debug)]
pub struct Secured {
    folder: tempfile::TempDir,
    /// Where the agent of its board listens.
    pub agent: String,
    /// Where its optimizer listens.
    pub optimizer: String,
    /// Where its scheduler listens.
    pub scheduler: String,
    processes: Vec<Child>,
    /// Where all of it is kept; each service has a file of its own where there is none.
    postgres: Option<Postgres>,
}

#[expect(clippy::expect_used, reason = "for tests alone")]
impl Secured {
    /// Makes certificates with one command, and starts everything, on a Postgres.
    ///
    /// # Panics
    /// When something does not start.
    pub fn start() -> Self {
        let fleet = Self::prepare();
        fleet.started()
    }

    /// Makes certificates with one command, and starts nothing yet.
    ///
    /// # Panics
    /// When they cannot be made.
    pub fn prepare() -> Self {
        let folder =
            tempfile::Builder::new().prefix("fulcrum").tempdir_in("/tmp").expect("for a test");
        // Not localhost, which is another address on many machines: the port is free, and the crowd
        // comes, on this one.
        let address = || format!("https://127.0.0.1:{}", free_port());
        let (agent, optimizer, scheduler) = (address(), address(), address());
        let fleet =
            Self { folder, agent, optimizer, scheduler, processes: Vec::new(), postgres: None };
        let made = fleet.make_certificates(&[]);
        assert!(made.status.success(), "{made:?}");
        fleet
    }

    fn started(mut self) -> Self {
        let fleet = &mut self;
        fleet.postgres = Some(Postgres::start());
        fleet.start_agent(&[]);
        let optimizer = fleet.optimizer.clone();
        let kept = fleet.store("optimizer");
        let arguments = ["--store", &kept, "--listen", &optimizer];
        fleet.run("fulcrum-optimizer", "optimizer", &optimizer, &arguments);
        fleet.start_scheduler(&[]);
        self
    }

    /// Starts the agent of the board, with further arguments.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_agent(&mut self, further: &[&str]) {
        let (listen, socket, state) = (self.agent.clone(), self.text("a.sock"), self.text("state"));
        let board = ["--board", "simulated-orin-agx", "--noise", "none", "--state-dir", &state];
        let at = ["--socket", &socket, "--listen", &listen];
        self.run("fulcrum-agent", "boards/a", &listen, &[board.as_slice(), &at, further].concat());
    }

    /// Starts the scheduler, with further arguments.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_scheduler(&mut self, further: &[&str]) {
        let (listen, optimizer) = (self.scheduler.clone(), self.optimizer.clone());
        let kept = self.store("scheduler");
        let own = ["--store", &kept, "--listen", &listen, "--optimizer", &optimizer];
        self.run("fulcrum-scheduler", "scheduler", &listen, &[own.as_slice(), further].concat());
    }

    fn store(&self, name: &str) -> String {
        let own = || format!("sqlite:{}.db", self.text(name));
        self.postgres.as_ref().map_or_else(own, Postgres::address)
    }

    /// The command that makes the certificates, the first time and again.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn make_certificates(&self, further: &[&str]) -> Output {
        let folder = self.text("keys");
        let arguments = ["access", "fleet", &folder, "--board", "a"];
        let command = Command::new(binary("fulcrum")).args(arguments).args(further).output();
        command.expect("for a test")
    }

    fn run(&mut self, program: &str, who: &str, address: &str, arguments: &[&str]) {
        let log = std::fs::File::create(self.path(&format!("{program}.log"))).expect("for a test");
        let child = Command::new(binary(program))
            .args(["--credentials", &self.text(&format!("keys/{who}"))])
            .args(["--audit", &self.text(&format!("{program}.audit"))])
            .args(arguments)
            .stderr(Stdio::from(log))
            .spawn();
        self.processes.push(child.expect("for a test"));
        let began = Instant::now();
        while TcpStream::connect(address.trim_start_matches("https://")).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", self.log(program));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs the operator's command as somebody, by their folder.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn command(&self, who: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary("fulcrum"));
        command.args(arguments).env("FULCRUM_SCHEDULER", &self.scheduler);
        command.env("FULCRUM_OPTIMIZER", &self.optimizer).env("FULCRUM_AGENT", &self.agent);
        command.env("FULCRUM_CREDENTIALS", self.path(who)).output().expect("for a test")
    }

    /// What the operator's command says on stdout, where it does what it is asked.
    ///
    /// # Panics
    /// When it does not.
    pub fn answer(&self, who: &str, arguments: &[&str]) -> String {
        let output = self.command(who, arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The lines of a process's audit.
    ///
    /// # Panics
    /// When there is none.
    pub fn audit(&self, program: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{program}.audit"))).expect("an audit")
    }

    /// The lines of a process's audit once one is as wanted: what is refused is answered at once,
    /// and written down a moment later.
    ///
    /// # Panics
    /// When there is none within ten seconds.
    pub fn audit_with(&self, program: &str, wanted: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let audit = self.audit(program);
            if audit.lines().any(&wanted) {
                return audit;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it is not written down: {audit}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What a process wrote to its log.
    ///
    /// # Panics
    /// When there is none.
    pub fn log(&self, program: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{program}.log"))).expect("for a test")
    }

    /// A file or folder of this fleet.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[expect(clippy::expect_used, reason = "for tests alone")]
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("for a test").local_addr().expect("for a test").port()
}
