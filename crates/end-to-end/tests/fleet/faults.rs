//! Processes that are killed at random moments, twenty times each, and networks that are cut.
//!
//! After every fault the same has to hold: what was accepted is in force in the end, the board is
//! held by the fleet, and nothing was measured that was known.

use std::time::{Duration, Instant};

use fulcrum_api::{connect, connect_optimizer, connect_turns, v1};
use fulcrum_end_to_end::{Client, House, Process, Wire, job_spec, pair};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const ROUNDS: usize = 20;
const PATIENCE: Duration = Duration::from_mins(1);

/// The seed of a test: of the clock, unless one is asked for to see the same again.
fn seed(test: &str) -> ChaCha8Rng {
    let asked = std::env::var("FULCRUM_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let clock = std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_nanos() as u64);
    let seed = asked.unwrap_or(clock);
    eprintln!("{test}: FULCRUM_TEST_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// A fleet of one board with a job that runs.
struct Rig {
    house: House,
    optimizer: Option<Process>,
    scheduler: Option<Process>,
    agent: Option<Process>,
    client: Client,
    rng: ChaCha8Rng,
    /// How many profiles there were once the job ran.
    profiles: usize,
    /// How many budgets were asked for.
    budgets: u32,
}

impl Rig {
    async fn build(test: &str) -> Self {
        let rng = seed(test);
        let house = House::build();
        let (optimizer, agent) = (house.optimizer("optimizer"), house.agent("a"));
        let scheduler = house.scheduler("scheduler", "optimizer");
        let mut client = Client::of(&house, "scheduler").await;
        client.register(&house, "a", "x").await;
        client.submit("j", job_spec("x", pair(30.0, 60.0))).await.unwrap();
        client.until_runs("j", 1, PATIENCE).await;
        let (optimizer, scheduler, agent) = (Some(optimizer), Some(scheduler), Some(agent));
        let mut rig =
            Self { house, optimizer, scheduler, agent, client, rng, profiles: 0, budgets: 0 };
        rig.profiles = rig.profiles().await;
        rig
    }

    async fn profiles(&self) -> usize {
        let address = self.house.address("optimizer").parse().unwrap();
        let mut optimizer = connect_optimizer(&address).await.unwrap();
        let request = v1::ListProfilesRequest { page_size: 10_000, ..Default::default() };
        optimizer.list_profiles(request).await.unwrap().into_inner().profiles.len()
    }

    /// A moment of up to so many milliseconds.
    async fn moment(&mut self, most_ms: u64) {
        let time = Duration::from_millis(self.rng.random_range(0..=most_ms));
        tokio::time::sleep(time).await;
    }

    /// A budget that was not asked for before.
    fn another_budget(&mut self) -> f64 {
        self.budgets += 1;
        f64::from(self.rng.random_range(240..320) * 100 + self.budgets) / 1000.0
    }

    /// Asks for another budget, until it is accepted.
    async fn change(&mut self) -> f64 {
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
    async fn converges(&mut self, watts: f64) {
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
    async fn has(&self, plan: &v1::Plan) -> bool {
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

#[tokio::test(flavor = "multi_thread")]
async fn schedulers_that_are_killed_lose_nothing() {
    let mut rig = Rig::build("scheduler").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        rig.scheduler.take().unwrap().kill();
        rig.moment(200).await;
        rig.scheduler = Some(rig.house.scheduler("scheduler", "optimizer"));
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn optimizers_that_are_killed_lose_nothing() {
    let mut rig = Rig::build("optimizer").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(20).await;
        rig.optimizer.take().unwrap().kill();
        let watts = if rig.rng.random() { rig.change().await } else { watts };
        rig.moment(200).await;
        rig.optimizer = Some(rig.house.optimizer("optimizer"));
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_are_killed_get_their_plan_again() {
    let mut rig = Rig::build("agent").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        rig.agent.take().unwrap().kill();
        let watts = if rig.rng.random() { rig.change().await } else { watts };
        rig.moment(200).await;
        rig.agent = Some(rig.house.agent("a"));
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_are_killed_lose_nothing() {
    let mut rig = Rig::build("postgres").await;
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        rig.house.postgres.kill();
        rig.moment(500).await;
        rig.house.postgres.restart();
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_cut_and_heals_is_reached_over_again() {
    let mut rig = Rig::build("network").await;
    let wire = Wire::to(rig.house.folder().join("a.sock")).await;
    let board = v1::FleetBoard {
        name: "boards/a".into(),
        address: wire.address().to_owned(),
        labels: [("for".to_owned(), "x".to_owned())].into(),
        stand_in: "simulated-orin-agx".into(),
        simulate: true,
        metrics: String::new(),
    };
    let request = v1::RegisterBoardRequest { board: Some(board), validate_only: false };
    rig.client.scheduler.register_board(request).await.unwrap();
    for _ in 0..ROUNDS {
        let watts = rig.change().await;
        rig.moment(100).await;
        wire.cut();
        let watts = if rig.rng.random() { rig.change().await } else { watts };
        rig.moment(500).await;
        wire.heal();
        rig.converges(watts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_is_replaced_and_does_not_act_when_it_wakes() {
    let mut rig = Rig::build("leader").await;
    let second = rig.house.scheduler("second", "optimizer");
    let first = rig.scheduler.take().unwrap();
    let address = rig.house.address("a").parse().unwrap();
    let generation = async || {
        let mut turns = connect_turns(&address).await.unwrap();
        turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner().generation
    };
    let mut replicas = [("scheduler", first), ("second", second)];
    for _ in 0..ROUNDS {
        let before = generation().await;
        replicas[0].1.hang(true);
        // The other one is told, and takes over.
        let mut client = Client::of(&rig.house, replicas[1].0).await;
        let watts = rig.another_budget();
        client.submit("j", job_spec("x", pair(watts, 60.0))).await.unwrap();
        client
            .until("j", PATIENCE, |answer| {
                answer.boards.first().is_some_and(|board| board.budget_watts == Some(watts))
            })
            .await;
        let after = generation().await;
        assert!(after >> 32 > before >> 32, "another term: {before:x} {after:x}");
        replicas[0].1.hang(false);
        rig.moment(300).await;
        let later = generation().await;
        assert_eq!(later >> 32, after >> 32, "the one that woke does not act");
        replicas.swap(0, 1);
    }
}
