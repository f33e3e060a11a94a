//! People who may see and act on some boards alone, and limits on everybody, at a real scheduler.

use std::path::PathBuf;

use fulcrum_api::v1::scheduler_service_client::SchedulerServiceClient;
use fulcrum_api::{Caller, caller, v1};
use fulcrum_credentials::Credentials;
use fulcrum_end_to_end::Secured;
use tonic::{Code, Status, Streaming};

type Client = SchedulerServiceClient<Caller>;

/// A client with a token of its own, which a command makes and whose entry it adds.
fn credentials_of(fleet: &Secured, name: &str, further: &[&str]) -> PathBuf {
    let folder = fleet.text(name);
    let made = fleet.answer(
        "keys/people/admin",
        &[["access", "token", name, "--out", &folder].as_slice(), further].concat(),
    );
    let access = fleet.path("access.toml");
    let known = std::fs::read_to_string(&access).unwrap_or_default();
    std::fs::write(&access, known + &made).unwrap();
    std::fs::copy(fleet.path("keys/ca.pem"), fleet.path(name).join("ca.pem")).unwrap();
    fleet.path(name)
}

async fn client(fleet: &Secured, who: PathBuf) -> Client {
    let who = Credentials::open(who).unwrap();
    let caller = caller(&fleet.scheduler.parse().unwrap(), Some(&who)).await.unwrap();
    SchedulerServiceClient::new(caller)
}

async fn register(client: &mut Client, name: &str, site: &str) -> Result<(), Status> {
    let board = v1::FleetBoard {
        name: format!("boards/{name}"),
        address: "https://127.0.0.1:9".into(),
        labels: [("site".to_owned(), site.to_owned())].into(),
        ..Default::default()
    };
    let request = v1::RegisterBoardRequest { board: Some(board), ..Default::default() };
    client.register_board(request).await.map(drop)
}

async fn submit(client: &mut Client, name: &str, site: &str) -> Result<(), Status> {
    let label = (!site.is_empty()).then(|| ("site".to_owned(), site.to_owned()));
    let problem = v1::Problem { train: "resnet18".into(), power_watts: 30.0, ..Default::default() };
    let spec = v1::JobSpec {
        boards: label.into_iter().collect(),
        problem: Some(problem),
        ..Default::default()
    };
    let request = v1::SubmitJobRequest {
        name: format!("jobs/{name}"),
        spec: Some(spec),
        ..Default::default()
    };
    client.submit_job(request).await.map(drop)
}

