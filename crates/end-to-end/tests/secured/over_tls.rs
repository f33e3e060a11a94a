//! A job from its submission to its plan over mutual TLS, by people with different roles, while
//! certificates are changed for others.

use std::time::{Duration, Instant};

use fulcrum_api::{caller, v1};
use fulcrum_credentials::Credentials;
use fulcrum_end_to_end::Secured;
use serde_json::Value;

const ADMIN: &str = "keys/people/admin";
const OPERATOR: &str = "keys/people/operator";
const VIEWER: &str = "keys/people/viewer";
const DENIED: &str = "PermissionDenied";

const JOB: &str = r#"
name = "gate"
train = "resnet18"
infer = "mobilenet_v3"
rate = "60/s"
latency = "800ms"
power = "30W"
arrivals = "constant"
"#;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether a line of an audit is a call by somebody on something, with how it was answered.
fn is_call(line: &str, who: &str, rpc: &str, on: &str, code: &str) -> bool {
    let line: Value = serde_json::from_str(line).unwrap();
    line["who"] == who
        && line["rpc"] == rpc
        && line["code"] == code
        && line["on"].as_str().unwrap_or_default() == on
        && line["time"].is_string()
        && line["from"].as_str().is_some_and(|from| from.starts_with("127.0.0.1:"))
}

#[test]
fn a_job_runs_over_mutual_tls_and_certificates_change_while_it_does() {
    let fleet = Secured::start();
    let job = fleet.text("gate.toml");
    std::fs::write(&job, JOB).unwrap();
    let simulated = ["--stand-in", "simulated-orin-agx", "--simulate"];
    let add = ["fleet", "add", "a", "--agent", &fleet.agent];
    fleet.answer(ADMIN, &[add.as_slice(), &simulated].concat());
    fleet.answer(OPERATOR, &["job", "submit", &job, "--wait", "60s"]);
    let state = || {
        let shown = fleet.answer(VIEWER, &["job", "list", "-o", "json"]);
        let jobs: Value = serde_json::from_str(&shown).unwrap();
        jobs[0]["state"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(state(), "running");

    // Who may not is told why, and nothing is changed.
    let refused = fleet.command(VIEWER, &["job", "cancel", "gate"]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(8), "{said}");
    assert!(said.contains("viewer is here as viewer; CancelJob needs operator"), "{said}");
    let refused = fleet.command(OPERATOR, &["fleet", "remove", "a"]);
    assert!(text(&refused.stderr).contains("RemoveBoard needs admin"), "{refused:?}");
    assert_eq!(state(), "running");

    // All of it is written down, where it was done.
    for (process, who, rpc, on, code) in [
        ("fulcrum-scheduler", "admin", "SchedulerService/RegisterBoard", "boards/a", "Ok"),
        ("fulcrum-scheduler", "operator", "SchedulerService/SubmitJob", "jobs/gate", "Ok"),
        ("fulcrum-scheduler", "viewer", "SchedulerService/CancelJob", "jobs/gate", DENIED),
        ("fulcrum-agent", "scheduler", "TurnService/ApplyPlan", "", "Ok"),
        ("fulcrum-optimizer", "scheduler", "OptimizerService/CreateSearch", &fleet.agent, "Ok"),
    ] {
        fleet.audit_with(process, |line| is_call(line, who, rpc, on, code));
    }

    // New certificates count from the next connection on; those that are there go on.
    let shown = || shown_certificate(&fleet);
    let before = shown();
    let made = fleet.make_certificates(&["--replace"]);
    assert!(made.status.success(), "{made:?}");
    std::thread::sleep(Duration::from_secs(1));
    assert_ne!(shown(), before, "the scheduler shows its new certificate");
    assert_eq!(state(), "running");
    fleet.answer(OPERATOR, &["board", "show"]);
    let events = fleet.answer(OPERATOR, &["job", "show", "gate", "-o", "json"]);
    assert!(!events.contains("unreachable"), "{events}");

    // Wrong ones do not.
    let before = shown();
    std::fs::write(fleet.path("keys/scheduler/cert.pem"), "no certificate").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(shown(), before);
    assert_eq!(state(), "running");
    let log = fleet.log("fulcrum-scheduler");
    assert!(log.contains("what they said before holds"), "{log}");
    assert!(!log.contains("PRIVATE KEY"), "{log}");

    // A job can still be changed: the scheduler reaches the optimizer and the board as it is now.
    std::fs::write(&job, JOB.replace("30W", "25W")).unwrap();
    fleet.answer(OPERATOR, &["job", "submit", &job, "--wait", "60s"]);
}

/// The certificate that the scheduler shows whoever connects now.
fn shown_certificate(fleet: &Secured) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let own = Credentials::open(fleet.path(VIEWER)).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut tls = rustls::ClientConnection::new(own.now().client.clone(), name).unwrap();
    let address = fleet.scheduler.trim_start_matches("https://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut stream = rustls::Stream::new(&mut tls, &mut stream);
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let _ = stream.read(&mut [0; 16]);
    tls.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_served_nowhere() {
    let fleet = Secured::start();
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().display().to_string();
    let foreign = std::process::Command::new(fulcrum_end_to_end::binary("fulcrum"))
        .args(["access", "fleet", &folder])
        .output();
    assert!(foreign.unwrap().status.success());
    // Somebody with a certificate of another authority, and one with none, who both believe ours.
    let ca = std::fs::read(fleet.path("keys/ca.pem")).unwrap();
    let foreign = other.path().join("people/admin");
    let nobody = other.path().join("nobody");
    std::fs::create_dir(&nobody).unwrap();
    for folder in [&foreign, &nobody] {
        std::fs::write(folder.join("ca.pem"), &ca).unwrap();
    }
    // A board's certificate lets it be called, and not call.
    let board = fleet.path("keys/boards/a");
    for address in [&fleet.agent, &fleet.optimizer, &fleet.scheduler] {
        let address = address.parse().unwrap();
        for folder in [&foreign, &nobody, &board] {
            let who = Credentials::open(folder.clone()).unwrap();
            let Ok(caller) = caller(&address, Some(&who)).await else { continue };
            let mut scheduler =
                v1::scheduler_service_client::SchedulerServiceClient::new(caller.clone());
            let answer = scheduler.list_jobs(v1::ListJobsRequest::default()).await;
            assert_refused(&answer.unwrap_err());
            let mut agent = v1::agent_service_client::AgentServiceClient::new(caller.clone());
            assert_refused(&agent.get_board(v1::GetBoardRequest {}).await.unwrap_err());
            let mut optimizer = v1::optimizer_service_client::OptimizerServiceClient::new(caller);
            let answer = optimizer.list_fronts(v1::ListFrontsRequest {}).await;
            assert_refused(&answer.unwrap_err());
        }
    }
    let began = Instant::now();
    let plain = fleet.scheduler.replace("https://", "http://").parse().unwrap();
    if let Ok(caller) = caller(&plain, None).await {
        let mut client = v1::scheduler_service_client::SchedulerServiceClient::new(caller);
        assert_refused(&client.list_jobs(v1::ListJobsRequest::default()).await.unwrap_err());
    }
    assert!(began.elapsed() < Duration::from_secs(40));
}

/// It was not let in, or its connection was closed.
fn assert_refused(status: &tonic::Status) {
    use tonic::Code;
    let closed = [Code::Unavailable, Code::Unknown, Code::Internal, Code::Cancelled];
    let codes = [[Code::Unauthenticated].as_slice(), &closed].concat();
    assert!(codes.contains(&status.code()), "{status:?}");
}
