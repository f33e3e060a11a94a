//! What a turn costs: how much an attached trainer alone loses against its bare loop, and how long
//! the device is handed over from training to inference, beside the floor of a raw ping-pong over a
//! local socket. `turn_cost PATH-OF-THE-AGENT`

use std::error::Error;
use std::io::{Read as _, Write as _, stdout};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fulcrum_worker::monotonic::now_ns;
use fulcrum_worker::{Batcher, Options, Trainer};

/// Minibatches of the lone trainer, as an ordinary loop has them.
const MINIBATCH: Duration = Duration::from_millis(10);
const LONE_MINIBATCHES: u32 = 300;
/// Minibatches while the device is handed over, so that many hand-overs fit.
const SHORT: Duration = Duration::from_millis(2);
const HAND_OVERS: u64 = 1500;

fn main() -> Result<(), Box<dyn Error>> {
    let binary = std::env::args().nth(1).ok_or("name the agent's binary")?;
    let folder = std::env::temp_dir().join(format!("fulcrum-turn-cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let agent = Agent(
        Command::new(binary)
            .args(["--board", "simulated-orin-agx", "--log", "error", "--sample-interval", "1s"])
            .arg("--socket")
            .arg(folder.join("agent.sock"))
            .arg("--state-dir")
            .arg(&folder)
            .spawn()?,
    );
    let socket = folder.join("workers.sock");
    while UnixStream::connect(&socket).is_err() {
        thread::sleep(Duration::from_millis(10));
    }
    let options = |name: &str| Options::new(name, [1]).socket(&socket);
    let out = &mut stdout().lock();

    let (bare, attached) = lone_trainer(options("lone"))?;
    writeln!(
        out,
        "an attached trainer alone, minibatches of {MINIBATCH:?}: {:+.3} % of its bare loop's time",
        100.0 * (attached / bare - 1.0)
    )?;
    let floor = ping_pong()?;
    let hand_overs = hand_overs(options("train"), options("infer"))?;
    for (what, mut times) in [
        ("raw ping-pong over a local socket", floor),
        ("hand-over from training to inference", hand_overs),
    ] {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] as f64 / 1e3;
        writeln!(out, "{what}: p50 {:.0} us, p99 {:.0} us", at(0.5), at(0.99))?;
    }
    drop(agent);
    let _ = std::fs::remove_dir_all(folder);
    Ok(())
}

struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Computes for so long: the work, not the waiting, of a minibatch.
fn compute(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The seconds of equal work in a bare loop and attached, taken in turns, so that what else the
/// machine does falls on both. Work is counted, not timed.
fn lone_trainer(options: Options) -> Result<(f64, f64), Box<dyn Error>> {
    let rounds = {
        let began = Instant::now();
        work(2_000_000);
        (2_000_000.0 * MINIBATCH.as_secs_f64() / began.elapsed().as_secs_f64()) as u64
    };
    let mut trainer = Trainer::try_attach(options)?;
    let (mut bare, mut attached) = (Vec::new(), Vec::new());
    for _ in 0..LONE_MINIBATCHES / 10 {
        let began = Instant::now();
        for _ in 0..10 {
            std::hint::black_box(work(rounds));
        }
        bare.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        for _ in 0..10 {
            trainer.minibatch(|| std::hint::black_box(work(rounds)));
        }
        attached.push(began.elapsed().as_secs_f64());
    }
    Ok((median(bare), median(attached)))
}

fn work(rounds: u64) -> u64 {
    (0..rounds).fold(1, |sum, round| std::hint::black_box(sum ^ round).wrapping_mul(0x9e37_79b9))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// There and back over a local socket, after some computing, in nanoseconds.
fn ping_pong() -> Result<Vec<u64>, Box<dyn Error>> {
    let (mut here, mut there) = UnixStream::pair()?;
    let echo = thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok(count) = there.read(&mut bytes) {
            if count == 0 || there.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    });
    let mut times = Vec::new();
    let mut bytes = [0; 64];
    for _ in 0..HAND_OVERS {
        compute(SHORT);
        let began = now_ns();
        here.write_all(&bytes)?;
        here.read_exact(&mut bytes)?;
        times.push(now_ns() - began);
    }
    drop(here);
    let _ = echo.join();
    Ok(times)
}

/// From the end of a training minibatch to the begin of the inference that follows, in nanoseconds.
fn hand_overs(train: Options, infer: Options) -> Result<Vec<u64>, Box<dyn Error>> {
    let ended = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let (ends, stopping) = (ended.clone(), stop.clone());
    let training = thread::spawn(move || {
        let mut trainer = Trainer::attach(train);
        while !stopping.load(Ordering::Relaxed) {
            trainer.minibatch(|| {
                compute(SHORT);
                ends.store(now_ns(), Ordering::SeqCst);
            });
        }
    });
    let batcher = Batcher::start(infer, move |requests: Vec<()>| {
        let began = now_ns();
        let end = ended.load(Ordering::SeqCst);
        requests.iter().map(|()| began.saturating_sub(end)).collect()
    })?;
    let mut times = Vec::new();
    for request in 0..HAND_OVERS {
        // At any moment of a minibatch.
        thread::sleep(SHORT + Duration::from_micros(137 * request % 2000));
        times.push(batcher.submit(()).wait()?);
    }
    stop.store(true, Ordering::Relaxed);
    drop(training.join());
    Ok(times)
}
