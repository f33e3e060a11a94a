//! The simplest thing that gives turns: one training minibatch, one inference minibatch, and so on,
//! whatever waits. It is what a managed schedule is compared with (`make bench-interleave`), and the
//! shortest example of the agent's side: `cargo run -p fulcrum-worker --example alternate -- SOCKET`.

use std::error::Error;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};

use fulcrum_worker::wire::{FromAgent, FromWorker, Kind, Lines, line};

struct Worker {
    stream: UnixStream,
    lines: Lines,
    trains: bool,
    largest: u32,
    waiting: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name the socket to listen on")?;
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(path)?;
    // One of each, in whatever order they come.
    let mut workers = [attach(&listener, 1)?, attach(&listener, 2)?];
    workers.sort_by_key(|worker| !worker.trains);
    let [trainer, server] = &mut workers;
    for id in 1.. {
        trainer.turn(2 * id, Some(1), 0)?;
        server.take_in()?;
        let requests = server.waiting.min(server.largest);
        if requests > 0 {
            server.turn(2 * id + 1, Some(1), requests)?;
        }
    }
    Ok(())
}

fn attach(listener: &UnixListener, worker: u64) -> Result<Worker, Box<dyn Error>> {
    let (stream, _) = listener.accept()?;
    let mut new = Worker { stream, lines: Lines::default(), trains: false, largest: 1, waiting: 0 };
    let FromWorker::Attach { kind, batch_sizes, .. } = new.hear()? else {
        return Err("a worker did not begin with `attach`".into());
    };
    new.trains = kind == Kind::Train;
    new.largest = batch_sizes.last().copied().unwrap_or(1);
    new.stream.write_all(&line(&FromAgent::Welcome { worker }))?;
    Ok(new)
}

impl Worker {
    /// Gives it its turn and waits for the end.
    fn turn(
        &mut self,
        id: u64,
        minibatches: Option<u32>,
        requests: u32,
    ) -> Result<(), Box<dyn Error>> {
        let grant = FromAgent::Grant { id, start_until_ns: None, minibatches, requests };
        self.stream.write_all(&line(&grant))?;
        loop {
            match self.hear()? {
                FromWorker::Ran { minibatches, done, .. } => {
                    self.waiting -= minibatches.iter().map(|m| m.requests).sum::<u32>();
                    if done {
                        return Ok(());
                    }
                }
                FromWorker::Arrived { at_ns } => self.waiting += at_ns.len() as u32,
                FromWorker::Attach { .. } | FromWorker::Ready { .. } => {}
            }
        }
    }

    /// Takes in the requests that have arrived, without waiting for any.
    fn take_in(&mut self) -> Result<(), Box<dyn Error>> {
        self.stream.set_nonblocking(true)?;
        let mut bytes = [0; 4096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err("a worker left".into()),
                Ok(count) => self.lines.push(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.stream.set_nonblocking(false)?;
        while let Some(message) = self.lines.message()? {
            if let FromWorker::Arrived { at_ns } = message {
                self.waiting += at_ns.len() as u32;
            }
        }
        Ok(())
    }

    fn hear(&mut self) -> Result<FromWorker, Box<dyn Error>> {
        loop {
            if let Some(message) = self.lines.message()? {
                return Ok(message);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes)? {
                0 => return Err("a worker left".into()),
                count => self.lines.push(&bytes[..count]),
            }
        }
    }
}
