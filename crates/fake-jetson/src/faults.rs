//! Reads and writes that fail at random.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::devices::errno::{EACCES, EAGAIN, EIO, ENODEV, ENOENT, Errno};
use crate::tree::FakeTree;

/// What goes wrong once.
pub(crate) enum Fault {
    /// It fails.
    Error(Errno),
    /// A read gives a text that is no value; a write takes effect and fails all the same.
    Text(String),
}

const ERRORS: [Errno; 5] = [EAGAIN, EIO, EACCES, ENOENT, ENODEV];

/// Texts that are no value of anything.
const GARBAGE: [&str; 10] = [
    "",
    "\n",
    "<unknown>\n",
    "NaN\n",
    "inf\n",
    "1e999\n",
    "-\n",
    "0x\n",
    "\u{fffd}\0\u{1}",
    "12 34 z\n",
];

pub(crate) struct Faults {
    draws: ChaCha8Rng,
    rate: f64,
}

impl Faults {
    fn new(seed: u64, rate: f64) -> Self {
        Self { draws: ChaCha8Rng::seed_from_u64(seed), rate: rate.clamp(0.0, 1.0) }
    }

    fn strikes(&mut self) -> bool {
        self.draws.random_bool(self.rate)
    }

    fn error(&mut self) -> Fault {
        Fault::Error(ERRORS[self.draws.random_range(0..ERRORS.len())])
    }

    fn text(&mut self) -> Fault {
        Fault::Text(GARBAGE[self.draws.random_range(0..GARBAGE.len())].to_owned())
    }

    pub(crate) fn on_read(&mut self) -> Option<Fault> {
        self.strikes().then(|| if self.draws.random_bool(0.3) { self.text() } else { self.error() })
    }

    pub(crate) fn on_write(&mut self) -> Option<Fault> {
        self.strikes().then(|| if self.draws.random_bool(0.2) { self.text() } else { self.error() })
    }

    pub(crate) fn on_list(&mut self) -> Option<Fault> {
        self.strikes().then(|| self.error())
    }
}

impl FakeTree {
    /// From now on this share of all reads, writes and listings goes wrong, as the seed draws:
    /// `EAGAIN`, `EIO`, `EACCES`, `ENOENT`, `ENODEV`, or a text that is no value. Some writes take
    /// effect before they fail.
    pub fn faults(&self, seed: u64, rate: f64) {
        self.world().faults = Some(Faults::new(seed, rate));
    }

    /// Ends the faults.
    pub fn calm(&self) {
        self.world().faults = None;
    }
}
