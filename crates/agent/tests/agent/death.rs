//! The agent is killed at random moments while modes change: the next one puts the board back.

use std::time::Duration;

use fulcrum_fake_jetson::orin_agx_jp6;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::process::{Agent, knobs, lease, set};

/// How often it is killed.
const DEATHS: usize = 100;

#[tokio::test]
async fn a_killed_agent_s_board_is_put_back_by_the_next_every_time() {
    let seed = std::env::var("FULCRUM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    #[expect(clippy::print_stdout, reason = "so that a failure can be repeated")]
    {
        println!("FULCRUM_SEED={seed}");
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let tree = orin_agx_jp6();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    tree.write_to(&root).unwrap();
    let found = tree.controls_in(&root);
    let root_argument = root.to_string_lossy().into_owned();
    let arguments = ["--board", "jetson", "--root", &root_argument];
    let mut changed = 0;
    for death in 0..DEATHS {
        let agent = Agent::start(folder.path(), &arguments);
        let mut client = agent.client().await;
        // The agent is up, so what the last one left changed has been put back.
        let differences = tree.controls_in(&root).differences(&found);
        assert!(differences.is_empty(), "after death {death}: {differences:?}");
        let knobs = knobs(&mut client).await;
        let token = lease(&mut client, 60).await;
        let modes: Vec<Vec<f64>> = (0..6)
            .map(|_| {
                knobs.iter().map(|k| k.levels[random.random_range(0..k.levels.len())]).collect()
            })
            .collect();
        let setting = tokio::spawn(async move {
            for mode in modes.iter().cycle() {
                if set(&mut client, &token, mode).await.is_err() {
                    break;
                }
            }
        });
        tokio::time::sleep(Duration::from_micros(random.random_range(0..15_000))).await;
        changed += usize::from(agent.journal());
        agent.kill();
        setting.await.unwrap();
    }
    let _last = Agent::start(folder.path(), &arguments);
    let differences = tree.controls_in(&root).differences(&found);
    assert!(differences.is_empty(), "{differences:?}");
    // Had it always died before the first change, this would show nothing.
    assert!(changed > DEATHS / 3, "only {changed} of {DEATHS} died while the board was changed");
}
