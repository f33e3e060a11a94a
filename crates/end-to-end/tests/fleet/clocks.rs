//! Clocks that are set, by up to two hours, forward and back.

use fulcrum_api::{connect_turns, v1};
use fulcrum_end_to_end::{Clocks, House};
use fulcrum_throwaway_postgres::{Postgres, Setup};
use rand::RngExt as _;

use crate::rig::{ROUNDS, Rig, seed};

const PROCESSES: [&str; 4] = ["optimizer", "scheduler", "a", "postgres"];
/// By so many seconds at most.
const MOST: i64 = 7200;

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_set_lose_nothing_and_keep_nobody_waiting() {
    let rng = seed("clocks");
    let clocks = Clocks::right();
    let environment = clocks.environment("postgres");
    let postgres = Postgres::start_as(Setup { environment, ..Setup::default() });
    let mut rig = Rig::build_in(House::on(postgres).with_clocks(clocks), rng).await;
    let address = rig.house.address("a").parse().unwrap();
    let mut last = 0;
    for _ in 0..ROUNDS {
        for name in PROCESSES {
            if rig.rng.random() {
                let by = rig.rng.random_range(-MOST..=MOST);
                rig.house.clocks.as_ref().unwrap().set(name, by);
            }
        }
        let watts = rig.change().await;
        rig.moment(1500).await;
        // Another has to take over, by whatever the database's clock says now.
        if rig.rng.random() {
            rig.scheduler.take().unwrap().kill();
            rig.scheduler = Some(rig.house.scheduler("scheduler", "optimizer"));
        }
        rig.converges(watts).await;
        let mut turns = connect_turns(&address).await.unwrap();
        let now = turns.get_turns(v1::GetTurnsRequest {}).await.unwrap().into_inner().generation;
        assert!(now >= last, "a later plan has no earlier generation: {last:x} {now:x}");
        last = now;
    }
}
