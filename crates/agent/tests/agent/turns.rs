//! Workers that attach to a running agent and take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fulcrum_api::v1;
use fulcrum_worker::{Batcher, Options, Trainer};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::plans::{options, plan, terms, turns};
use crate::process::{Agent, knobs, lease, shown};

/// Notices when two run at once.
#[derive(Clone, Default)]
struct Device {
    taken: Arc<AtomicBool>,
    at_once: Arc<AtomicU32>,
}

impl Device {
    fn run(&self, time: Duration) {
        if self.taken.swap(true, Ordering::SeqCst) {
            self.at_once.fetch_add(1, Ordering::SeqCst);
        }
        thread::sleep(time);
        self.taken.store(false, Ordering::SeqCst);
    }
}

/// Trains until told to stop; gives the number of minibatches.
fn trainer(options: Options, device: &Device, stop: &Arc<AtomicBool>) -> thread::JoinHandle<u32> {
    let (device, stop) = (device.clone(), stop.clone());
    thread::spawn(move || {
        let mut trainer = Trainer::attach(options);
        let mut count = 0;
        while !stop.load(Ordering::SeqCst) {
            trainer.minibatch(|| device.run(Duration::from_millis(10)));
            count += 1;
        }
        count
    })
}

#[test]
fn minibatches_of_next_to_no_time_keep_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let _agent = Agent::simulated_at("1", folder.path(), &[]);
    let mut trainer = Trainer::try_attach(options(folder.path(), "a", [1])).unwrap();
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        trainer.minibatch(|| ());
    }
    assert!(trainer.is_attached(), "a line of so many is too long for the agent");
}

