//! Profiles into the optimizer's store and out of it, through the real optimizer.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::live_agent::built_beside;
use crate::running::{Ran, folder, fulcrum_line};

/// A running optimizer with an SQLite store, killed when it is dropped.
struct LiveOptimizer {
    process: Child,
    folder: PathBuf,
}

impl LiveOptimizer {
    fn start(folder: &Path) -> Self {
        let process = Command::new(built_beside("fulcrum-optimizer"))
            .args(["--store", &format!("sqlite:{}", folder.join("fulcrum.db").display())])
            .args(["--listen", &format!("unix://{}", folder.join("optimizer.sock").display())])
            .stderr(Stdio::from(std::fs::File::create(folder.join("log")).expect("a file")))
            .spawn()
            .expect("the optimizer starts");
        let optimizer = Self { process, folder: folder.to_owned() };
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(folder.join("optimizer.sock")).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "no optimizer");
            std::thread::sleep(Duration::from_millis(5));
        }
        optimizer
    }

    fn run(&self, line: &str) -> Ran {
        let socket = self.folder.join("optimizer.sock");
        fulcrum_line(&format!("profile {line} --optimizer unix://{}", socket.display()))
    }
}

impl Drop for LiveOptimizer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const HEADER: &str = "board_model,software,workload,kind,fingerprint,mode,batch_size,\
                      minibatch_seconds,power_watts,relative_error_ratio,failure,\
                      peak_temperature_celsius,measured_by,measure_time,suspect\n";

fn rows(count: usize, wrong: Option<usize>) -> String {
    let row = |place: usize| {
        let watts = if wrong == Some(place) { "-1" } else { "30.5" };
        format!(
            "p3701,L4T 36.4,resnet18,train,,gpu_khz={place},16,0.1,{watts},0.01,,,orin-7,\
             2026-11-25T17:40:10Z,false\n"
        )
    };
    HEADER.to_owned() + &(0..count).map(row).collect::<String>()
}

#[test]
fn profiles_go_in_and_out_unchanged_and_one_wrong_line_keeps_all_out() {
    let folder = folder("profiles");
    let optimizer = LiveOptimizer::start(&folder);
    let (good, bad) = (folder.join("good.csv"), folder.join("bad.csv"));
    std::fs::write(&good, rows(12_000, None)).expect("a file");
    std::fs::write(&bad, rows(12_000, Some(11_111))).expect("a file");

    let refused = optimizer.run(&format!("import {}", bad.display()));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("bad.csv:11113: `power_watts` is -1"), "{refused:?}");
    let none = optimizer.run("export");
    assert_eq!(none.out.lines().count(), 0, "nothing is stored: {none:?}");

    let stored = optimizer.run(&format!("import {}", good.display()));
    assert_eq!((stored.code, stored.out.as_str()), (0, "12000 profiles are stored\n"));
    for name in ["out.csv", "out.ndjson"] {
        let file = folder.join(name);
        let exported = optimizer.run(&format!("export {}", file.display()));
        assert_eq!(exported.code, 0, "{exported:?}");
        let again = optimizer.run(&format!("import {}", file.display()));
        assert_eq!(again.out, "12000 profiles are stored\n", "{again:?}");
    }
    let exported = std::fs::read_to_string(folder.join("out.csv")).expect("a file");
    assert_eq!(exported, rows(12_000, None));

    let listed = optimizer.run("list --limit 3 --kind train");
    assert_eq!(listed.out.lines().count(), 4, "{listed:?}");
    assert!(listed.out.contains("30.5W") && listed.err.contains("--limit"), "{listed:?}");
    let other = optimizer.run("list --workload nobody -o json");
    assert_eq!(other.out.trim(), "[]");
}

#[test]
fn what_is_no_file_of_profiles_is_refused_before_anybody_is_asked() {
    let folder = folder("no_profiles");
    let file = folder.join("rows.txt");
    std::fs::write(&file, "").expect("a file");
    let line = format!("profile import {} --optimizer unix:///nowhere/o.sock", file.display());
    let ran = fulcrum_line(&line);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("neither .csv nor .ndjson"), "{ran:?}");
    let nobody = fulcrum_line("profile list --optimizer unix:///nowhere/o.sock");
    assert_eq!(nobody.code, 7, "{nobody:?}");
    assert!(nobody.err.contains("no optimizer answers"), "{nobody:?}");
}
