//! Disks that are full.

use std::time::Duration;

use fulcrum_api::{connect, duration_to_wire, v1};
use fulcrum_end_to_end::{House, SmallDisk, job_spec, pair};
use fulcrum_throwaway_postgres::{Postgres, Setup};
use tonic::Code;

use crate::rig::{ROUNDS, Rig, seed};

/// So many jobs are submitted while there is no room.
const JOBS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room_refuses_and_loses_nothing_it_accepted() {
    let Some(disk) = SmallDisk::mount(192) else { return };
    let setup = Setup { within: disk.path().to_owned(), ..Setup::default() };
    let mut rig = Rig::build_in(House::on(Postgres::start_as(setup)), seed("disk")).await;
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        disk.fill();
        for number in 0..JOBS {
            let name = format!("round-{round}-{number}");
            // A spec as long as they get, so that there are soon no pages left for it.
            let mut spec = job_spec("nobody", pair(30.0, 60.0));
            spec.boards.extend((0..20).map(|n| (format!("label-{n}"), "x".repeat(60))));
            match rig.client.submit(&name, spec).await {
                Ok(_) => accepted.push(name),
                Err(status) => {
                    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                    refused += 1;
                }
            }
        }
        rig.moment(300).await;
        disk.free();
        let watts = rig.change().await;
        rig.converges(watts).await;
    }
    assert!(refused > 0, "there was no room");
    for name in accepted {
        assert_eq!(rig.client.job(&name).await.job.unwrap().generation, 1);
    }
}

/// Without a journal nothing could be put back after a crash, so nothing is changed.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_room_for_its_journal_changes_nothing() {
    let Some(disk) = SmallDisk::mount(1) else { return };
    let house = House::build();
    // Where the agent keeps its state.
    std::os::unix::fs::symlink(disk.path(), house.folder().join("a-state")).unwrap();
    let _agent = house.agent("a");
    let mut client = connect(&house.address("a").parse().unwrap()).await.unwrap();
    let board = client.get_board(v1::GetBoardRequest {}).await.unwrap().into_inner().board.unwrap();
    let knobs = board.mode_space.unwrap().knobs;
    let highest: Vec<f64> = knobs.iter().map(|knob| *knob.levels.last().unwrap()).collect();
    let lowest: Vec<f64> = knobs.iter().map(|knob| knob.levels[0]).collect();
    let shown = async || {
        let mut client = client.clone();
        client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner().shown
    };
    let found = shown().await;
    for round in 0..ROUNDS {
        let request = v1::TakeLeaseRequest {
            holder: "a test".into(),
            duration: Some(duration_to_wire(Duration::from_mins(1))),
            request_id: format!("round {round}"),
        };
        let mut caller = client.clone();
        let lease_token = caller.take_lease(request).await.unwrap().into_inner().lease_token;
        let mode = if round % 2 == 0 { &highest } else { &lowest };
        let set = || v1::SetPowerModeRequest {
            lease_token: lease_token.clone(),
            mode: Some(v1::PowerMode { levels: mode.clone() }),
            ..Default::default()
        };
        disk.fill();
        let refused = caller.set_power_mode(set()).await.unwrap_err();
        assert!(refused.message().contains("No space left"), "{refused:?}");
        assert_eq!(shown().await, found, "nothing was changed");
        disk.free();
        caller.set_power_mode(set()).await.unwrap();
        let release = v1::ReleaseLeaseRequest { lease_token: lease_token.clone() };
        caller.release_lease(release).await.unwrap();
        assert_eq!(shown().await, found, "it is as it was found");
    }
}
