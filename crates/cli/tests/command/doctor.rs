//! `fulcrum doctor` on copies of machines, with and without an agent.

use fulcrum_fake_jetson::orin_agx_jp6;
use insta::{assert_snapshot, with_settings};

use crate::running::{folder, fulcrum_line};
use crate::scripted_agent::{ScriptedAgent, troubled};

#[test]
fn a_copy_of_a_board_is_checked_like_the_board() {
    let root = folder("doctor_orin");
    orin_agx_jp6().write_to(&root).expect("a copy of the files");
    let ran = fulcrum_line(&format!(
        "doctor --root {} --agent unix://{} --state-dir {}",
        root.display(),
        root.join("agent.sock").display(),
        root.join("state").display()
    ));
    assert_eq!(ran.code, 5, "there is no agent: {ran:?}");
    with_settings!({ filters => vec![(r"/\S+/agent.sock", "[socket]")] }, {
        assert_snapshot!(ran.out);
    });
}

#[test]
fn a_doctor_asks_the_agent_too() {
    let agent = ScriptedAgent::start(&folder("agents_doctor"), troubled());
    let root = folder("agents_doctor_root");
    let line = format!("doctor --agent {} --root {} -o json", agent.address(), root.display());
    let ran = fulcrum_line(&line);
    assert_eq!(ran.code, 6, "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.out).expect("json");
    let checks = report["checks"].as_array().expect("checks");
    let verdict = |id: &str| {
        let check = checks.iter().find(|check| check["id"] == id).expect(id);
        check["verdict"].as_str().expect("a word").to_owned()
    };
    assert_eq!(verdict("agent.socket"), "ok");
    assert_eq!(verdict("agent.journal"), "fail", "something is still to be put back");
    assert_eq!(verdict("agent.mode"), "warn", "heat holds the GPU down");
    assert_eq!(report["verdict"], "fail");
}

#[test]
fn a_doctor_without_an_agent_warns_and_names_what_to_do() {
    let root = folder("doctor_alone");
    let nobody = root.join("agent.sock");
    let line = format!(
        "doctor --agent unix://{} --root {} --state-dir {}",
        nobody.display(),
        root.display(),
        root.join("state").display()
    );
    let ran = fulcrum_line(&line);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.out.contains("systemctl enable --now fulcrum-agent"), "{ran:?}");
    let ran = fulcrum_line("doctor --root /no/such/folder");
    assert!(ran.complaint().starts_with("--root /no/such/folder"), "{ran:?}");
}
