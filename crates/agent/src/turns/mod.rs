//! Turns on this board: workers attach to a local socket, and one at a time has the device.
//!
//! One thread, [`floor`], owns the connections and the state machine of `fulcrum-interleave`, and
//! does nothing but wait, decide and tell: a turn is handed over without passing through a runtime.
//! The rest of the agent speaks to it through [`TurnsHandle`].

mod attribution;
mod connection;
mod floor;
mod listener;
mod simulated;

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use fulcrum_domain::Workload;
use fulcrum_interleave::{Agreement, Moment, Ran, Totals, WorkerId};
use tokio::sync::broadcast;

pub(crate) use attribution::Attribution;
pub(crate) use listener::{Admitted, WorkerSocket};
pub(crate) use simulated::{SimulatedJob, SimulatedWorkers, can_simulate, simulate};

/// So many happenings wait for a slow reader.
const REMEMBERED: usize = 8192;

/// What happened on the floor.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// A worker attached.
    Attached { process: u32 },
    /// Requests arrived.
    Arrived { workload: Workload, at: Vec<Moment> },
    /// A worker ended its connection.
    Left { worker: WorkerId },
    /// The others went on without a worker.
    Fenced { worker: WorkerId, workload: Workload, reason: String },
    /// A minibatch ran.
    Ran(Turn),
}

/// A minibatch that ran.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) workload: Workload,
    pub(crate) ran: Ran,
}

/// How one worker stands.
#[derive(Debug, Clone)]
pub(crate) struct WorkerStanding {
    pub(crate) workload: Workload,
    pub(crate) process: u32,
    pub(crate) has_turn: bool,
    pub(crate) waiting: u32,
    pub(crate) totals: Totals,
    /// The batch sizes that it can run, ascending.
    pub(crate) batch_sizes: Vec<u32>,
    /// Whether it can be measured: inference needs samples of its own for that.
    pub(crate) measurable: bool,
    /// What tells its version from others; empty where nothing does.
    pub(crate) fingerprint: String,
}

/// What the floor is told from elsewhere in the agent.
pub(super) enum Command {
    Agree(Agreement),
    /// One worker alone runs minibatches of this size, until the reservation is released.
    Reserve {
        reservation: u64,
        worker: WorkerId,
        batch_size: u32,
    },
    Release {
        reservation: u64,
    },
    Stop,
}

/// Speaks to the floor. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct TurnsHandle {
    commands: mpsc::Sender<Command>,
    /// A byte here wakes the floor.
    waker: Arc<UnixStream>,
    happenings: broadcast::Sender<Arc<Happening>>,
    standing: Arc<Mutex<BTreeMap<WorkerId, WorkerStanding>>>,
    socket: Arc<Path>,
    reservations: Arc<AtomicU64>,
}

/// One worker has the device to itself, as long as this is kept.
pub(crate) struct Reservation {
    turns: TurnsHandle,
    number: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.turns.command(Command::Release { reservation: self.number });
    }
}

impl TurnsHandle {
    /// Starts the floor on a socket that is bound.
    pub(crate) fn start(socket: WorkerSocket) -> std::io::Result<Self> {
        let (commands, todo) = mpsc::channel();
        let (waker, woken) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let (happenings, _) = broadcast::channel(REMEMBERED);
        let standing = Arc::new(Mutex::new(BTreeMap::new()));
        let path = socket.path().into();
        let floor = floor::Floor::new(socket, todo, woken, happenings.clone(), standing.clone());
        std::thread::Builder::new().name("turns".into()).spawn(move || floor.run())?;
        Ok(Self {
            commands,
            waker: Arc::new(waker),
            happenings,
            standing,
            socket: path,
            reservations: Arc::default(),
        })
    }

    /// Puts what a plan promises into force.
    pub(crate) fn agree(&self, agreement: Agreement) {
        self.command(Command::Agree(agreement));
    }

    /// Gives the device to one worker alone, to be measured at a batch size, until what this gives
    /// is dropped, or somebody else reserves it.
    pub(crate) fn reserve(&self, worker: WorkerId, batch_size: u32) -> Reservation {
        let number = self.reservations.fetch_add(1, Ordering::Relaxed);
        self.command(Command::Reserve { reservation: number, worker, batch_size });
        Reservation { turns: self.clone(), number }
    }

    /// Ends all turns and connections.
    pub(crate) fn stop(&self) {
        self.command(Command::Stop);
    }

    /// What happens from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Arc<Happening>> {
        self.happenings.subscribe()
    }

    /// How the workers stand that are attached.
    pub(crate) fn standing(&self) -> MutexGuard<'_, BTreeMap<WorkerId, WorkerStanding>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where workers attach.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    fn command(&self, command: Command) {
        // A floor that has ended needs no telling.
        if self.commands.send(command).is_ok() {
            let _ = std::io::Write::write(&mut &*self.waker, &[0]);
        }
    }
}
