//! What the command prints, and how it ends.

use insta::{assert_snapshot, with_settings};

use crate::running::{Ran, folder, fulcrum, fulcrum_line};
use crate::small_board::write_tables;

/// Runs a command over the small board's tables; `{profiles}` stands for their folder.
fn run(test: &str, line: &str) -> Ran {
    let tables = folder(test);
    write_tables(&tables);
    let tables = tables.to_str().expect("text");
    let arguments: Vec<String> =
        line.split_whitespace().map(|word| word.replace("{profiles}", tables)).collect();
    fulcrum(&arguments)
}

const PAIR: &str = "plan --profiles {profiles} --train net --infer eye --rate 60 --latency 400ms \
                    --strategy optimum --power";

/// Checks a snapshot but for the times of computing, which differ from run to run.
macro_rules! assert_printed {
    ($text:expr) => {
        with_settings!({ filters => vec![
            (r"[0-9.]+(us|ms|s) of computing", "[time] of computing"),
            (r#""solve_us": [0-9.]+"#, r#""solve_us": "[time]""#),
        ] }, { assert_snapshot!($text) });
    };
}

#[test]
fn a_plan_for_people() {
    let ran = run("plan_text", &format!("{PAIR} 25W"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.err, "", "no talk where stderr is no terminal");
    assert_printed!(ran.out);
}

#[test]
fn training_that_gets_no_turn_is_said_with_how_it_would_get_one() {
    let plan = |latency| {
        let budgets = format!("--rate 100 --latency {latency}");
        let line = PAIR.replace("--rate 60 --latency 400ms", &budgets);
        let ran = run(&format!("plan_no_turn_{latency}"), &format!("{line} 25W"));
        assert_eq!(ran.code, 0, "{ran:?}");
        let why = ran.out.split_once("WHY\n").expect("why").1.lines();
        why.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let none = "no turn no training minibatches of 16 fit beside inference in a cycle";
    // Longer than a cycle of four requests, and with slack for the whole of it.
    let why = plan("150ms");
    assert!(why[3] == none && why[4].starts_with("slack-aware "), "{why:?}");
    // With slack for a part of it alone.
    assert_eq!(plan("80ms").last().map(String::as_str), Some(none));
}

#[test]
fn a_plan_for_programs() {
    let ran = run("plan_json", &format!("{PAIR} 25W -o json"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_printed!(ran.out);
}

#[test]
fn an_infeasible_problem_for_people() {
    let ran = run("infeasible_text", &format!("{PAIR} 8W"));
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_printed!(ran.out);
}

#[test]
fn an_infeasible_problem_for_programs() {
    let ran = run("infeasible_json", &format!("{PAIR} 8W -o json"));
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_printed!(ran.out);
}

#[test]
fn the_nearest_budget_that_is_printed_works() {
    let ran = run("remedy", &format!("{PAIR} 8W"));
    let power = ran.out.split("would work").nth(1).expect("a remedy").trim_start();
    let power = power.strip_prefix("power ").expect("a power").split(' ').next().expect("a value");
    let ran = run("remedy", &format!("{PAIR} {power}"));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn one_workload_alone() {
    let ran = run("train", "plan --profiles {profiles} --train net --power 25W --strategy optimum");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_printed!(ran.out);
    let line = "plan --profiles {profiles} --infer eye --rate 60 --latency 100ms --power 25W \
                --strategy optimum";
    let ran = run("infer", line);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_printed!(ran.out);
}

#[test]
fn two_inferences() {
    let line = "plan --profiles {profiles} --infer eye --background-infer eye --rate 60 \
                --latency 400ms --power 25W --strategy optimum --alternate slack-aware";
    let ran = run("two_inferences", line);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_printed!(ran.out);
}

#[test]
fn every_measurement_is_told_when_asked() {
    let ran = run(
        "verbose",
        &format!("{PAIR} 25W --verbose --modes 15 --strategy gmd")
            .replace("--strategy optimum ", ""),
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let first = ran.err.lines().next().expect("a line a measurement");
    assert!(first.trim_start().starts_with("1  "), "{first}");
    assert!(first.contains("ms") && first.contains('W') && first.contains("batch"), "{first}");
    assert!(!ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'), "no colour");
}

#[test]
fn a_front_is_a_table_to_plan_on() {
    let ran = run("front", "front build --profiles {profiles} --train net --infer eye");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.lines().count() > 3, "{ran:?}");

    let out = folder("front_out").join("front.csv");
    let out = out.to_str().expect("text");
    let line = "front build --profiles {profiles} --train net --infer eye --measurements 40 --out";
    let ran = run("front", &format!("{line} {out}"));
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    let ran = run("front", &PAIR.replace("{profiles}", out).replace("--power", "--power 25W"));
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// The cells of a printed table but for one column, whose values differ from run to run.
fn without_column(table: &str, name: &str) -> String {
    let cells = |line: &str| -> Vec<String> {
        line.split("  ").map(|cell| cell.trim().to_owned()).filter(|c| !c.is_empty()).collect()
    };
    let header = cells(table.lines().next().expect("a header"));
    let place = header.iter().position(|cell| cell == name).expect("the column");
    let row = |line: &str| {
        let mut row = cells(line);
        row.remove(place);
        row.join(" | ")
    };
    table.lines().map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_front_for_people() {
    let line = "front build --profiles {profiles} --train net --infer eye --strategy optimum";
    let ran = run("front_text", line);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_printed!(format!("{}{}", ran.out, ran.err));
}

#[test]
fn an_evaluation_prints_its_table_and_writes_its_files() {
    let out = folder("evaluation");
    let problems = out.join("problems.csv");
    std::fs::write(
        &problems,
        "train,infer,rate_hz,latency_ms,power_w\nnet,eye,60,400,25\nnet,,,,20\nnet,eye,60,400,8\n",
    )
    .expect("written");
    let (results, report) = (out.join("results.csv"), out.join("report.html"));
    let line = format!(
        "evaluate --profiles {{profiles}} --problems {} --strategy optimum,maxn --results {} \
         --report {}",
        problems.display(),
        results.display(),
        report.display()
    );
    let ran = run("evaluation_tables", &line);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_snapshot!(without_column(&ran.out, "solve us"));

    let results = std::fs::read_to_string(results).expect("written");
    let header = results.lines().next().expect("a header");
    assert_eq!(
        header,
        "strategy,seed,alternate,train,infer,rate_hz,latency_ms,power_w,status,cpu_cores,gpu_khz,\
         mem_khz,batch_size,minibatches_per_cycle,throughput_hz,peak_latency_ms,peak_power_w,\
         modes_profiled,measurements,solve_us"
    );
    assert_eq!(results.lines().count(), 1 + 3 * 2);
    assert!(std::fs::read_to_string(report).expect("written").contains("<svg"));
}

#[test]
fn a_plan_is_held_against_the_arrivals_that_were_named() {
    let line = "plan --board simulated-orin-agx --train resnet18 --infer mobilenet_v3 --rate 60 \
                --latency 800ms --power 30W --alternate slack-aware -o json";
    let verified = |more: &str| -> serde_json::Value {
        let ran = fulcrum_line(&format!("{line} {more}"));
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str::<serde_json::Value>(&ran.out).expect("json")["verified"].clone()
    };
    assert_eq!(verified(""), serde_json::Value::Null);
    for arrivals in ["constant", "poisson", "bursty"] {
        let found = verified(&format!("--arrivals {arrivals} --percentile 99.9"));
        assert_eq!(found["arrivals"], arrivals);
        assert_eq!(found["holds"], true, "{found}");
        let latency = found["latency_ms"].as_f64().expect("a latency");
        assert!(latency > 100.0 && latency <= 800.0, "{found}");
        assert!(found["throughput_hz"].as_f64().expect("a rate") > 1.0, "{found}");
    }
    let wrong = fulcrum_line(&format!("{line} --arrivals poisson --percentile 100"));
    assert!(wrong.complaint().contains("--percentile"), "{wrong:?}");
}
