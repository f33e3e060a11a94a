//! The local sockets: one for control, and one for looking.

use std::os::unix::fs::PermissionsExt as _;

use fulcrum_api::{Address, connect, connect_turns, v1};
use tonic::Code;

use crate::process::{Agent, lease};

#[tokio::test]
async fn who_looks_may_look_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit.ndjson");
    let agent = Agent::simulated(folder.path(), &["--audit", &audit.to_string_lossy()]);
    let read = Address::Socket(folder.path().join("read.sock"));
    let mut looks = connect(&read).await.unwrap();
    looks.get_board(v1::GetBoardRequest {}).await.unwrap();
    looks.get_status(v1::GetStatusRequest {}).await.unwrap();
    looks.get_sample(v1::GetSampleRequest {}).await.unwrap();

    // What a lease lets its holder do, it does not let do through this socket.
    let token = lease(&mut agent.client().await, 60).await;
    let request = v1::TakeLeaseRequest { holder: "somebody".into(), ..Default::default() };
    let refused = looks.take_lease(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("TakeLease needs operator"), "{refused:?}");
    let request = v1::SetPowerModeRequest { lease_token: token.clone(), ..Default::default() };
    let refused = looks.set_power_mode(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let request = v1::ReleaseLeaseRequest { lease_token: token.clone() };
    assert_eq!(looks.release_lease(request).await.unwrap_err().code(), Code::PermissionDenied);
    let mut turns = connect_turns(&read).await.unwrap();
    let request = v1::ApplyPlanRequest { lease_token: token.clone(), ..Default::default() };
    assert_eq!(turns.apply_plan(request).await.unwrap_err().code(), Code::PermissionDenied);

    // What is refused is written down a moment after it is answered, and what is done before it is:
    // a last line that is there has all others before it.
    let request = v1::ReleaseLeaseRequest { lease_token: token.clone() };
    agent.client().await.release_lease(request).await.unwrap();

    // All of them are written down, by whom, and without the lease's secret.
    let lines = std::fs::read_to_string(&audit).unwrap();
    let who = format!("\"who\":\"user-{}\"", rustix::process::geteuid().as_raw());
    let process = format!("process {}", std::process::id());
    assert!(lines.lines().all(|line| line.contains(&who) && line.contains(&process)), "{lines}");
    assert!(
        lines.contains("AgentService/TakeLease\",\"on\":\"a test\",\"code\":\"Ok\""),
        "{lines}"
    );
    assert!(lines.contains("\"TurnService/ApplyPlan\",\"code\":\"PermissionDenied\""), "{lines}");
    assert!(!lines.contains(&token), "{lines}");
    let mode = |name: &str| {
        std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(
        (mode("agent.sock"), mode("read.sock"), mode("audit.ndjson")),
        (0o660, 0o666, 0o640)
    );
}

#[test]
fn an_agent_does_not_open_itself_to_a_network_without_being_told() {
    let start = |further: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_fulcrum-agent"))
            .args(["--board", "simulated-orin-agx", "--state-dir"])
            .arg(folder.path().join("state"))
            .arg("--socket")
            .arg(folder.path().join("agent.sock"))
            .args(further)
            .output();
        let output = output.unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    for flag in ["--listen", "--metrics"] {
        let said = start(&[flag, "0.0.0.0:0"]);
        assert!(said.contains(flag) && said.contains("--allow-plain"), "{said}");
    }
    let said = start(&["--listen", "https://127.0.0.1:0"]);
    assert!(said.contains("--credentials"), "{said}");
    let said = start(&["--credentials", "/nowhere"]);
    assert!(said.contains("--credentials: /nowhere/ca.pem"), "{said}");
}