#[track_caller]
fn assert_outside<T: std::fmt::Debug>(answer: Result<T, Status>) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    assert!(status.message().starts_with("anna may see and act on boards with site=oslo alone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_scope_is_kept_within_it() {
    let mut fleet = Secured::prepare();
    let anna = credentials_of(&fleet, "anna", &["--role", "admin", "--scope", "site=oslo"]);
    let access = fleet.text("access.toml");
    fleet.start_scheduler(&["--access", &access]);
    let mut admin = client(&fleet, fleet.path("keys/people/admin")).await;
    let mut anna = client(&fleet, anna).await;
    register(&mut admin, "harbour", "oslo").await.unwrap();
    register(&mut admin, "fjord", "bergen").await.unwrap();
    for (job, site) in [("here", "oslo"), ("there", "bergen"), ("everywhere", "")] {
        submit(&mut admin, job, site).await.unwrap();
    }

    let boards = anna.list_boards(v1::ListBoardsRequest::default()).await.unwrap().into_inner();
    let names: Vec<_> = boards.boards.into_iter().map(|b| b.board.unwrap().name).collect();
    assert_eq!(names, ["boards/harbour"]);
    let jobs = anna.list_jobs(v1::ListJobsRequest::default()).await.unwrap().into_inner();
    let names: Vec<_> = jobs.jobs.into_iter().map(|job| job.name).collect();
    assert_eq!(names, ["jobs/here"]);
    for job in ["there", "everywhere"] {
        let name = format!("jobs/{job}");
        assert_outside(anna.get_job(v1::GetJobRequest { name: name.clone() }).await);
        assert_outside(
            anna.cancel_job(v1::CancelJobRequest { name: name.clone(), ..Default::default() })
                .await,
        );
        let request = v1::WatchJobRequest { name, after_event: 0 };
        assert_outside(anna.watch_job(request).await.map(drop));
        // It is not brought within the scope either.
        assert_outside(submit(&mut anna, job, "oslo").await);
    }
    assert_outside(submit(&mut anna, "new", "").await);
    assert_outside(submit(&mut anna, "here", "bergen").await);
    assert_outside(register(&mut anna, "new", "bergen").await);
    assert_outside(register(&mut anna, "fjord", "oslo").await);
    assert_outside(register(&mut anna, "harbour", "bergen").await);
    let request = v1::RemoveBoardRequest { name: "boards/fjord".into(), ..Default::default() };
    assert_outside(anna.remove_board(request).await);
    assert_outside(
        anna.set_site_power(v1::SetSitePowerRequest { watts: Some(1.0), ..Default::default() })
            .await,
    );
    assert_outside(anna.get_site_power(v1::GetSitePowerRequest {}).await);

    // Within it everything goes on.
    submit(&mut anna, "new", "oslo").await.unwrap();
    register(&mut anna, "quay", "oslo").await.unwrap();
    anna.get_job(v1::GetJobRequest { name: "jobs/here".into() }).await.unwrap();
    anna.cancel_job(v1::CancelJobRequest { name: "jobs/here".into(), ..Default::default() })
        .await
        .unwrap();
    let request = v1::RemoveBoardRequest { name: "boards/quay".into(), ..Default::default() };
    anna.remove_board(request).await.unwrap();
    // Who watches a job that leaves the scope, has to leave it.
    let request = v1::WatchJobRequest { name: "jobs/new".into(), after_event: 0 };
    let mut watched = anna.watch_job(request).await.unwrap().into_inner();
    watched.message().await.unwrap();
    submit(&mut admin, "new", "bergen").await.unwrap();
    let ended = loop {
        match watched.message().await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert_outside(ended);

    // Who may do less than before watches nothing any more that they began to watch before.
    let request = v1::WatchJobRequest { name: "jobs/here".into(), after_event: 0 };
    let watched = anna.watch_job(request).await.unwrap().into_inner();
    let file = fleet.path("access.toml");
    let list = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, list.replace("role = \"admin\"", "role = \"viewer\"")).unwrap();
    let ended = the_end(watched).await;
    assert_eq!(ended.message(), "what anna may do has changed; call again");
    std::fs::write(&file, list).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;

    // A token that is taken out counts no more, for what is being watched and from the next call on.
    submit(&mut anna, "last", "oslo").await.unwrap();
    let request = v1::WatchJobRequest { name: "jobs/last".into(), after_event: 0 };
    let by_token = anna.watch_job(request.clone()).await.unwrap().into_inner();
    let by_certificate = admin.watch_job(request).await.unwrap().into_inner();
    std::fs::write(fleet.path("access.toml"), "revoked = [\"admin\"]\n").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let lost = anna.list_boards(v1::ListBoardsRequest::default()).await.unwrap_err();
    assert_eq!((lost.code(), lost.message()), (Code::Unauthenticated, "nobody has this token"));
    let lost = admin.list_boards(v1::ListBoardsRequest::default()).await.unwrap_err();
    assert_eq!(
        (lost.code(), lost.message()),
        (Code::Unauthenticated, "the certificate is revoked")
    );
    for (watched, why) in
        [(by_token, "nobody has this token"), (by_certificate, "the certificate is revoked")]
    {
        let ended = the_end(watched).await;
        assert_eq!((ended.code(), ended.message()), (Code::Unauthenticated, why));
    }
    let is_its = |line: &str| line.contains("/WatchJob") && line.contains("is revoked");
    fleet.audit_with("fulcrum-scheduler", is_its);
}

/// What a stream ends with.
async fn the_end(mut watched: Streaming<v1::WatchJobResponse>) -> Status {
    let ending = async {
        loop {
            if let Err(status) = watched.message().await.map(|event| event.expect("it ends badly"))
            {
                return status;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), ending).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_says_what_it_is() {
    let mut fleet = Secured::prepare();
    fleet.start_scheduler(&["--calls-a-second", "2", "--connections-each", "3"]);
    let mut admin = client(&fleet, fleet.path("keys/people/admin")).await;
    let large = submit(&mut admin, &"x".repeat(2 << 20), "").await.unwrap_err();
    assert_eq!(large.code(), Code::ResourceExhausted, "{large:?}");
    assert!(large.message().contains("1048576 bytes, the most that SubmitJob takes"), "{large:?}");

    let mut viewer = client(&fleet, fleet.path("keys/people/viewer")).await;
    let mut refused = Vec::new();
    for _ in 0..30 {
        let answer = viewer.list_boards(v1::ListBoardsRequest::default()).await;
        refused.extend(answer.err());
    }
    assert!((15..30).contains(&refused.len()), "{}", refused.len());
    assert_eq!(refused[0].code(), Code::ResourceExhausted);
    assert_eq!(refused[0].message(), "viewer calls more than 2 times a second");
    // One who calls too often keeps nobody else from it.
    admin.list_boards(v1::ListBoardsRequest::default()).await.unwrap();

    let _third = client(&fleet, fleet.path("keys/people/operator")).await;
    let who = Credentials::open(fleet.path("keys/people/operator")).unwrap();
    let fourth = caller(&fleet.scheduler.parse().unwrap(), Some(&who)).await;
    assert!(fourth.is_err(), "it is closed");
    let log = fleet.log("fulcrum-scheduler");
    assert!(log.contains("--connections-each allows no more"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_while_it_cannot_be_written_down() {
    let mut fleet = Secured::prepare();
    fleet.start_scheduler(&[]);
    let mut admin = client(&fleet, fleet.path("keys/people/admin")).await;
    let audit = fleet.path("fulcrum-scheduler.audit");
    register(&mut admin, "a", "oslo").await.unwrap();
    // One that was moved away is begun anew.
    let moved = fleet.path("fulcrum-scheduler.audit.1");
    std::fs::rename(&audit, &moved).unwrap();
    register(&mut admin, "b", "oslo").await.unwrap();
    assert!(std::fs::read_to_string(&moved).unwrap().contains("boards/a"));
    assert!(std::fs::read_to_string(&audit).unwrap().contains("boards/b"));

    // A folder in its place cannot be written to.
    std::fs::remove_file(&audit).unwrap();
    std::fs::create_dir(&audit).unwrap();
    let _ = register(&mut admin, "c", "oslo").await;
    let refused = register(&mut admin, "d", "oslo").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("while the audit cannot be written"), "{refused:?}");
    let boards = admin.list_boards(v1::ListBoardsRequest::default()).await.unwrap().into_inner();
    assert!(boards.boards.iter().all(|b| b.board.as_ref().unwrap().name != "boards/d"));
    let log = fleet.log("fulcrum-scheduler");
    assert!(log.contains("boards/c"), "what was not written down is in the log: {log}");

    std::fs::remove_dir(&audit).unwrap();
    register(&mut admin, "d", "oslo").await.unwrap();
    assert!(std::fs::read_to_string(&audit).unwrap().contains("boards/d"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_for_those_whose_scope_has_its_board() {
    let mut fleet = Secured::prepare();
    fleet.start_agent(&["--label", "site=oslo"]);
    let agent = async |who: &str, site: &str| {
        let scope = format!("site={site}");
        let (keys, folder) = (fleet.text("keys"), fleet.text(who));
        let made = ["access", "certificate", who, "--authority", &keys, "--out", &folder];
        let may = ["--role", "operator", "--scope", &scope];
        fleet.answer("keys/people/admin", &[made.as_slice(), &may].concat());
        let who = Credentials::open(fleet.path(who)).unwrap();
        let caller = caller(&fleet.agent.parse().unwrap(), Some(&who)).await.unwrap();
        v1::agent_service_client::AgentServiceClient::new(caller)
    };
    let take = v1::TakeLeaseRequest { holder: "test".into(), ..Default::default() };

    let mut there = agent("olga", "oslo").await;
    let lease = there.take_lease(take.clone()).await.unwrap().into_inner().lease_token;
    there.release_lease(v1::ReleaseLeaseRequest { lease_token: lease }).await.unwrap();

    let mut elsewhere = agent("bert", "bergen").await;
    let looked = elsewhere.get_board(v1::GetBoardRequest {}).await.unwrap_err();
    let taken = elsewhere.take_lease(take).await.unwrap_err();
    for status in [looked, taken] {
        assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
        assert!(status.message().contains("bergen"), "{status:?}");
    }
    let of = |line: &str, who: &str, code: &str| {
        line.contains(&format!("\"who\":\"{who}\"")) && line.contains(&format!("\"{code}\""))
    };
    let is_taken = |line: &str| line.contains("/TakeLease") && of(line, "bert", "PermissionDenied");
    let audit = fleet.audit_with("fulcrum-agent", is_taken);
    assert!(audit.lines().any(|line| of(line, "olga", "Ok")), "{audit}");
    assert!(!audit.lines().any(|line| of(line, "bert", "Ok")), "{audit}");
}
