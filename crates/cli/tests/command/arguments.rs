//! Bad arguments: one line that names the flag, and exit code 2.

use crate::running::{folder, fulcrum, fulcrum_line};
use crate::small_board::write_tables;

/// The complaint about `plan --board simulated-orin-agx` with more arguments.
fn complaint(arguments: &str) -> String {
    let ran = fulcrum_line(&format!("plan --board simulated-orin-agx {arguments}"));
    ran.complaint().to_owned()
}

#[test]
fn a_budget_without_a_unit_names_its_flag() {
    let said = complaint("--train resnet18 --power 30");
    assert!(said.contains("--power") && said.contains("has no unit"), "{said}");
    let said = complaint("--infer mobilenet_v3 --rate 60 --latency 800 --power 30W");
    assert!(said.contains("--latency") && said.contains("has no unit"), "{said}");
}

#[test]
fn a_budget_that_cannot_be_names_its_flag() {
    for power in ["0W", "-3W", "NaNW", "infW", "30V", "W", "1e999W"] {
        let said = complaint(&format!("--train resnet18 --power {power}"));
        assert!(said.contains("--power") && said.contains("30W"), "{said}");
    }
}

#[test]
fn a_rate_of_zero_names_its_flag() {
    for rate in ["0", "-1", "NaN", "60/min"] {
        let said =
            complaint(&format!("--infer mobilenet_v3 --rate {rate} --latency 80ms --power 30W"));
        assert!(said.contains("--rate") && said.contains("60/s"), "{said}");
    }
}

#[test]
fn an_inference_needs_its_rate_and_latency() {
    let said = complaint("--infer mobilenet_v3 --latency 80ms --power 30W");
    assert_eq!(said, "--infer needs --rate; write it like --rate 60");
    let said = complaint("--infer mobilenet_v3 --rate 60 --power 30W");
    assert_eq!(said, "--infer needs --latency; write it like --latency 800ms");
}

#[test]
fn budgets_of_an_inference_need_one() {
    for (flag, value) in [("--rate", "60"), ("--latency", "80ms"), ("--background-infer", "x")] {
        let said = complaint(&format!("{flag} {value} --power 30W"));
        assert_eq!(said, format!("{flag} needs --infer, the workload whose requests arrive"));
    }
}

#[test]
fn something_has_to_run_somewhere_within_something() {
    let said = complaint("--power 30W");
    assert!(said.contains("--train") && said.contains("--infer"), "{said}");
    let said = complaint("--train resnet18");
    assert!(said.contains("--power"), "{said}");
    let ran = fulcrum_line("plan --train resnet18 --power 30W");
    let said = ran.complaint();
    assert!(said.contains("--profiles") && said.contains("--board"), "{said}");
}

#[test]
fn an_unknown_workload_names_its_flag_and_those_that_are_known() {
    let said = complaint("--train nosuch --power 30W");
    assert!(said.starts_with("--train: unknown workload `nosuch train`"), "{said}");
    assert!(said.contains("resnet18"), "{said}");
    let said = complaint("--infer nosuch --rate 60 --latency 1s --power 30W");
    assert!(said.starts_with("--infer: unknown workload `nosuch infer`"), "{said}");
}

#[test]
fn an_unknown_name_names_its_flag() {
    let said = complaint("--train resnet18 --power 30W --strategy nosuch");
    assert!(said.contains("--strategy") && said.contains("guided"), "{said}");
    let said = complaint("--train resnet18 --power 30W --alternate nosuch");
    assert!(said.contains("--alternate") && said.contains("slack-aware"), "{said}");
    let ran = fulcrum_line("plan --board nosuch --train resnet18 --power 30W");
    let said = ran.complaint();
    assert!(said.contains("--board") && said.contains("simulated-orin-agx"), "{said}");
    for flags in
        ["--modes 0", "--modes x", "--modes -3", "--seed x", "--seed -1", "-o yaml", "--nosuch"]
    {
        let said = complaint(&format!("--train resnet18 --power 30W {flags}"));
        assert!(
            said.contains(flags.split(' ').next().expect("a flag").trim_matches('-')),
            "{said}"
        );
    }
}

#[test]
fn a_strategy_without_a_front_builds_none() {
    let ran =
        fulcrum_line("front build --board simulated-orin-agx --train resnet18 --strategy gmd");
    assert!(ran.complaint().contains("--strategy gmd"), "{ran:?}");
}

#[test]
fn outputs_that_cannot_be_written_name_their_flag() {
    let folder = folder("outputs");
    write_tables(&folder);
    let nowhere = folder.join("no/such/folder/file");
    for flag in ["--results", "--report"] {
        let profiles = folder.to_str().expect("text");
        let ran = fulcrum(&[
            "evaluate",
            "--profiles",
            profiles,
            "--strategy",
            "maxn",
            flag,
            nowhere.to_str().expect("text"),
        ]);
        assert!(ran.complaint().starts_with(flag), "{ran:?}");
    }
}

#[test]
fn help_goes_to_stdout_and_lists_the_exit_codes() {
    for command in ["", "plan", "evaluate", "front"] {
        let ran = fulcrum_line(&format!("{command} --help"));
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("3  infeasible"), "{}", ran.out);
        assert!(ran.err.is_empty(), "{}", ran.err);
    }
    assert_eq!(fulcrum_line("").code, 2);
}
