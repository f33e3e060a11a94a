//! The commands that speak to an agent.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fulcrum_board::{Offer, Profiler as _, SimulatedOrin, write_table};
use fulcrum_domain::Workload;
use insta::{assert_snapshot, with_settings};
use rustix::process::{Pid, Signal, kill_process};

use crate::running::{Ran, folder, fulcrum_line};
use crate::scripted_agent::{Script, ScriptedAgent, troubled};

fn agent(test: &str, script: Script) -> ScriptedAgent {
    ScriptedAgent::start(&folder(test), script)
}

/// Runs a command; `{agent}` stands for the flag with the agent's address.
fn run(agent: &ScriptedAgent, line: &str) -> Ran {
    fulcrum_line(&line.replace("{agent}", &format!("--agent {}", agent.address())))
}

fn start(agent: &ScriptedAgent, line: &str) -> Child {
    let line = line.replace("{agent}", &format!("--agent {}", agent.address()));
    Command::new(env!("CARGO_BIN_EXE_fulcrum"))
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts")
}

/// Interrupts a command as Ctrl-C does, and says how it ended and what it said.
fn interrupt(mut child: Child) -> (Option<i32>, String) {
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is interrupted");
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    (child.wait().expect("it ends").code(), said)
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(20), "not within 20 seconds: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Checks a snapshot but for where the test's folder is.
macro_rules! assert_said {
    ($text:expr) => {
        with_settings!({ filters => vec![
            (r"unix://\S+", "unix://[socket]"),
        ] }, { assert_snapshot!($text) });
    };
}

#[test]
fn a_board_is_shown_with_what_troubles_it() {
    let agent = agent("agents_show", troubled());
    let ran = run(&agent, "board show {agent}");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_said!(ran.out);
}

#[test]
fn a_board_is_shown_to_programs() {
    let agent = agent("agents_show_json", troubled());
    let ran = run(&agent, "board show {agent} -o json");
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut shown: serde_json::Value = serde_json::from_str(&ran.out).expect("json");
    // Too long to look at; `board modes` has them too.
    for knob in shown["knobs"].as_array_mut().expect("knobs") {
        knob["levels"] =
            format!("{} levels", knob["levels"].as_array().expect("levels").len()).into();
    }
    assert_said!(serde_json::to_string_pretty(&shown).expect("json"));
}

#[test]
fn agents_are_listed_whether_they_answer_or_not() {
    let agent = agent("agents_list", Script::default());
    let nobody = folder("agents_list_nobody").join("agent.sock");
    let ran = run(&agent, &format!("board list {{agent}} --agent unix://{}", nobody.display()));
    assert_eq!(ran.code, 7, "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[1].contains("Simulated Jetson AGX Orin") && lines[1].contains("9.25W"),
        "{ran:?}"
    );
    assert!(lines[2].contains("no agent answers at"), "{ran:?}");
    let ran = run(&agent, "board list {agent} -o json");
    let rows: serde_json::Value = serde_json::from_str(&ran.out).expect("json");
    assert_eq!((ran.code, &rows[0]["reachable"]), (0, &true.into()));
}

#[test]
fn samples_are_watched_as_lines_and_as_objects() {
    let agent = agent("agents_watch", Script::default());
    let ran = run(&agent, "board watch {agent} --interval 10ms --count 2");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_said!(ran.out);
    let ran = run(&agent, "board watch {agent} --count 1 -o json");
    let sample: serde_json::Value = serde_json::from_str(&ran.out).expect("one object a line");
    assert_eq!(sample["sensors"][2]["absent"], "gated");
    assert_eq!(sample["sensors"][2]["value"], serde_json::Value::Null);
    let ran = run(&agent, "board watch {agent} --sensor nosuch");
    assert!(ran.complaint().contains("--sensor") && ran.complaint().contains("VDD_GPU_SOC"));
}

#[test]
fn modes_are_listed_by_conditions() {
    let agent = agent("agents_modes", Script::default());
    let ran =
        run(&agent, "board modes {agent} --filter cpu_cores=4 --filter gpu_khz>=1000000 --limit 3");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_said!(ran.out);
    let ran = run(&agent, "board modes {agent} -o csv");
    assert_eq!(ran.out.lines().count(), 1 + 18_096);
    let ran = run(&agent, "board modes {agent} --filter nosuch=1");
    assert!(ran.complaint().contains("nosuch") && ran.complaint().contains("cpu_cores"));
    let ran = run(&agent, "board modes {agent}");
    assert_said!(ran.out);
}

#[test]
fn a_mode_is_set_held_and_given_back() {
    let agent = agent("agents_set", Script::default());
    let ran = run(&agent, "board set cpu_cores=4,mem_khz=2133000 {agent} --for 50ms");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("given back"), "{ran:?}");
    assert_said!(ran.out);
    assert_eq!(agent.leases(), (1, 1));
    assert!(agent.script().holders[0].starts_with("fulcrum board set"));
}

#[test]
fn an_interrupt_gives_the_board_back() {
    let agent = agent("agents_set_interrupt", Script::default());
    let child = start(&agent, "board set 15W {agent}");
    wait_until("the mode is set", || agent.script().set.is_some());
    let (code, said) = interrupt(child);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("given back"), "{said}");
    assert_eq!(agent.script().ended, 1);
}

