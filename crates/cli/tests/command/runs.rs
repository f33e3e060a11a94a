//! `fulcrum run`, on a simulated board and with real programs.

use std::path::{Path, PathBuf};

use crate::live_agent::built_beside;
use crate::running::{folder, fulcrum_line};

fn report(line: &str) -> serde_json::Value {
    built_beside("fulcrum-agent");
    let ran = fulcrum_line(&format!("{line} -o json"));
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).expect(&ran.out)
}

fn workload<'a>(report: &'a serde_json::Value, kind: &str) -> &'a serde_json::Value {
    let all = report["workloads"].as_array().expect("workloads");
    all.iter().find(|workload| workload["kind"] == kind).expect(kind)
}

#[test]
fn a_plan_is_found_and_run_on_a_simulated_board() {
    let page = folder("run_simulated").join("run.html");
    let report = report(&format!(
        "run --train resnet18 --infer mobilenet_v3 --rate 60 --latency 800ms --power 30W --for 4s \
         --report {}",
        page.display()
    ));
    let (train, infer) = (workload(&report, "train"), workload(&report, "infer"));
    assert!(train["minibatches"].as_u64().expect("a count") > 10, "{report}");
    assert!(infer["requests"].as_u64().expect("a count") > 50, "{report}");
    assert!(train["energy_joules"].as_f64().expect("joules") > 0.0, "{report}");
    assert!(report["mean_power_w"].as_f64().expect("watts") < 33.0, "{report}");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("<svg") && page.contains("<rect"), "a picture of the turns");
}

#[test]
fn a_printed_plan_is_run() {
    let path = folder("run_printed").join("plan.json");
    let planned = fulcrum_line(
        "plan --board simulated-orin-agx --train resnet18 --infer mobilenet_v3 --rate 60 \
         --latency 800ms --power 30W --alternate slack-aware -o json",
    );
    std::fs::write(&path, planned.out).expect("written");
    let report = report(&format!("run --plan {} --for 2s", path.display()));
    assert_eq!(report["alternate"], "slack-aware");
    assert!(workload(&report, "train")["minibatches"].as_u64().expect("a count") > 3, "{report}");

    let other = Path::new(&path).with_file_name("other.json");
    std::fs::write(&other, "{\"alternate\": \"strict\"}").expect("written");
    let ran = fulcrum_line(&format!("run --plan {} --for 1s", other.display()));
    assert!(ran.complaint().contains("missing field `problem`"), "{ran:?}");
}

#[test]
fn real_programs_train_and_answer_in_turns() {
    let beside: PathBuf = built_beside("fulcrum-workload");
    assert!(beside.exists());
    let report = report(
        "run --real --train resnet --train-batch 4 --infer lstm --rate 50 --latency 500ms \
         --batch 8 --for 3s",
    );
    let (train, infer) = (workload(&report, "train"), workload(&report, "infer"));
    assert!(train["minibatches"].as_u64().expect("a count") > 5, "{report}");
    assert!(infer["requests"].as_u64().expect("a count") > 50, "{report}");
}

#[test]
fn what_is_missing_is_said() {
    built_beside("fulcrum-agent");
    let ran = fulcrum_line("run --train resnet18");
    assert!(ran.complaint().contains("--plan FILE.json"), "{ran:?}");
    let ran = fulcrum_line("run --train nobody --power 30W");
    assert!(ran.complaint().contains("--train"), "{ran:?}");
}
