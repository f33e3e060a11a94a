//! Random faults, what was served, and controls.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use fulcrum_board::Files as _;
use fulcrum_fake_jetson::{FakeTree, orin_agx_jp6};

const GPU: &str = "/sys/class/devfreq/17000000.gpu/cur_freq";

fn answers(tree: &FakeTree, count: usize) -> Vec<Result<String, i32>> {
    let read = |_| tree.read(Path::new(GPU)).map_err(|error| error.raw_os_error().unwrap());
    (0..count).map(read).collect()
}

#[test]
fn faults_strike_as_often_as_they_are_said_to_and_as_the_seed_draws() {
    let tree = orin_agx_jp6();
    tree.faults(5, 0.25);
    let first = answers(&tree, 4000);
    let right = Ok("306000000\n".to_owned());
    let share = first.iter().filter(|&answer| *answer != right).count() as f64 / 4000.0;
    assert!((0.22..0.28).contains(&share), "{share}");
    let errors: BTreeSet<i32> = first.iter().filter_map(|it| it.as_ref().err().copied()).collect();
    assert_eq!(errors, BTreeSet::from([2, 5, 11, 13, 19]));
    tree.faults(5, 0.25);
    assert_eq!(answers(&tree, 4000), first);
    tree.calm();
    assert!(answers(&tree, 100).iter().all(|answer| *answer == right));
}

#[test]
fn a_tree_knows_what_it_served() {
    let tree = orin_agx_jp6();
    tree.faults(9, 0.5);
    let mut got = answers(&tree, 200);
    got.dedup();
    assert_eq!(tree.served(GPU), got);
    assert_eq!(tree.read_paths(), [GPU]);
    tree.forget();
    assert_eq!(tree.served(GPU), []);
}

#[test]
fn a_write_may_take_effect_and_fail_all_the_same() {
    let path = Path::new("/sys/class/devfreq/17000000.gpu/max_freq");
    let outcomes: BTreeSet<(bool, bool)> = (0..60)
        .map(|seed| {
            let tree = orin_agx_jp6();
            tree.faults(seed, 0.5);
            let accepted = tree.write(path, "408000000").is_ok();
            tree.calm();
            (accepted, tree.read(path).unwrap() == "408000000\n")
        })
        .collect();
    assert_eq!(outcomes, BTreeSet::from([(true, true), (false, false), (false, true)]));
}

#[test]
fn controls_say_where_they_differ() {
    let tree = orin_agx_jp6();
    let before = tree.controls();
    tree.write(Path::new("/sys/class/devfreq/17000000.gpu/max_freq"), "408000000").unwrap();
    let real = "/sys/devices/platform/bus@0/17000000.gpu/devfreq/17000000.gpu/max_freq";
    let differences = tree.controls().differences(&before);
    assert_eq!(differences, [format!("{real}: was 816000000, is 408000000")]);
    assert_eq!(before.get(real), Some("816000000"));
    tree.write(Path::new(real), "816000000").unwrap();
    assert_eq!(tree.controls(), before);
}