#[tokio::test(flavor = "multi_thread")]
async fn training_and_inference_never_run_at_once_and_every_request_is_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &[]);
    let token = lease(&mut agent.client().await, 60).await;
    let mut turns = turns(folder.path()).await;
    let budget = Duration::from_millis(200);
    let request = v1::ApplyPlanRequest {
        lease_token: token,
        generation: 1,
        plan: Some(plan(vec![terms("a", 1, None), terms("b", 8, Some(budget))])),
        ..Default::default()
    };
    turns.apply_plan(request.clone()).await.unwrap();
    let late = turns.apply_plan(request).await.unwrap_err();
    assert_eq!(late.code(), Code::Aborted);
    assert_eq!(late.get_details_error_info().unwrap().reason, "STALE_GENERATION");

    let mut watched = turns.watch_turns(v1::WatchTurnsRequest {}).await.unwrap().into_inner();
    let (device, stop) = (Device::default(), Arc::new(AtomicBool::new(false)));
    let training = trainer(options(folder.path(), "a", [1]), &device, &stop);
    let running = device.clone();
    let batcher = Batcher::start(options(folder.path(), "b", 1..=8), move |requests: Vec<u32>| {
        running.run(Duration::from_millis(5));
        requests
    })
    .unwrap();
    let answers = thread::spawn(move || {
        let pending: Vec<_> = (0..200)
            .map(|request| {
                thread::sleep(Duration::from_millis(10));
                batcher.submit(request)
            })
            .collect();
        pending.into_iter().map(|pending| pending.wait().unwrap()).collect::<Vec<u32>>()
    });
    let answers = tokio::task::spawn_blocking(|| answers.join().unwrap()).await.unwrap();
    assert_eq!(answers, (0..200).collect::<Vec<_>>());
    stop.store(true, Ordering::SeqCst);
    let trained = tokio::task::spawn_blocking(|| training.join().unwrap()).await.unwrap();
    assert_eq!(device.at_once.load(Ordering::SeqCst), 0);
    assert!(trained > 80, "{trained} minibatches in two seconds");

    // Every request was told of, and hardly any was late: this machine may be busy.
    let (mut told, mut late, mut minibatches) = (0, 0, 0);
    while told < 200 {
        let message = watched.message().await.unwrap().unwrap();
        assert_eq!(message.missed, 0);
        for turn in message.turns {
            assert!(turn.began_ns <= turn.ended_ns);
            told += turn.latencies_seconds.len();
            late += turn.late_requests;
            minibatches += u32::from(turn.kind() == v1::WorkloadKind::Train);
        }
    }
    assert!(late < 20, "{late} of 200 late");
    assert!(minibatches > 80);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_hangs_is_fenced_and_the_other_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &[]);
    let stop = Arc::new(AtomicBool::new(false));
    let hangs = Arc::new(AtomicBool::new(false));
    let (stopping, hanging) = (stop.clone(), hangs.clone());
    let attach = options(folder.path(), "a", [1]);
    let training = thread::spawn(move || {
        let mut trainer = Trainer::attach(attach);
        while !stopping.load(Ordering::SeqCst) {
            trainer.minibatch(|| {
                let time = if hanging.load(Ordering::SeqCst) { 3_000 } else { 5 };
                thread::sleep(Duration::from_millis(time));
            });
        }
    });
    let batcher = Batcher::start(options(folder.path(), "b", 1..=8), |requests: Vec<u32>| {
        thread::sleep(Duration::from_millis(5));
        requests
    })
    .unwrap();
    let mut turns = turns(folder.path()).await;
    let mut watched = turns.watch_turns(v1::WatchTurnsRequest {}).await.unwrap().into_inner();
    for request in 0..20 {
        assert_eq!(batcher.submit(request).wait(), Ok(request));
    }
    hangs.store(true, Ordering::SeqCst);
    thread::sleep(Duration::from_millis(50));
    let asked = Instant::now();
    assert_eq!(batcher.submit(99).wait(), Ok(99));
    assert!(asked.elapsed() < Duration::from_millis(1_500), "{:?}", asked.elapsed());
    let fenced = loop {
        let message = watched.message().await.unwrap().unwrap();
        if let Some(fenced) = message.fenced.first() {
            break fenced.clone();
        }
    };
    assert_eq!(fenced.workload, "a");
    assert!(fenced.reason.contains("turn did not end"), "{}", fenced.reason);
    // When it is back it attaches again by itself.
    hangs.store(false, Ordering::SeqCst);
    let began = Instant::now();
    loop {
        let standing = turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner();
        if standing.workers.iter().any(|w| w.workload == "a" && w.minibatches > 10) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{standing:?}\n{}", agent.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::SeqCst);
    training.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_agent_dies_workers_go_on_alone_and_find_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &[]);
    let (device, stop) = (Device::default(), Arc::new(AtomicBool::new(false)));
    let training = trainer(options(folder.path(), "a", [1]), &device, &stop);
    let batcher = Batcher::start(options(folder.path(), "b", 1..=8), |requests: Vec<u32>| requests);
    let batcher = batcher.unwrap();
    for request in 0..10 {
        assert_eq!(batcher.submit(request).wait(), Ok(request));
    }
    assert!(batcher.is_attached());
    agent.kill();
    for request in 0..10 {
        assert_eq!(batcher.submit(request).wait(), Ok(request), "it answers alone");
    }
    let agent = Agent::simulated_at("1", folder.path(), &[]);
    let mut turns = turns(folder.path()).await;
    let began = Instant::now();
    loop {
        let standing = turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner();
        let _ = batcher.submit(1);
        if standing.workers.len() == 2 && standing.workers.iter().all(|w| w.minibatches > 0) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{standing:?}\n{}", agent.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.store(true, Ordering::SeqCst);
    assert!(training.join().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_with_answers_for_other_rates_is_followed_by_the_agent_alone() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &[]);
    let mut client = agent.client().await;
    let token = lease(&mut client, 120).await;
    let mut turns = turns(folder.path()).await;
    let all = knobs(&mut client).await;
    let mode = |top: bool| {
        let pick =
            |knob: &v1::Knob| if top { *knob.levels.last().unwrap() } else { knob.levels[0] };
        Some(v1::PowerMode { levels: all.iter().map(pick).collect() })
    };
    let answer = |top: bool, batch_size: u32| v1::TurnPlan {
        mode: mode(top),
        ..plan(vec![terms("b", batch_size, Some(Duration::from_millis(400)))])
    };
    let by_rate = vec![
        v1::RateAnswer { up_to_hertz: 20.0, plan: Some(answer(false, 2)) },
        v1::RateAnswer { up_to_hertz: 500.0, plan: Some(answer(true, 8)) },
    ];
    let nested = v1::TurnPlan { by_rate: by_rate.clone(), ..answer(true, 8) };
    let wrong = v1::RateAnswer { up_to_hertz: 9.0, plan: Some(nested) };
    let apply = |generation, by_rate| v1::ApplyPlanRequest {
        lease_token: token.clone(),
        generation,
        plan: Some(v1::TurnPlan { by_rate, ..answer(false, 2) }),
        ..Default::default()
    };
    let refused = turns.apply_plan(apply(1, vec![wrong])).await.unwrap_err();
    assert!(refused.message().contains("plan.by_rate[0].plan.by_rate"), "{}", refused.message());
    turns.apply_plan(apply(2, by_rate)).await.unwrap();
    assert_eq!(shown(&mut client).await, mode(false).unwrap().levels);

    // Sixty requests a second, of which the plan in force was made for twenty.
    let batcher = Batcher::start(options(folder.path(), "b", [1, 2, 8]), |requests: Vec<()>| {
        thread::sleep(Duration::from_millis(1));
        requests
    });
    let batcher = batcher.unwrap();
    let began = Instant::now();
    while shown(&mut client).await != mode(true).unwrap().levels {
        assert!(began.elapsed() < Duration::from_secs(40), "it does not follow: {}", agent.log());
        for _ in 0..30 {
            drop(batcher.submit(()));
            thread::sleep(Duration::from_millis(16));
        }
    }
    // What was asked for is what the agent then keeps, with nobody telling it.
    assert!(began.elapsed() > Duration::from_secs(15), "a whole window says that the rate changed");
}
