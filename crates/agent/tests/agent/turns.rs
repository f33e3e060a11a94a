//! Workers that attach to a running agent and take turns.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fulcrum_api::{TurnClient, connect_turns, v1};
use fulcrum_worker::monotonic::now_ns;
use fulcrum_worker::{Batcher, Options, Trainer};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::process::{Agent, knobs, lease, shown};

async fn turns(folder: &Path) -> TurnClient {
    let address = format!("unix://{}", folder.join("agent.sock").display());
    connect_turns(&address.parse().unwrap()).await.unwrap()
}

fn options(folder: &Path, workload: &str, sizes: impl IntoIterator<Item = u32>) -> Options {
    Options::new(workload, sizes).socket(folder.join("workers.sock"))
}

fn terms(workload: &str, batch_size: u32, budget: Option<Duration>) -> v1::WorkloadTerms {
    let kind = if budget.is_some() { v1::WorkloadKind::Infer } else { v1::WorkloadKind::Train };
    v1::WorkloadTerms {
        workload: workload.into(),
        kind: kind.into(),
        batch_size,
        latency_budget: budget.map(|budget| prost_types::Duration {
            seconds: 0,
            nanos: budget.subsec_nanos().cast_signed(),
        }),
        ..Default::default()
    }
}

fn plan(terms: Vec<v1::WorkloadTerms>) -> v1::TurnPlan {
    v1::TurnPlan {
        alternate: v1::Alternate::SlackAware.into(),
        guard_ratio: 0.1,
        terms,
        ..Default::default()
    }
}

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

#[tokio::test]
async fn a_simulated_board_runs_a_plan_by_itself_and_accounts_for_its_energy() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &["--sample-interval", "20ms"]);
    let mut client = agent.client().await;
    let token = lease(&mut client, 60).await;
    let mut turns = turns(folder.path()).await;
    let worker = |workload: &str, kind: v1::WorkloadKind, rate| v1::SimulatedWorker {
        workload: workload.into(),
        kind: kind.into(),
        arrivals_per_second: rate,
        arrivals: "poisson".into(),
    };
    let unknown = v1::ApplyPlanRequest {
        lease_token: token.clone(),
        generation: 1,
        plan: Some(plan(vec![])),
        simulate: vec![worker("nobody", v1::WorkloadKind::Train, 0.0)],
    };
    let refused = turns.apply_plan(unknown).await.unwrap_err();
    assert!(refused.message().contains("does not simulate nobody train"), "{refused:?}");
    let budget = Duration::from_millis(800);
    let request = v1::ApplyPlanRequest {
        lease_token: token,
        generation: 1,
        plan: Some(plan(vec![
            terms("resnet18", 16, None),
            terms("mobilenet_v3", 16, Some(budget)),
        ])),
        simulate: vec![
            worker("resnet18", v1::WorkloadKind::Train, 0.0),
            worker("mobilenet_v3", v1::WorkloadKind::Infer, 30.0),
        ],
    };
    turns.apply_plan(request).await.unwrap();
    let sample = async |client: &mut fulcrum_api::AgentClient| {
        client.get_sample(v1::GetSampleRequest {}).await.unwrap().into_inner().sample.unwrap()
    };
    let before = sample(&mut client).await.energy_joules;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let standing = turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner();
    let after = sample(&mut client).await.energy_joules;
    assert_eq!(standing.generation, 1);
    assert_eq!(standing.workers.len(), 2, "{standing:?}");
    let [infer, train] = ["mobilenet_v3", "resnet18"]
        .map(|name| standing.workers.iter().find(|w| w.workload == name).unwrap());
    assert!(train.minibatches > 10 && infer.requests > 30, "{standing:?}");
    assert!(train.joules > 0.0 && infer.joules > 0.0, "{standing:?}");
    let sum = train.joules + infer.joules + standing.idle_joules;
    assert!(sum >= 0.5 * (after - before) && sum <= after + 1.0, "{sum} of {before}..{after}");
}

