//! What an edge tells of itself, read over TLS as Prometheus reads it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fulcrum_api::v1::scheduler_service_client::SchedulerServiceClient;
use fulcrum_api::{caller, v1};
use fulcrum_credentials::Credentials;
use fulcrum_end_to_end::{Secured, binary};
use tonic::Code;

/// All that is answered at an address, to a viewer, until it ends.
fn read(fleet: &Secured, address: &str, path: &str) -> String {
    let own = Credentials::open(fleet.path("keys/people/viewer")).unwrap();
    let mut client = (*own.now().client).clone();
    client.alpn_protocols.clear();
    let name = "localhost".try_into().unwrap();
    let mut tls = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut stream = rustls::Stream::new(&mut tls, &mut stream);
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // Whoever serves may close without saying so first.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// The metrics at an address, for a viewer.
struct Metrics {
    text: String,
}

impl Metrics {
    fn at(fleet: &Secured, address: &str) -> Self {
        let text = read(fleet, address, "/metrics");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        Self { text }
    }

    /// The value of a series, by its name and labels as they stand there; none where it is absent.
    fn value(&self, series: &str) -> Option<f64> {
        let line = self.text.lines().find_map(|line| line.strip_prefix(series))?;
        Some(line.trim().parse().unwrap())
    }
}

/// Credentials that a command makes for somebody who is not of this fleet, and who believes in it.
fn foreigner(fleet: &Secured) -> PathBuf {
    let folder = fleet.text("foreign");
    let mut command = std::process::Command::new(binary("fulcrum"));
    let made = command.args(["access", "fleet", &folder]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let foreign = fleet.path("foreign/people/admin");
    std::fs::copy(fleet.path("keys/ca.pem"), foreign.join("ca.pem")).unwrap();
    foreign
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_tells_of_its_connections_refusals_certificate_and_audit() {
    let mut fleet = Secured::prepare();
    let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    fleet.start_scheduler(&["--http", &http]);
    let metrics = || Metrics::at(&fleet, &http);
    let refused = |code: &str| {
        metrics().value(&format!("fulcrum_edge_refused_calls_total{{code=\"{code}\"}}"))
    };
    let closed =
        || metrics().value("fulcrum_edge_closed_connections_total{reason=\"tls\"}").unwrap();
    assert_eq!(refused("PERMISSION_DENIED"), Some(0.0));
    // Whoever waited for it to listen did not shake hands.
    let not_shaken = closed();
    assert_eq!(metrics().value("fulcrum_edge_audit_writable"), Some(1.0));
    let connections = metrics().value("fulcrum_edge_connections").unwrap();
    assert!(connections >= 1.0, "the one that asks is open: {connections}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let left = metrics().value("fulcrum_edge_certificate_expire_time_seconds").unwrap() - now;
    assert!((89.0..90.1).contains(&(left / 86_400.0)), "{left} s are left of 90 days");

    // Who may not, who shows nothing, and who shows what TLS does not believe.
    let told = fleet.command("keys/people/viewer", &["job", "cancel", "gate"]);
    assert_eq!(told.status.code(), Some(8), "{told:?}");
    assert_eq!(refused("PERMISSION_DENIED"), Some(1.0));
    let nobody = fleet.path("nobody");
    std::fs::create_dir(&nobody).unwrap();
    std::fs::copy(fleet.path("keys/ca.pem"), nobody.join("ca.pem")).unwrap();
    for (who, code) in [(nobody, Some(Code::Unauthenticated)), (foreigner(&fleet), None)] {
        let who = Credentials::open(who).unwrap();
        let address = fleet.scheduler.parse().unwrap();
        let Ok(caller) = caller(&address, Some(&who)).await else { continue };
        let mut client = SchedulerServiceClient::new(caller);
        let status = client.list_jobs(v1::ListJobsRequest::default()).await.unwrap_err();
        assert!(code.is_none_or(|code| status.code() == code), "{status:?}");
    }
    assert!(refused("UNAUTHENTICATED").unwrap() >= 1.0);
    assert!(closed() > not_shaken);

    // A folder where the audit was: nothing can be written there, and nothing is changed.
    let audit = fleet.path("fulcrum-scheduler.audit");
    std::fs::rename(&audit, fleet.path("before.audit")).unwrap();
    std::fs::create_dir(&audit).unwrap();
    let limit = |watts: &str| fleet.command("keys/people/admin", &["fleet", "power", watts]);
    // The first finds out when it is written down, after it was done.
    limit("100W");
    let status = limit("90W").status;
    assert!(!status.success(), "nothing is changed that cannot be written down");
    assert_eq!(metrics().value("fulcrum_edge_audit_writable"), Some(0.0));
    std::fs::remove_dir(&audit).unwrap();
    let done = limit("80W");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(metrics().value("fulcrum_edge_audit_writable"), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_watched_ends_when_its_reader_is_revoked() {
    let mut fleet = Secured::prepare();
    let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let access = fleet.text("access.toml");
    std::fs::write(&access, "").unwrap();
    fleet.start_scheduler(&["--http", &http, "--access", &access]);
    let fleet = Arc::new(fleet);
    let reads = {
        let (fleet, http) = (fleet.clone(), http.clone());
        tokio::task::spawn_blocking(move || read(&fleet, &http, "/fleet"))
    };
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!reads.is_finished(), "it goes on");
    std::fs::write(access, "revoked = [\"viewer\"]\n").unwrap();
    let page = tokio::time::timeout(Duration::from_secs(8), reads).await.expect("it ends").unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("data:"), "{page}");
    assert!(read(&fleet, &http, "/fleet").starts_with("HTTP/1.1 401"), "and is not begun anew");
}
