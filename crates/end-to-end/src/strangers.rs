//! Clients that must not be served: with wrong, expired, foreign and no certificates and tokens.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fulcrum_api::v1::scheduler_service_client::SchedulerServiceClient;
use fulcrum_api::{Address, Caller, caller, v1};
use fulcrum_credentials::Credentials;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use time::{Duration, OffsetDateTime};

use crate::Secured;

/// So many call at a time.
const AT_A_TIME: usize = 32;
/// So many calls go over one connection, where there is one.
const EACH: usize = 10;

/// The list of a scheduler that lets in one token, and none that strangers have.
pub const ACCESS: &str = "access.toml";

/// A kind of client that must not be served.
#[derive(Debug, Clone)]
struct Stranger {
    what: &'static str,
    /// Without TLS at all where there is none.
    shows: Option<Credentials>,
}

/// What became of the calls of strangers.
#[derive(Debug, Default)]
pub struct Answers {
    /// How many were served.
    pub served: usize,
    /// How each kind was refused, by the code of the answer, with how often.
    pub refused: BTreeMap<(&'static str, String), usize>,
}

/// The kinds of clients that must not be served by a fleet's scheduler.
#[expect(clippy::expect_used, reason = "for tests alone")]
fn strangers(fleet: &Secured) -> Vec<Stranger> {
    let ours = std::fs::read_to_string(fleet.path("keys/ca.pem")).expect("an authority");
    let key = std::fs::read_to_string(fleet.path("keys/ca-key.pem")).expect("its key");
    let key = KeyPair::from_pem(&key).expect("a key");
    let ours_signs = Issuer::from_ca_cert_pem(&ours, key).expect("an authority");
    let foreign = CertificateParams::default();
    let foreign_signs = Issuer::new(foreign, KeyPair::generate().expect("a key"));
    let admin = "fulcrum://admin/mallory";
    let shows = |what: &'static str, write: &dyn Fn(&Path)| {
        let folder = fleet.path(&format!("strangers/{}", what.replace(' ', "-")));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("ca.pem"), &ours).expect("it is written");
        write(&folder);
        Stranger { what, shows: Some(Credentials::open(folder).expect("credentials")) }
    };
    let token = |token: String| {
        move |folder: &Path| std::fs::write(folder.join("token"), &token).expect("it is written")
    };
    let bare = |_: &Path| {};
    vec![
        shows("no certificate and no token", &bare),
        shows("a wrong token", &token("fulcrum-wrong".into())),
        shows("a token that has expired", &token(secret("late"))),
        shows("a token that was revoked", &token(secret("eve"))),
        shows("a certificate of another authority", &signed(&foreign_signs, admin, 1)),
        shows("a certificate that has expired", &signed(&ours_signs, admin, -1)),
        shows("a certificate that was revoked", &signed(&ours_signs, "fulcrum://admin/eve", 1)),
        shows("a certificate without a role", &signed(&ours_signs, "https://mallory.example", 1)),
        shows("a workload's certificate", &signed(&ours_signs, "fulcrum://workload/w", 1)),
        Stranger { what: "no TLS", shows: None },
    ]
}

/// A certificate by an authority, with a URI, from long ago until so many hours from now.
#[expect(clippy::expect_used, reason = "for tests alone")]
fn signed<'a>(
    issuer: &'a Issuer<'static, KeyPair>,
    uri: &'a str,
    hours: i64,
) -> impl Fn(&Path) + 'a {
    move |folder| {
        let mut params = CertificateParams::default();
        params.subject_alt_names.push(SanType::URI(uri.try_into().expect("ASCII")));
        params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ClientAuth);
        params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
        params.not_after = OffsetDateTime::now_utc() + Duration::hours(hours);
        let key = KeyPair::generate().expect("a key");
        let pem = params.signed_by(&key, issuer).expect("it is signed").pem();
        std::fs::write(folder.join("cert.pem"), pem).expect("it is written");
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("it is written");
    }
}

fn secret(who: &str) -> String {
    format!("fulcrum-secret-of-{who}")
}

/// Writes the list of tokens that strangers try.
///
/// # Panics
/// When it cannot be written.
#[expect(clippy::expect_used, reason = "for tests alone")]
pub fn write_access(fleet: &Secured) {
    let entry = |name: &str, expires: &str| {
        let sha256 = fulcrum_access::fingerprint(&secret(name));
        format!(
            "[[token]]\nname = \"{name}\"\nrole = \"admin\"\nsha256 = \"{sha256}\"\n\
             expires = \"{expires}\"\n"
        )
    };
    let (late, eve) = (entry("late", "2020-01-01T00:00:00Z"), entry("eve", "2100-01-01T00:00:00Z"));
    let text = format!("revoked = [\"eve\"]\n{late}{eve}");
    std::fs::write(fleet.path(ACCESS), text).expect("it is written");
}

/// Lets strangers of every kind call a scheduler, so often in all.
///
/// # Panics
/// When they cannot call.
#[expect(clippy::expect_used, reason = "for tests alone")]
pub async fn call_as_strangers(fleet: &Secured, calls: usize) -> Answers {
    let strangers = Arc::new(strangers(fleet));
    let secure: Address = fleet.scheduler.parse().expect("an address");
    let plain: Address =
        fleet.scheduler.replace("https://", "http://").parse().expect("an address");
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..AT_A_TIME {
        let (strangers, next) = (strangers.clone(), next.clone());
        let (secure, plain) = (secure.clone(), plain.clone());
        callers.spawn(async move {
            let mut answers = Answers::default();
            loop {
                let from = next.fetch_add(EACH, Ordering::Relaxed);
                if from >= calls {
                    return answers;
                }
                let stranger = &strangers[from / EACH % strangers.len()];
                let to = if stranger.shows.is_some() { &secure } else { &plain };
                let connected = caller(to, stranger.shows.as_ref()).await;
                for _ in from..calls.min(from + EACH) {
                    match try_to_list(connected.as_ref().ok()).await {
                        None => answers.served += 1,
                        Some(code) => {
                            *answers.refused.entry((stranger.what, code)).or_default() += 1;
                        }
                    }
                }
            }
        });
    }
    let mut all = Answers::default();
    while let Some(answers) = callers.join_next().await {
        let answers = answers.expect("it calls");
        all.served += answers.served;
        for (how, times) in answers.refused {
            *all.refused.entry(how).or_default() += times;
        }
    }
    all
}

/// How a call was refused; none where it was served.
async fn try_to_list(connected: Option<&Caller>) -> Option<String> {
    let Some(caller) = connected else { return Some("no connection".into()) };
    let mut client = SchedulerServiceClient::new(caller.clone());
    match client.list_boards(v1::ListBoardsRequest::default()).await {
        Ok(_) => None,
        Err(status) => Some(format!("{:?}", status.code())),
    }
}
