//! Problems files and results files.

#[allow(dead_code)]
mod toy;

use std::path::PathBuf;

use fulcrum_domain::{Alternate, Hertz};
use fulcrum_evaluate::{Settings, evaluate, protocol, read_problems, sample, write_problems};

/// A file that is gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Self {
        let name = format!("fulcrum-evaluate-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).expect("a folder for temporary files");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn problems_come_back_as_they_were_written() {
    let mut problems = protocol(&toy::table(4));
    problems.push(toy::infer(1.0 / 3.0, 1100.0, 12.3));
    problems.push(toy::concurrent(59.94, 100.0 / 7.0, 1e-3));
    let mut file = Vec::new();
    write_problems(&problems, &mut file).expect("memory");
    let scratch = Scratch::new("round-trip.csv", &file);
    let again = read_problems(&scratch.0).expect("a good file");
    assert_eq!(again, problems);
    assert!(String::from_utf8_lossy(&file).contains(",eye,0.3333333333333333,1100,12.3\n"));
}

#[test]
fn a_problems_file_needs_its_columns_in_any_order_alone() {
    let text = "note,power_w,train,infer,latency_ms,rate_hz\nx,30,net,eye,800,60\n,30,net,,,\n";
    let scratch = Scratch::new("order.csv", text.as_bytes());
    let problems = read_problems(&scratch.0).expect("a good file");
    assert_eq!(problems, [toy::concurrent(60.0, 800.0, 30.0), toy::train(30.0)]);
}

#[test]
fn a_bad_problems_file_is_refused_with_file_line_and_column() {
    let header = "train,infer,rate_hz,latency_ms,power_w\n";
    let good = "net,eye,60,800,30\n";
    let cases = [
        ("", "1: column `train` is missing"),
        ("train,infer,rate_hz,power_w\n", "1: column `latency_ms` is missing"),
        ("train,infer,rate_hz,latency_ms,power_w,train\n", "1: column `train` is there twice"),
        (header, "2: column `train` has no value"),
        ("net,eye,0,800,30\n", "3: column `rate_hz` is `0`"),
        ("net,eye,-1,800,30\n", "3: column `rate_hz` is `-1`"),
        ("net,eye,60,soon,30\n", "3: column `latency_ms` is `soon`"),
        ("net,eye,60,NaN,30\n", "3: column `latency_ms` is `NaN`"),
        ("net,eye,60,800,inf\n", "3: column `power_w` is `inf`"),
        ("net,eye,60,800,30W\n", "3: column `power_w` is `30W`"),
        ("net,eye,60,800,\n", "3: column `power_w` is empty"),
        (",,60,800,30\n", "3: column `train` is empty"),
        ("net,,60,,30\n", "3: column `rate_hz` is `60` without infer"),
        ("net,eye,60,800\n", "3: column `power_w` does not fit"),
    ];
    for (text, expected) in cases {
        let text = if expected.starts_with('3') {
            format!("{header}{good}{text}")
        } else {
            text.to_owned()
        };
        let scratch = Scratch::new("bad.csv", text.as_bytes());
        let message = read_problems(&scratch.0).expect_err(&text).to_string();
        let expected = format!("{}:{expected}", scratch.0.display());
        assert!(message.starts_with(&expected), "{message}\ninstead of {expected}");
        assert!(!message.contains('\n'));
    }
    let message = read_problems(&PathBuf::from("no/such.csv")).expect_err("missing").to_string();
    assert!(message.starts_with("no/such.csv: "), "{message}");
    let scratch =
        Scratch::new("binary.csv", b"train,infer,rate_hz,latency_ms,power_w\n\xff,,,,3\n");
    assert!(read_problems(&scratch.0).expect_err("no text").to_string().contains(":2: column"));
}

#[test]
fn a_sample_is_a_part_of_every_group() {
    let problems = protocol(&toy::table(4));
    let drawn = sample(&problems, 7, 3);
    assert_eq!(drawn.len(), 3 * 7);
    assert!(drawn.iter().all(|problem| problems.contains(problem)));
    assert_eq!(drawn, sample(&problems, 7, 3));
    assert_ne!(drawn, sample(&problems, 7, 4));
    assert_eq!(sample(&problems, usize::MAX, 3), problems);
}

#[test]
fn the_results_file_has_exactly_these_columns() {
    let problems = [toy::train(30.0), toy::train(1.0), toy::concurrent(30.0, 700.0, 25.0)];
    let settings = Settings {
        strategies: vec![toy::everything(), toy::every_third()],
        seed: 4,
        modes: None,
        noise: 0.0,
        alternate: Alternate::SlackAware,
        known: 0,
        random_seeds: 2,
    };
    let evaluation =
        evaluate(&toy::table(3), &problems, &settings, &|_, _| {}).expect("known workloads");
    let mut file = Vec::new();
    evaluation.write_results(&mut file).expect("memory");
    let text = String::from_utf8(file).expect("text");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(
        lines[0].join(","),
        "strategy,seed,alternate,train,infer,rate_hz,latency_ms,power_w,status,cores,clock_khz,\
         batch_size,minibatches_per_cycle,throughput_hz,peak_latency_ms,peak_power_w,\
         modes_profiled,measurements,solve_us"
    );
    assert_eq!(lines.len(), 1 + 2 * problems.len());
    assert_eq!(
        lines[1][..9],
        ["everything", "4", "slack-aware", "net", "", "", "", "30", "solved"]
    );
    assert_eq!(lines[1][9..13], ["3", "3", "", ""]);
    assert_eq!(lines[2][8..17], ["infeasible", "", "", "", "", "", "", "", "9"]);
    assert_eq!(lines[3][3..9], ["net", "eye", "30", "700", "25", "solved"]);
    for (line, (_, answer)) in lines[1..4].iter().zip(evaluation.answers(0)) {
        let throughput = answer.choice.and_then(|choice| choice.throughput).map(Hertz::get);
        assert_eq!(line[13].parse().ok(), throughput);
    }
}
