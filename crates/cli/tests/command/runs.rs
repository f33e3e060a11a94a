//! `fulcrum run`, on a simulated board and with real programs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::live_agent::{LiveAgent, built_beside};
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

/// This machine as a board, with an energy counter beside it that counts 10 W and 5 W for each busy
/// core: the machine may have none, or show it to root alone.
struct Host {
    root: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Host {
    fn start(test: &str) -> Self {
        let root = folder(test).join("root");
        let counter = root.join("sys/class/powercap/intel-rapl:0");
        std::fs::create_dir_all(&counter).expect("a folder");
        for path in ["sys/devices", "proc"] {
            let link = root.join(path);
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(format!("/{path}"), link).expect("a link");
        }
        let write = move |name: &str, text: String| {
            std::fs::write(counter.join(name), text).expect("written");
        };
        write("name", "package-0\n".into());
        write("max_energy_range_uj", "262143328850\n".into());
        write("energy_uj", "0\n".into());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        std::thread::spawn(move || {
            let busy = || {
                let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
                let all = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
                let ticks: Vec<f64> = all.filter_map(|ticks| ticks.parse().ok()).collect();
                (ticks.first().unwrap_or(&0.0) + ticks.get(2).unwrap_or(&0.0)) / 100.0
            };
            let (began, busy_before) = (Instant::now(), busy());
            while !stopped.load(Ordering::Relaxed) {
                let joules = 10.0 * began.elapsed().as_secs_f64() + 5.0 * (busy() - busy_before);
                write("energy_uj", format!("{:.0}\n", joules * 1e6));
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { root, stop }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[test]
fn real_programs_are_measured_planned_for_and_run() {
    built_beside("fulcrum-workload");
    let host = Host::start("run_measured");
    let root = host.root.display().to_string();
    let agent =
        LiveAgent::of_board(&folder("run_measured_agent"), &["--board", "host", "--root", &root]);
    let ran = agent.run(
        "run --real --train lstm --train-batch 4 --infer lstm --rate 20 --latency 800ms \
         --power 1000W --for 3s -o json",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.out).expect(&ran.out);
    assert!(ran.err.contains("planned after measuring"), "{ran:?}");
    let (train, infer) = (workload(&report, "train"), workload(&report, "infer"));
    assert!(train["minibatches"].as_u64().expect("a count") > 5, "{report}");
    assert!(infer["requests"].as_u64().expect("a count") > 20, "{report}");
}

#[test]
fn a_run_without_the_programs_that_it_is_of_says_which_are_missing() {
    let agent = LiveAgent::of_board(&folder("run_attached"), &["--board", "simulated-orin-agx"]);
    let ran = agent.run("run --attached --train pictures --batch 1 --for 1s");
    let said = ran.complaint();
    assert!(
        said.contains("no program has attached") && said.contains("`pictures train`"),
        "{said}"
    );
}

#[test]
fn what_is_missing_is_said() {
    built_beside("fulcrum-agent");
    let ran = fulcrum_line("run --train resnet18");
    assert!(ran.complaint().contains("--plan FILE.json"), "{ran:?}");
    let ran = fulcrum_line("run --train nobody --power 30W");
    assert!(ran.complaint().contains("--train"), "{ran:?}");
}
