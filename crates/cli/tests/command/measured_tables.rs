//! The published tables end to end.

use crate::measured::measured;
use crate::running::fulcrum;

fn tables() -> Option<String> {
    measured("orin-agx").map(|path| path.to_str().expect("text").to_owned())
}

#[test]
fn every_strategy_of_ours_plans_on_the_measured_tables() {
    let Some(tables) = tables() else { return };
    for strategy in ["gmd", "als", "guided"] {
        for alternate in ["strict", "slack-aware"] {
            let ran = fulcrum(&[
                "plan",
                "--profiles",
                &tables,
                "--train",
                "resnet18",
                "--infer",
                "mobilenet_v3",
                "--rate",
                "60",
                "--latency",
                "800ms",
                "--power",
                "30W",
                "--strategy",
                strategy,
                "--alternate",
                alternate,
                "--seed",
                "1",
                "-o",
                "json",
            ]);
            assert_eq!(ran.code, 0, "{ran:?}");
            assert!(ran.out.contains(r#""evidence": "measured""#), "{}", ran.out);
        }
    }
}

#[test]
fn a_problem_that_no_mode_can_meet_ends_so() {
    let Some(tables) = tables() else { return };
    let ran = fulcrum(&["plan", "--profiles", &tables, "--train", "resnet18", "--power", "2W"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.out.contains("power budget") && ran.out.contains("would work"), "{}", ran.out);
}

#[test]
fn an_evaluation_on_the_measured_tables() {
    let Some(tables) = tables() else { return };
    let ran = fulcrum(&[
        "evaluate",
        "--profiles",
        &tables,
        "--strategy",
        "gmd,guided",
        "--modes",
        "15",
        "--noise",
        "0.02",
        "--sample",
        "20",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for strategy in ["gmd", "guided"] {
        assert!(ran.out.lines().any(|line| line.starts_with(strategy)), "{}", ran.out);
    }
}
