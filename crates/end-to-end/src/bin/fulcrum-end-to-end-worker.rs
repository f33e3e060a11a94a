//! A training or inference program that takes turns, to be killed: its minibatches sleep.
//!
//! `fulcrum-end-to-end-worker SOCKET train NAME`, or `infer NAME` with requests 20 times a second.

use std::error::Error;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fulcrum_worker::{Batcher, Options, Trainer};

const MINIBATCH: Duration = Duration::from_millis(20);
const BETWEEN_REQUESTS: Duration = Duration::from_millis(50);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [socket, kind, name] = arguments.as_slice() else {
        return Err("say SOCKET train|infer NAME".into());
    };
    let options = |sizes: &[u32]| Options::new(name, sizes.iter().copied()).socket(socket);
    if kind == "train" {
        let mut trainer = Trainer::attach(options(&[16]));
        loop {
            trainer.minibatch(|| sleep(MINIBATCH));
        }
    }
    let infer = |requests: Vec<Instant>| {
        sleep(MINIBATCH);
        requests
    };
    let batcher = Batcher::start_with_samples(options(&[1, 4]), infer, Instant::now)?;
    loop {
        sleep(BETWEEN_REQUESTS);
        drop(batcher.submit(Instant::now()));
    }
}
