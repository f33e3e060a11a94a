//! For tests: a Postgres server on a local socket in a folder of its own, which is gone with the
//! value. It takes a second to start. The programs are those of Debian's package `postgresql`.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Gid, Uid};
use rustix::process::{Pid, Signal, geteuid, kill_process};

/// Who runs the server where root runs the test, which a server refuses: nobody.
const NOBODY: u32 = 65534;

/// How a server is to run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Whether it waits for the disk, as one in use does.
    pub durable: bool,
    /// In which folder its own is made.
    pub within: PathBuf,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { durable: false, within: "/tmp".into(), environment: Vec::new() }
    }
}

/// A running server, stopped when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    binaries: PathBuf,
    server: Option<Child>,
    setup: Setup,
}

impl Postgres {
    /// Starts a server with an empty database.
    ///
    /// # Panics
    /// When there is no Postgres, or it does not start: the test cannot go on.
    pub fn start() -> Self {
        Self::start_as(Setup::default())
    }

    /// Starts a server with an empty database that waits for the disk, as one in use does.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_durable() -> Self {
        Self::start_as(Setup { durable: true, ..Setup::default() })
    }

    /// Starts a server with an empty database.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn start_as(setup: Setup) -> Self {
        let binaries = binaries();
        let folder = tempfile::Builder::new().prefix("fulcrum-pg").tempdir_in(&setup.within);
        let folder = folder.expect("a folder");
        if geteuid().is_root() {
            let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
            rustix::fs::chown(folder.path(), Some(uid), Some(gid)).expect("chown");
        }
        let mut postgres = Self { folder, binaries, server: None, setup };
        let made = postgres
            .command("initdb")
            .args(["-D", "data", "-U", "fulcrum", "-A", "trust", "-N", "--locale=C", "-E", "UTF8"])
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("initdb runs").success(), "initdb failed");
        postgres.restart();
        postgres
    }

    /// The number of the server's process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Starts the server again after it was killed.
    ///
    /// # Panics
    /// When it does not start.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn restart(&mut self) {
        let socket = self.folder.path().display().to_string();
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log");
        let server = self
            .command("postgres")
            .args(["-D", "data", "-k", &socket, "-c", "listen_addresses="])
            // What is tested is what the store asks for, not the disk; killing the server alone
            // loses nothing that the system has taken.
            .args(["-c", if self.setup.durable { "fsync=on" } else { "fsync=off" }])
            .args(["-c", "max_connections=200"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.server = Some(server.expect("postgres runs"));
        let began = Instant::now();
        loop {
            let asked = self
                .command("psql")
                .args(["-h", &socket, "-U", "fulcrum", "-d", "postgres", "-c", "SELECT 1"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if asked.expect("psql runs").success() {
                return;
            }
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(30), "no server: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the server as a lost machine would.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
            // Its children notice that it is gone, and go.
            std::thread::sleep(Duration::from_millis(200));
            let _ = std::fs::remove_file(self.folder.path().join("data/postmaster.pid"));
        }
    }

    /// The address of its database.
    pub fn address(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://fulcrum@{socket}/postgres")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.setup.environment.iter().map(|(name, value)| (name, value)));
        if geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // At once, and its children too.
            let _ = kill_process(Pid::from_child(&server), Signal::QUIT);
            let _ = server.wait();
        }
    }
}

/// Where the server's programs are: on the path, or where Debian puts them.
fn binaries() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path);
    let has_all = |folder: &Path| {
        ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).exists())
    };
    let found = folders.into_iter().rev().chain(on_path).find(|folder| has_all(folder));
    assert!(
        found.is_some(),
        "the tests need Postgres: install the package `postgresql` (tests/install-postgres.sh does)"
    );
    found.unwrap_or_default()
}