/// A worker that speaks for itself.
struct Spoken {
    stream: UnixStream,
    heard: BufReader<UnixStream>,
}

impl Spoken {
    fn attach(folder: &Path, attach: &str) -> Self {
        let stream = UnixStream::connect(folder.join("workers.sock")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut worker = Self { heard: BufReader::new(stream.try_clone().unwrap()), stream };
        worker.say(attach);
        assert!(worker.hear().contains("welcome"));
        assert!(worker.hear().contains("plan"));
        worker
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stream, "{line}").unwrap();
    }

    fn ran(&mut self, grant: u64, began_ns: u64, ended_ns: u64, requests: u32, done: bool) {
        self.say(&format!(
            r#"{{"ran":{{"grant":{grant},"minibatches":[{{"began_ns":{began_ns},"ended_ns":{ended_ns},"requests":{requests}}}],"done":{done}}}}}"#
        ));
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.heard.read_line(&mut line).unwrap();
        line
    }

    /// The id of the turn that it is given next.
    fn grant(&mut self) -> u64 {
        self.turn("grant")
    }

    /// The id of the turn of which it hears this next.
    fn turn(&mut self, what: &str) -> u64 {
        let line = self.hear();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(said[what].is_object(), "{line} is no {what}");
        said[what]["id"].as_u64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn preemptible_training_keeps_its_turn_while_requests_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let _agent = Agent::simulated_at("1", folder.path(), &[]);
    let mut turns = turns(folder.path()).await;
    let mut watched = turns.watch_turns(v1::WatchTurnsRequest {}).await.unwrap().into_inner();
    let mut train = Spoken::attach(
        folder.path(),
        r#"{"attach":{"protocol":1,"workload":"a","kind":"train","batch_sizes":[1],"preemptible":true}}"#,
    );
    let turn = train.grant();
    let began_ns = now_ns();
    let mut infer = Spoken::attach(
        folder.path(),
        r#"{"attach":{"protocol":1,"workload":"b","kind":"infer","batch_sizes":[1]}}"#,
    );
    // In the midst of the minibatch that trains, which says nothing.
    let mut answered = Vec::new();
    for _ in 0..3 {
        let arrived_ns = now_ns();
        infer.say(&format!(r#"{{"arrived":{{"at_ns":[{arrived_ns}]}}}}"#));
        let grant = infer.grant();
        let began_ns = now_ns();
        let ended_ns = began_ns + 1_000_000;
        thread::sleep(Duration::from_millis(20));
        infer.ran(grant, began_ns, ended_ns, 1, true);
        answered.push((began_ns, ended_ns));
    }
    loop {
        let standing = turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner();
        if standing.workers.iter().any(|worker| worker.requests == 3) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The next one begins under the same turn.
    let middle_ns = now_ns();
    train.ran(turn, began_ns, middle_ns, 0, false);
    train.ran(turn, middle_ns, now_ns(), 0, true);
    let mut told = Vec::new();
    while told.len() < 5 {
        told.extend(watched.message().await.unwrap().unwrap().turns);
    }
    let preempted = told.iter().find(|turn| turn.workload == "a").unwrap();
    let preemptions: Vec<_> =
        preempted.preemptions.iter().map(|of| (of.began_ns, of.ended_ns)).collect();
    assert_eq!(preemptions, answered);
    // How workers stand is shown every 100 ms.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let standing = turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner();
    let of = |name| standing.workers.iter().find(|worker| worker.workload == name).unwrap();
    assert_eq!((of("a").minibatches, of("b").requests), (2, 3), "{standing:?}");
    let busy = |name| Duration::try_from(of(name).busy.unwrap()).unwrap();
    let ran = told.iter().rfind(|turn| turn.workload == "a").unwrap().ended_ns - began_ns;
    assert_eq!(busy("a") + busy("b"), Duration::from_nanos(ran), "one at a time");
    assert_eq!(busy("b"), Duration::from_millis(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn inference_for_which_nobody_has_to_make_way_answers_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let _agent = Agent::simulated_at("1", folder.path(), &[]);
    let mut turns = turns(folder.path()).await;
    let mut watched = turns.watch_turns(v1::WatchTurnsRequest {}).await.unwrap().into_inner();
    let mut train = Spoken::attach(
        folder.path(),
        r#"{"attach":{"protocol":1,"workload":"a","kind":"train","batch_sizes":[1],"preemptible":true}}"#,
    );
    let turn = train.grant();
    let began_ns = now_ns();
    let mut infer = Spoken::attach(
        folder.path(),
        r#"{"attach":{"protocol":1,"workload":"b","kind":"infer","batch_sizes":[1],"stands":true}}"#,
    );
    let stands = infer.turn("stand");
    infer.say(&format!(r#"{{"arrived":{{"at_ns":[{}]}}}}"#, now_ns()));
    let (answered_ns, answer_ns) = (now_ns(), now_ns() + 1_000_000);
    thread::sleep(Duration::from_millis(20));
    // The minibatch that stood still is told of before the one that it stood still for.
    let ended_ns = now_ns();
    train.ran(turn, began_ns, ended_ns, 0, false);
    thread::sleep(Duration::from_millis(50));
    infer.ran(stands, answered_ns, answer_ns, 1, false);
    let mut told = Vec::new();
    while told.len() < 2 {
        told.extend(watched.message().await.unwrap().unwrap().turns);
    }
    assert_eq!(told.iter().map(|turn| turn.workload.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    let stood_still: Vec<_> =
        told[1].preemptions.iter().map(|of| (of.began_ns, of.ended_ns)).collect();
    assert_eq!(stood_still, [(answered_ns, answer_ns)]);

    // Others come whose minibatches run to their end: then everybody is told.
    let mut other = Spoken::attach(
        folder.path(),
        r#"{"attach":{"protocol":1,"workload":"c","kind":"infer","batch_sizes":[1],"stands":true}}"#,
    );
    assert_eq!(infer.turn("revoke"), stands);
    other.say(&format!(r#"{{"arrived":{{"at_ns":[{}]}}}}"#, now_ns()));
    thread::sleep(Duration::from_millis(50));
    // What it had begun may still run.
    let given_back_ns = now_ns();
    infer.say(&format!(r#"{{"ran":{{"grant":{stands},"minibatches":[],"done":true}}}}"#));
    let grant = other.grant();
    assert!(now_ns() > given_back_ns);
    other.ran(grant, now_ns(), now_ns(), 1, true);
    infer.say(&format!(r#"{{"arrived":{{"at_ns":[{}]}}}}"#, now_ns()));
    let grant = infer.grant();
    infer.ran(grant, now_ns(), now_ns(), 1, true);
    drop(other);
    assert!(infer.turn("stand") > grant);
}

/// Says lines as a worker would; gives what the agent answers to the last.
fn answer(folder: &Path, lines: &[&str]) -> String {
    let mut stream = UnixStream::connect(folder.join("workers.sock")).unwrap();
    for line in lines {
        stream.write_all(line.as_bytes()).unwrap();
        stream.write_all(b"\n").unwrap();
    }
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        said.push(line);
    }
    said.pop().unwrap_or_default()
}

#[test]
fn a_worker_that_makes_no_sense_is_told_why_and_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let _agent = Agent::simulated_at("1", folder.path(), &[]);
    let attach = r#"{"attach":{"protocol":1,"workload":"a","kind":"infer","batch_sizes":[1,4]}}"#;
    let cases: [(&[&str], &str); 10] = [
        (&["hello"], "is no message"),
        (&[r#"{"ready":{"work":true}}"#], "did not begin with `attach`"),
        (&[attach, attach], "attached a second time"),
        (
            &[r#"{"attach":{"protocol":9,"workload":"a","kind":"infer","batch_sizes":[1]}}"#],
            "protocol 9",
        ),
        (
            &[r#"{"attach":{"protocol":1,"workload":"","kind":"infer","batch_sizes":[1]}}"#],
            "`workload`",
        ),
        (
            &[r#"{"attach":{"protocol":1,"workload":"a","kind":"infer","batch_sizes":[4,1]}}"#],
            "`batch_sizes`",
        ),
        (
            &[
                r#"{"attach":{"protocol":1,"workload":"a","kind":"infer","batch_sizes":[1],"preemptible":true}}"#,
            ],
            "`preemptible` is for workers that train",
        ),
        (
            &[
                r#"{"attach":{"protocol":1,"workload":"a","kind":"train","batch_sizes":[1],"stands":true}}"#,
            ],
            "`stands` is for workers that infer",
        ),
        (
            &[attach, r#"{"ran":{"grant":7,"minibatches":[],"done":true}}"#],
            "turn 7, which it does not have",
        ),
        (&[attach, r#"{"arrived":{"at_ns":"now"}}"#], "is no message"),
    ];
    for (lines, reason) in cases {
        let said = answer(folder.path(), lines);
        assert!(said.contains(reason), "{lines:?}: {said}");
    }
    // It still serves.
    let batcher = Batcher::start(options(folder.path(), "b", [1]), |requests: Vec<u32>| requests);
    assert_eq!(batcher.unwrap().submit(5).wait(), Ok(5));
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

#[tokio::test(flavor = "multi_thread")]
async fn windows_tell_what_simulated_workers_do_until_the_plan_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated_at("1", folder.path(), &["--sample-interval", "100ms"]);
    let token = lease(&mut agent.client().await, 60).await;
    let mut turns = turns(folder.path()).await;
    let simulated = v1::SimulatedWorker {
        workload: "mobilenet_v3".into(),
        kind: v1::WorkloadKind::Infer.into(),
        arrivals_per_second: 20.0,
        arrivals: "constant".into(),
    };
    let budget = Some(Duration::from_millis(800));
    let request = v1::ApplyPlanRequest {
        lease_token: token.clone(),
        generation: 7,
        plan: Some(plan(vec![terms("mobilenet_v3", 4, budget)])),
        simulate: vec![simulated],
    };
    turns.apply_plan(request).await.unwrap();
    let length = prost_types::Duration { seconds: 0, nanos: 500_000_000 };
    let request = v1::WatchWindowsRequest { length: Some(length) };
    let mut windows = turns.watch_windows(request).await.unwrap().into_inner();
    let (mut arrived, mut answered) = (0, 0);
    for _ in 0..6 {
        let window = windows.message().await.unwrap().unwrap().window.unwrap();
        assert_eq!(window.generation, 7);
        let watts = window.mean_power_watts.unwrap();
        assert!((5.0..70.0).contains(&watts), "{watts}");
        for workload in &window.workloads {
            assert_eq!(workload.workload, "mobilenet_v3");
            arrived += workload.arrived;
            answered += workload.requests;
        }
    }
    assert!((45..=75).contains(&arrived) && answered + 12 >= arrived, "{arrived}, {answered}");

    let request = v1::ApplyPlanRequest {
        lease_token: token,
        generation: 8,
        plan: Some(plan(Vec::new())),
        simulate: Vec::new(),
    };
    turns.apply_plan(request).await.unwrap();
    for _ in 0..2 {
        windows.message().await.unwrap();
    }
    let window = windows.message().await.unwrap().unwrap().window.unwrap();
    assert!(window.workloads.is_empty(), "{window:?}");
    let wrong = prost_types::Duration { seconds: 3600, nanos: 0 };
    let refused = turns.watch_windows(v1::WatchWindowsRequest { length: Some(wrong) }).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
}
