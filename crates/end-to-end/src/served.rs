//! How long those wait who are served.

use std::time::{Duration, Instant};

use fulcrum_api::v1::scheduler_service_client::SchedulerServiceClient;
use fulcrum_api::{Address, caller, v1};
use fulcrum_credentials::Credentials;

use crate::Secured;

/// A client calls once in this time at most: eight of them stay below the 2,000 calls a second that one
/// name may make, however fast the machine is.
const PACE: Duration = Duration::from_millis(6);

/// Lets so many clients call a fleet's scheduler so often each, one call after the other, and says
/// how long each call took, the shortest first.
///
/// # Panics
/// When one is not served.
#[expect(clippy::expect_used, reason = "for tests alone")]
pub async fn waits(fleet: &Secured, clients: usize, calls: usize) -> Vec<Duration> {
    let address: Address = fleet.scheduler.parse().expect("an address");
    let who = Credentials::open(fleet.path("keys/people/viewer")).expect("credentials");
    let mut calling = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (address, who) = (address.clone(), who.clone());
        calling.spawn(async move {
            let caller = caller(&address, Some(&who)).await.expect("a connection");
            let mut client = SchedulerServiceClient::new(caller);
            let mut waits = Vec::with_capacity(calls);
            let mut pace = tokio::time::interval(PACE);
            pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            for _ in 0..calls {
                pace.tick().await;
                let began = Instant::now();
                client.list_jobs(v1::ListJobsRequest::default()).await.expect("it is served");
                waits.push(began.elapsed());
            }
            waits
        });
    }
    let mut all = calling.join_all().await.concat();
    all.sort_unstable();
    all
}

/// The wait that so large a share of calls does not exceed: 0.99.
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}