#[test]
fn a_dry_run_borrows_and_sets_nothing() {
    let agent = agent("agents_dry_run", Script::default());
    let ran = run(&agent, "board set MAXN {agent} --dry-run -o json");
    assert_eq!(ran.code, 0, "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.out).expect("json");
    assert_eq!(report["dry_run"], true);
    assert_eq!(agent.script().taken, 0);
    assert!(agent.script().set.is_none());
}

#[test]
fn a_mode_that_is_none_is_refused_before_anything_is_borrowed() {
    let agent = agent("agents_no_mode", Script::default());
    for (mode, said) in [("cpu_cores=13", "the highest is 12"), ("17W", "15W, 30W, 50W, MAXN")] {
        let ran = run(&agent, &format!("board set {mode} {{agent}}"));
        assert!(ran.complaint().contains(said), "{ran:?}");
    }
    assert_eq!(agent.script().taken, 0);
}

#[test]
fn a_board_that_another_holds_is_refused_by_name() {
    let agent = agent("agents_held", troubled());
    for line in [
        "board set MAXN {agent}",
        "board lease hold {agent}",
        "plan {agent} --train resnet18 --power 30W",
        "front build {agent} --train resnet18",
    ] {
        let ran = run(&agent, line);
        assert_eq!(ran.code, 8, "{ran:?}");
        assert!(ran.err.contains("held by ada on host-7"), "{ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    }
}

#[test]
fn the_lease_is_shown_and_held() {
    let agent = agent("agents_lease", Script::default());
    assert!(run(&agent, "board lease show {agent}").out.contains("free"));
    let ran = run(&agent, "board lease hold {agent} --for 20ms --reason maintenance");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(agent.script().holders[0].starts_with("fulcrum maintenance"));
    assert_eq!(agent.leases(), (1, 1));
}

#[test]
fn an_agent_that_is_not_there_is_named() {
    let nobody = folder("agents_nobody").join("agent.sock");
    for (address, advice) in [
        (format!("unix://{}", nobody.display()), "systemctl status"),
        // Port 9 discards, where anyone listens to it at all.
        ("127.0.0.1:9".to_owned(), "listen in the network"),
    ] {
        for command in ["board show", "board list", "top", "plan --train resnet18 --power 30W"] {
            let ran = fulcrum_line(&format!("{command} --agent {address}"));
            assert_eq!(ran.code, 7, "{ran:?}");
            let said = format!("{}{}", ran.out, ran.err);
            assert!(said.contains("no agent answers at") && said.contains(advice), "{ran:?}");
        }
    }
}

#[test]
fn an_address_that_is_none_names_its_flag() {
    for address in ["jetson-7", "unix://here.sock", "ftp://jetson-7:1", "http://jetson-7"] {
        let ran = fulcrum_line(&format!("board show --agent {address}"));
        assert!(ran.complaint().contains("--agent"), "{ran:?}");
        assert!(ran.complaint().contains("write it like unix://"), "{ran:?}");
    }
}

#[test]
fn top_prints_one_screen_where_there_is_no_terminal() {
    let agent = agent("agents_top", troubled());
    let ran = run(&agent, "top {agent}");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_said!(ran.out);
}

#[test]
fn a_plan_measured_through_an_agent_is_the_plan_of_the_equal_board() {
    let agent = agent("agents_plan", Script::default());
    let problem = "--train resnet18 --infer mobilenet_v3 --rate 60 --latency 800ms --power 30W \
                   --strategy gmd -o json";
    let over_agent = run(&agent, &format!("plan {{agent}} {problem}"));
    assert_eq!(over_agent.code, 0, "{over_agent:?}");
    assert_eq!(agent.leases(), (1, 1));
    let table = folder("agents_plan_table").join("pair.csv");
    write_pair(&table);
    let over_table = fulcrum_line(&format!("plan --profiles {} {problem}", table.display()));
    let plan = |ran: &Ran| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(&ran.out).expect("json")["plan"].clone()
    };
    assert_ne!(plan(&over_table), serde_json::Value::Null);
    assert_eq!(plan(&over_agent), plan(&over_table));
}

/// Writes everything that the simulated board would measure of the pair, without noise.
pub(crate) fn write_pair(path: &Path) {
    let mut orin = SimulatedOrin::exact();
    let space = orin.space().clone();
    let wanted = [Workload::train("resnet18"), Workload::infer("mobilenet_v3")];
    let offers: Vec<Offer> =
        orin.offers().iter().filter(|offer| wanted.contains(&offer.workload)).cloned().collect();
    let mut rows = Vec::new();
    for offer in &offers {
        for mode in space.ids() {
            for &size in &offer.batch_sizes {
                let profile = orin.measure(&offer.workload, mode, size).expect("it is offered");
                rows.push((offer.workload.clone(), mode, size, profile));
            }
        }
    }
    let file = std::fs::File::create(path).expect("a file");
    write_table(std::io::BufWriter::new(file), "simulated-orin-agx", &space, rows.into_iter())
        .expect("written");
}

#[test]
fn an_interrupted_plan_gives_the_board_back() {
    let script = Script { measuring: Duration::from_millis(200), ..Script::default() };
    let agent = agent("agents_plan_interrupt", script);
    let child = start(&agent, "plan {agent} --train resnet18 --power 30W -v");
    wait_until("the board is borrowed", || agent.script().taken == 1);
    std::thread::sleep(Duration::from_millis(300));
    let (code, said) = interrupt(child);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.ends_with("fulcrum: error: interrupted; the board was given back\n"), "{said}");
    assert_eq!(agent.script().ended, 1);
}

#[test]
fn a_lease_that_is_lost_ends_the_search_with_one_line() {
    let script = Script { dies_at: Some(3), ..Script::default() };
    let agent = agent("agents_plan_lost", script);
    let ran = run(&agent, "plan {agent} --train resnet18 --power 30W");
    assert_eq!(ran.code, 7, "{ran:?}");
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    assert!(ran.err.contains("the lease has ended"), "{ran:?}");
}
