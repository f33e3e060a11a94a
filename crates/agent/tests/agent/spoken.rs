//! Workers that speak the protocol line by line, rightly and wrongly.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fulcrum_api::v1;
use fulcrum_worker::monotonic::now_ns;
use fulcrum_worker::{Batcher, Trainer};

use crate::plans::{options, turns};
use crate::process::Agent;

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

/// A preemptible trainer that runs its first minibatch, its turn, and when that minibatch began.
fn in_a_minibatch(folder: &Path) -> (Spoken, u64, u64) {
    let mut train = Spoken::attach(
        folder,
        r#"{"attach":{"protocol":1,"workload":"a","kind":"train","batch_sizes":[1],"preemptible":true}}"#,
    );
    let turn = train.grant();
    (train, turn, now_ns())
}

#[tokio::test(flavor = "multi_thread")]
async fn preemptible_training_keeps_its_turn_while_requests_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let _agent = Agent::simulated_at("1", folder.path(), &[]);
    let mut turns = turns(folder.path()).await;
    let mut watched = turns.watch_turns(v1::WatchTurnsRequest {}).await.unwrap().into_inner();
    let (mut train, turn, began_ns) = in_a_minibatch(folder.path());
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
    let (mut train, turn, began_ns) = in_a_minibatch(folder.path());
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

#[test]
fn workers_that_are_refused_go_on_alone_and_leave_the_agent_alone_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let agent = UnixListener::bind(folder.path().join("workers.sock")).unwrap();
    let refused = Arc::new(AtomicU32::new(0));
    let count = refused.clone();
    thread::spawn(move || {
        for stream in agent.incoming() {
            let mut stream = stream.unwrap();
            BufReader::new(&stream).read_line(&mut String::new()).unwrap();
            writeln!(stream, r#"{{"refused":{{"reason":"64 workers are attached"}}}}"#).unwrap();
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut trainer = Trainer::attach(options(folder.path(), "a", [1]));
    let batcher = Batcher::start(options(folder.path(), "b", [1]), |requests: Vec<u32>| requests);
    let batcher = batcher.unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2500) {
        assert_eq!(trainer.minibatch(|| batcher.submit(5).wait()), Ok(5));
    }
    assert_eq!(refused.load(Ordering::SeqCst), 2);
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
