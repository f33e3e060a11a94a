//! A fleet of one board that is broken on purpose, and what has to hold after every fault: what was
//! accepted is in force in the end, the board is held by the fleet, and nothing was measured that was
//! known.

use std::time::{Duration, Instant};

use fulcrum_api::{connect, connect_optimizer, v1};
use fulcrum_end_to_end::{Client, House, Process, job_spec, pair};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub(crate) const ROUNDS: usize = 20;
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The seed of a test: of the clock, unless one is asked for to see the same again.
pub(crate) fn seed(test: &str) -> ChaCha8Rng {
    let asked = std::env::var("FULCRUM_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let clock = std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_nanos() as u64);
    let seed = asked.unwrap_or(clock);
    eprintln!("{test}: FULCRUM_TEST_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// A fleet of one board with a job that runs.
pub(crate) struct Rig {
    pub(crate) house: House,
    pub(crate) optimizer: Option<Process>,
    pub(crate) scheduler: Option<Process>,
    pub(crate) agent: Option<Process>,
    pub(crate) client: Client,
    pub(crate) rng: ChaCha8Rng,
    /// How many profiles there were once the job ran.
    pub(crate) profiles: usize,
    /// How many budgets were asked for.
    pub(crate) budgets: u32,
}

impl Rig {
    pub(crate) async fn build(test: &str) -> Self {
        Self::build_in(House::build(), seed(test)).await
    }

    pub(crate) async fn build_in(house: House, rng: ChaCha8Rng) -> Self {
        let (optimizer, agent) = (house.optimizer("optimizer"), house.agent("a"));
        let scheduler = house.scheduler("scheduler", "optimizer");
        let mut client = Client::of(&house, "scheduler").await;
        client.register(&house, "a", "x").await;
        client.submit("j", job_spec("x", pair(30.0, 60.0))).await.unwrap();
        client.until_runs("j", 1, PATIENCE).await;
        Self::of(house, rng, client, [optimizer, scheduler, agent]).await
    }

    /// A fleet that runs already: its optimizer, its scheduler, its agent.
    pub(crate) async fn of(
        house: House,
        rng: ChaCha8Rng,
        client: Client,
        processes: [Process; 3],
    ) -> Self {
        let [optimizer, scheduler, agent] = processes.map(Some);
        let mut rig =
            Self { house, optimizer, scheduler, agent, client, rng, profiles: 0, budgets: 0 };
        rig.profiles = rig.profiles().await;
        rig
    }

    pub(crate) async fn profiles(&self) -> usize {
        let address = self.house.address("optimizer").parse().unwrap();
        let mut optimizer = connect_optimizer(&address).await.unwrap();
        let request = v1::ListProfilesRequest { page_size: 10_000, ..Default::default() };
        optimizer.list_profiles(request).await.unwrap().into_inner().profiles.len()
    }

    /// A moment of up to so many milliseconds.
    pub(crate) async fn moment(&mut self, most_ms: u64) {
        let time = Duration::from_millis(self.rng.random_range(0..=most_ms));
        tokio::time::sleep(time).await;
    }

    /// A budget that was not asked for before.
    pub(crate) fn another_budget(&mut self) -> f64 {
        self.budgets += 1;
        f64::from(self.rng.random_range(240..320) * 100 + self.budgets) / 1000.0
    }

    /// Asks for another budget, until it is accepted.
    pub(crate) async fn change(&mut self) -> f64 {
        let watts = self.another_budget();
        let began = Instant::now();
        loop {
            match self.client.submit("j", job_spec("x", pair(watts, 60.0))).await {
                Ok(_) => return watts,
                Err(status) => {
                    assert!(began.elapsed() < PATIENCE, "it is never accepted: {status:?}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Waits until what was accepted last is in force, and checks what always holds.
    pub(crate) async fn converges(&mut self, watts: f64) {
        let began = Instant::now();
        loop {
            let answer = self
                .client
                .until("j", PATIENCE, |answer| {
                    let job = answer.job.clone().unwrap_or_default();
                    let board = answer.boards.first().cloned().unwrap_or_default();
                    let is_latest = |plan: &v1::JobPlan| plan.generation == job.generation;
                    job.state == "running"
                        && board.state == "running"
                        && board.budget_watts == Some(watts)
                        && answer.plans.first().is_some_and(is_latest)
                })
                .await;
            let plan = answer.plans[0].plan.clone().unwrap();
            assert!(plan.peak_power_watts <= watts, "{plan:?}");
            // That may have been said before the fault; what the agent says of itself may not.
            if self.has(&plan).await {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "the agent never has it: {plan:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.profiles().await, self.profiles, "nothing was measured again");
    }

    /// Whether the agent has a plan's mode, for the fleet.
    pub(crate) async fn has(&self, plan: &v1::Plan) -> bool {
        let address = self.house.address("a").parse().unwrap();
        let Ok(mut agent) = connect(&address).await else { return false };
        let Ok(status) = agent.get_status(v1::GetStatusRequest {}).await else { return false };
        let status = status.into_inner();
        let levels: Vec<f64> = plan.mode.values().copied().collect();
        let wanted = status.wanted.unwrap_or_default().levels;
        let is_held = status.lease.is_some_and(|lease| lease.holder == "fulcrum scheduler");
        is_held && !wanted.is_empty() && wanted.iter().all(|level| levels.contains(level))
    }
}
