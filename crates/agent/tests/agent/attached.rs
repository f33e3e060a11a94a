//! Measuring programs that have attached.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fulcrum_api::{AgentClient, v1};
use fulcrum_fake_jetson::orin_agx_jp6;
use fulcrum_worker::{Batcher, Options, Trainer};

use crate::process::{Agent, knobs, lease};

/// What a minibatch of one sample takes, and what each more adds.
const FIRST: Duration = Duration::from_millis(6);
const EACH: Duration = Duration::from_millis(2);

fn agent(folder: &Path) -> Agent {
    orin_agx_jp6().write_to(&folder.join("root")).unwrap();
    let root = folder.join("root");
    Agent::start(folder, &["--board", "jetson", "--root", root.to_str().unwrap()])
}

fn options(folder: &Path, workload: &str, sizes: impl IntoIterator<Item = u32>) -> Options {
    Options::new(workload, sizes).socket(folder.join("workers.sock"))
}

fn time_of(samples: usize) -> Duration {
    FIRST + EACH * u32::try_from(samples - 1).unwrap()
}

/// Trains at the size that the agent wants until told to stop.
fn trainer(folder: &Path, stop: &Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let options = options(folder, "a", [4, 16]).fingerprint("resnet18-224");
    let stop = stop.clone();
    thread::spawn(move || {
        let mut trainer = Trainer::attach(options);
        while !stop.load(Ordering::SeqCst) {
            let size = trainer.batch_size().unwrap_or(16);
            trainer.minibatch(|| thread::sleep(time_of(size as usize)));
        }
    })
}

async fn offers(client: &mut AgentClient, count: usize) -> Vec<v1::Offer> {
    let began = Instant::now();
    loop {
        let board = client.get_board(v1::GetBoardRequest {}).await.unwrap().into_inner();
        let offers = board.board.unwrap().offers;
        if offers.len() == count {
            return offers;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{offers:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn request(
    token: &str,
    mode: &[f64],
    (workload, kind): (&str, v1::WorkloadKind),
    size: u32,
) -> v1::MeasureRequest {
    v1::MeasureRequest {
        lease_token: token.into(),
        workload: workload.into(),
        kind: kind.into(),
        batch_size: size,
        mode: Some(v1::PowerMode { levels: mode.to_vec() }),
        timeout: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
        ..Default::default()
    }
}

/// How the measurement ends.
async fn measure(
    client: &mut AgentClient,
    request: v1::MeasureRequest,
) -> v1::measure_response::Update {
    use v1::measure_response::Update;
    let mut answers = client.measure(request).await.unwrap().into_inner();
    loop {
        match answers.message().await.unwrap().unwrap().update.unwrap() {
            Update::Progress(_) => {}
            end => return end,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attached_programs_are_measured_at_every_size_they_have_and_lose_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path());
    let mut client = agent.client().await;
    assert!(offers(&mut client, 0).await.is_empty());

    let stop = Arc::new(AtomicBool::new(false));
    let training = trainer(folder.path(), &stop);
    let infer = |samples: Vec<u32>| {
        thread::sleep(time_of(samples.len()));
        samples
    };
    let batcher =
        Batcher::start_with_samples(options(folder.path(), "b", [1, 8]), infer, || 0).unwrap();
    // Nothing can be measured of one that has no samples.
    let silent = Batcher::start(options(folder.path(), "c", [1]), |requests: Vec<()>| requests);
    let offers = offers(&mut client, 2).await;
    assert_eq!((offers[0].workload.as_str(), &*offers[0].batch_sizes), ("a", &[4, 16][..]));
    assert_eq!((&*offers[0].fingerprint, &*offers[1].fingerprint), ("resnet18-224", ""));
    assert_eq!((offers[1].workload.as_str(), &*offers[1].batch_sizes), ("b", &[1, 8][..]));

    let token = lease(&mut client, 60).await;
    let mode: Vec<f64> =
        knobs(&mut client).await.iter().map(|k| *k.levels.last().unwrap()).collect();
    let (train, serve) = (("a", v1::WorkloadKind::Train), ("b", v1::WorkloadKind::Infer));
    let mut pending = Vec::new();
    for (workload, size) in [(train, 16), (serve, 8), (train, 4), (serve, 1)] {
        pending.extend((0..3).map(|number| (number, batcher.submit(number))));
        let end = measure(&mut client, request(&token, &mode, workload, size)).await;
        let v1::measure_response::Update::Profile(profile) = end else { panic!("{end:?}") };
        let (seconds, expected) = (profile.minibatch_seconds, time_of(size as usize).as_secs_f64());
        assert!(seconds >= expected && seconds < expected * 1.5, "{workload:?} {size}: {seconds}");
        assert!(profile.power_watts > 0.0 && profile.minibatches >= 40);
    }
    for (number, answer) in pending {
        assert_eq!(answer.wait(), Ok(number), "what came while others were measured is answered");
    }
    drop(silent);
    stop.store(true, Ordering::SeqCst);
    training.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_while_it_is_measured_is_lost_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path());
    let mut client = agent.client().await;
    let stop = Arc::new(AtomicBool::new(false));
    let training = trainer(folder.path(), &stop);
    offers(&mut client, 1).await;
    let token = lease(&mut client, 60).await;
    let mode: Vec<f64> = knobs(&mut client).await.iter().map(|knob| knob.levels[0]).collect();
    let ends = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::SeqCst);
        training.join().unwrap();
    });
    let request = request(&token, &mode, ("a", v1::WorkloadKind::Train), 16);
    let end = measure(&mut client, request.clone()).await;
    let v1::measure_response::Update::Failure(failure) = end else { panic!("{end:?}") };
    assert_eq!(failure.kind(), v1::measure_failure::Kind::WorkerLost, "{}", failure.message);
    ends.join().unwrap();
    let end = measure(&mut client, request).await;
    let v1::measure_response::Update::Failure(failure) = end else { panic!("{end:?}") };
    assert_eq!(failure.kind(), v1::measure_failure::Kind::Unavailable, "{}", failure.message);
}
