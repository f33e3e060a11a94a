//! What is written down of every control action, and of calls that were refused: a line of JSON
//! each, appended to a file, or told to the log.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use fulcrum_access::{Allowance, Allowances};
use fulcrum_api::{because, reason};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::oneshot;
use tonic::{Code, Status};

use crate::bound::EdgeError;

/// So many lines wait to be written.
const WAITING: usize = 1024;
/// So many are written before they are synced together.
const TOGETHER: usize = 256;
/// So often a second a refused call is written down; ten times as often at once. The others are
/// counted.
const REFUSED: Allowance = Allowance { a_second: 10.0, at_once: 100.0 };

/// One call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// When it was answered.
    pub(crate) time: String,
    /// Who called; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<&'static str>,
    pub(crate) from: String,
    pub(crate) rpc: &'static str,
    /// What it was on: a job, a board; absent for the board or the fleet itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on: Option<String>,
    pub(crate) code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) why: String,
    /// So many refused calls before this one were not written down.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Line {
    /// The time now, as lines have it.
    pub(crate) fn now() -> String {
        OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
    }
}

/// Where lines go.
#[derive(Debug)]
pub(crate) struct Audit {
    file: Option<Writer>,
    refused: Mutex<Allowances>,
    left_out: AtomicU64,
    began: Instant,
}

#[derive(Debug)]
struct Writer {
    orders: SyncSender<Order>,
    /// Whether the last thing that was to be written was not.
    broken: Arc<AtomicBool>,
}

/// Something to write, or nothing to see whether it could be.
struct Order {
    line: Option<String>,
    /// Told once it is on the disk, or cannot be.
    done: Option<oneshot::Sender<bool>>,
}

impl Audit {
    /// Lines to the end of a file, or to the log.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self, EdgeError> {
        let file =
            match file {
                Some(path) => Some(Writer::start(path).map_err(|error| EdgeError::Audit {
                    file: path.display().to_string(),
                    error,
                })?),
                None => None,
            };
        Ok(Self {
            file,
            refused: Mutex::new(Allowances::new(REFUSED, 1)),
            left_out: AtomicU64::new(0),
            began: Instant::now(),
        })
    }

    /// Whether something may be done: only what can be written down.
    pub(crate) async fn ready(&self) -> Result<(), Status> {
        let Some(writer) = &self.file else { return Ok(()) };
        if !writer.broken.load(Ordering::Relaxed) || writer.write(None).await {
            return Ok(());
        }
        let why =
            "nothing is changed while the audit cannot be written; see the log of this process";
        Err(because(Code::Unavailable, reason::NO_AUDIT, why.to_owned()))
    }

    /// Whether lines can be written to the file; none where there is no file.
    pub(crate) fn is_writable(&self) -> Option<bool> {
        Some(!self.file.as_ref()?.broken.load(Ordering::Relaxed))
    }

    /// Writes a line, and returns once it is on the disk.
    pub(crate) async fn write(&self, line: Line) {
        match &self.file {
            Some(writer) => {
                writer.write(Some(json(&line))).await;
            }
            None => log(&line),
        }
    }

    /// Writes a line of a call that was refused, unless there are too many.
    pub(crate) fn write_refused(&self, mut line: Line) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if !refused.take("", self.began.elapsed()) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        drop(refused);
        line.left_out = self.left_out.swap(0, Ordering::Relaxed);
        match &self.file {
            Some(writer) => {
                let order = Order { line: Some(json(&line)), done: None };
                if let Err(TrySendError::Full(_)) = writer.orders.try_send(order) {
                    self.left_out.fetch_add(1 + line.left_out, Ordering::Relaxed);
                }
            }
            None => log(&line),
        }
    }
}

impl Writer {
    fn start(path: &Path) -> io::Result<Self> {
        let file = append_to(path)?;
        let broken = Arc::new(AtomicBool::new(false));
        let (orders, waiting) = sync_channel(WAITING);
        let (path, state) = (path.to_owned(), broken.clone());
        std::thread::Builder::new()
            .name("audit".into())
            .spawn(move || write_down(&waiting, &path, Some(file), &state))?;
        Ok(Self { orders, broken })
    }

    /// Whether it is on the disk now.
    async fn write(&self, line: Option<String>) -> bool {
        let (done, told) = oneshot::channel();
        let mut order = Order { line, done: Some(done) };
        loop {
            match self.orders.try_send(order) {
                Ok(()) => return told.await.unwrap_or(false),
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) => {
                    order = back;
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            }
        }
    }
}

/// Writes until nobody is left who has something to write.
fn write_down(orders: &Receiver<Order>, path: &Path, mut file: Option<File>, broken: &AtomicBool) {
    while let Ok(first) = orders.recv() {
        let mut batch = vec![first];
        while batch.len() < TOGETHER
            && let Ok(next) = orders.try_recv()
        {
            batch.push(next);
        }
        let lines: String = batch.iter().filter_map(|order| order.line.as_deref()).collect();
        let is_awaited = batch.iter().any(|order| order.done.is_some());
        let written = append(&mut file, path, &lines, is_awaited);
        let was_broken = broken.swap(written.is_err(), Ordering::Relaxed);
        match &written {
            Err(error) if !was_broken => {
                let path = path.display();
                tracing::error!(%path, %error, lines, "the audit is not written; nothing is changed until it is");
            }
            Ok(()) if was_broken => tracing::warn!("the audit is written again"),
            Ok(()) | Err(_) => {}
        }
        for done in batch.into_iter().filter_map(|order| order.done) {
            let _ = done.send(written.is_ok());
        }
    }
}

fn append(file: &mut Option<File>, path: &Path, lines: &str, sync: bool) -> io::Result<()> {
    // One that was moved away, as those do who keep a log for each day, is begun anew.
    let is_there = |open: &File| {
        let (open, there) = (open.metadata()?, std::fs::metadata(path)?);
        io::Result::Ok(open.ino() == there.ino() && open.dev() == there.dev())
    };
    if !file.as_ref().is_some_and(|open| is_there(open).unwrap_or(false)) {
        *file = None;
    }
    let open = match file {
        Some(open) => open,
        None => file.insert(append_to(path)?),
    };
    open.write_all(lines.as_bytes())?;
    if sync { open.sync_data() } else { Ok(()) }
}

fn append_to(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).mode(0o640).open(path)
}

fn json(line: &Line) -> String {
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

fn log(line: &Line) {
    let Line { who, role, from, rpc, on, code, why, left_out, .. } = line;
    let who = who.as_deref().unwrap_or("nobody known");
    let (role, on) = (role.unwrap_or_default(), on.as_deref().unwrap_or_default());
    tracing::info!(target: "audit", who, role, from, rpc, on, code, why, left_out, "audit");
}
