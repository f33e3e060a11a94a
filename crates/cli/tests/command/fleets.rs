//! A fleet in one process, and the commands that ask it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::running::{Ran, folder, fulcrum_line};

/// A running `fulcrum up`, killed when it is dropped.
struct Up {
    process: Child,
    folder: PathBuf,
}

impl Up {
    fn start(test: &str, boards: u32) -> Self {
        let folder = folder(test);
        let process = Command::new(env!("CARGO_BIN_EXE_fulcrum"))
            .args(["up", "--boards", &boards.to_string()])
            .args(["--data", &folder.display().to_string()])
            .args(["--scheduler", &address(&folder, "scheduler")])
            .args(["--optimizer", &address(&folder, "optimizer")])
            .args(["--http", "none", "--optimizer-http", "none"])
            .stderr(Stdio::from(std::fs::File::create(folder.join("log")).expect("a file")))
            .spawn()
            .expect("it starts");
        let up = Self { process, folder };
        let began = Instant::now();
        let log = || std::fs::read_to_string(up.folder.join("log")).unwrap_or_default();
        while !log().contains("simulated boards") {
            assert!(began.elapsed() < Duration::from_secs(20), "{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        up
    }

    fn run(&self, line: &str) -> Ran {
        fulcrum_line(&format!("{line} --scheduler {}", address(&self.folder, "scheduler")))
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    /// Asks it to end, and waits until it has; its log.
    fn stop(mut self) -> String {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it is told");
        assert!(self.process.wait().expect("it ends").success());
        std::fs::read_to_string(self.folder.join("log")).expect("a log")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn address(folder: &Path, service: &str) -> String {
    format!("unix://{}", folder.join(format!("{service}.sock")).display())
}

const JOB: &str = "name = \"gate\"\ntrain = \"resnet18\"\ninfer = \"mobilenet_v3\"\nrate = 60\n\
                   latency = \"800ms\"\npower = \"30W\"\n";

#[test]
fn a_job_is_declared_seen_explained_and_ended() {
    let up = Up::start("up_job", 2);
    let file = up.file("gate.toml", JOB);
    let checked = up.run(&format!("job submit {file} --check"));
    assert_eq!((checked.code, checked.out.as_str()), (0, "gate: right\n"), "{checked:?}");
    assert_eq!(up.run("job list -o json").out.trim(), "[]");

    let ran = up.run(&format!("job submit {file} --wait 60s"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("gate: running: runs on all of its 2 boards"), "{ran:?}");
    let again = up.run(&format!("job submit {file}"));
    assert_eq!(again.out, "gate: generation 1\n", "the same again changes nothing");

    let shown = up.run("job show gate -o json");
    let shown: serde_json::Value = serde_json::from_str(&shown.out).expect("json");
    assert_eq!(shown["job"]["state"], "running");
    assert_eq!(shown["boards"].as_array().map(Vec::len), Some(2));
    assert!(shown["plans"][0]["plan"]["peak_power_watts"].as_f64().is_some_and(|w| w <= 30.0));

    let watched = up.run("job watch gate --for 3s");
    assert_eq!(watched.code, 0, "{watched:?}");
    assert!(watched.out.contains("in force: "), "{watched:?}");
    assert!(watched.out.contains("minibatches/s, "), "{watched:?}");

    let explained = up.run("job explain gate");
    for part in ["peak power", "of 30.0W", "% unused", "from search", "answers by arrival rate"] {
        assert!(explained.out.contains(part), "{part}: {}", explained.out);
    }
    let boards = up.run("fleet list");
    assert_eq!(boards.out.matches(" running ").count(), 2, "{boards:?}");

    let hopeless = up.file("hopeless.toml", &JOB.replace("30W", "5W"));
    let none = up.run(&format!("job submit {hopeless} --wait 60s"));
    assert_eq!(none.code, 3, "infeasible: {none:?}");
    assert!(none.out.contains("it would work with power budget"), "{none:?}");

    let ended = up.run("job cancel gate");
    assert_eq!(ended.code, 0, "{ended:?}");
    let solved = fulcrum_line(&format!(
        "front solve --board simulated-orin-agx --train resnet18 --infer mobilenet_v3 --rate 60 \
         --latency 800ms --power 30W --optimizer {}",
        address(&up.folder, "optimizer")
    ));
    assert!(solved.code == 0 && solved.out.contains("from front"), "{solved:?}");
    let fronts = fulcrum_line(&format!(
        "front show -o json --optimizer {}",
        address(&up.folder, "optimizer")
    ));
    assert!(fronts.out.contains("\"strategy\": \"als\""), "{fronts:?}");
    up.stop();
}

#[test]
fn what_is_wrong_with_a_fleets_files_and_flags_is_said() {
    let up = Up::start("up_wrong", 1);
    let bad = up.file("bad.toml", &JOB.replace("\"30W\"", "\"30V\""));
    let good = up.file("good.toml", JOB);
    let refused = up.run(&format!("job submit {good} {bad}"));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("bad.toml:6: ") && refused.err.contains("30V"), "{refused:?}");
    let negative = up.file("none.toml", &JOB.replace("train = \"resnet18\"\n", ""));
    let other = up.file("other.toml", &JOB.replace("train =", "strategy = \"luck\"\ntrain ="));
    let refused = up.run(&format!("job submit {negative} {other}"));
    assert!(refused.code == 2 && refused.err.contains("other.toml"), "{refused:?}");
    assert!(refused.err.contains("spec.strategy"), "{refused:?}");
    assert_eq!(up.run("job list -o json").out.trim(), "[]", "all of them or none");
    assert_eq!(up.run("job show nobody").code, 2);
    let added = up.run("fleet add Orin7 --agent http://jetson-7:7600");
    assert!(added.code == 2 && added.err.contains("board.name"), "{added:?}");
    let added = up.run("fleet add orin-7 --agent http://127.0.0.1:1 --label site=lab");
    assert_eq!(added.code, 0, "{added:?}");
    assert_eq!(up.run("fleet remove orin-7").code, 0);
    assert_eq!(up.run("fleet power 100W").out, "100.0 W; the plans in force may draw 0.0 W\n");
    assert!(up.run("fleet power off").out.starts_with("no limit"));
    let power = up.run("fleet power 100");
    assert!(power.code == 2 && power.err.contains("has no unit"), "{power:?}");
    let nobody = fulcrum_line("job list --scheduler unix:///nowhere/s.sock");
    assert!(nobody.code == 7 && nobody.err.contains("no scheduler answers"), "{nobody:?}");
    up.stop();
}

#[test]
fn a_fleet_that_ends_while_it_works_does_not_warn_of_its_own_workers() {
    let up = Up::start("up_ends", 2);
    let file = up.file("gate.toml", JOB);
    let ran = up.run(&format!("job submit {file} --wait 60s"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let log = up.stop();
    assert!(log.starts_with("2 simulated boards; ") && !log.contains("without turns"), "{log}");
}
