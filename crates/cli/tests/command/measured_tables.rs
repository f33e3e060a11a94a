//! The published tables end to end. They come with no licence and stay outside of the project.

use std::path::PathBuf;

use crate::running::fulcrum;

fn tables() -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/orin-agx");
    if path.is_dir() {
        return Some(path.to_str().expect("text").to_owned());
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "the measured tables are not at {}", path.display());
    let said = format!("left out: the measured tables are not at {}", path.display());
    #[expect(clippy::print_stderr, reason = "a test that is left out has to say so")]
    {
        eprintln!("{said}");
    }
    None
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
