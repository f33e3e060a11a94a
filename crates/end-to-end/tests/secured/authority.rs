//! A fleet's authority is changed while everything runs, in the order that docs/security.md says.

use std::time::Duration;

use fulcrum_end_to_end::{Secured, binary};

const OPERATOR: &str = "keys/people/operator";
const FOLDERS: [&str; 6] =
    ["scheduler", "optimizer", "boards/a", "people/admin", "people/operator", "people/viewer"];
/// Files are looked at twice a second at most.
const TAKEN_UP: Duration = Duration::from_secs(1);

const JOB: &str = r#"
name = "gate"
train = "resnet18"
power = "30W"
"#;

/// Writes what everybody believes.
fn believe(fleet: &Secured, authorities: &str) {
    for folder in FOLDERS {
        std::fs::write(fleet.path("keys").join(folder).join("ca.pem"), authorities).unwrap();
    }
    std::thread::sleep(TAKEN_UP);
}

#[test]
fn an_authority_is_changed_while_everything_runs() {
    let fleet = Secured::start();
    let job = fleet.text("gate.toml");
    // Everybody calls everybody: the scheduler the optimizer and the agent, the optimizer the agent.
    let still_works = |watts: u32| {
        std::fs::write(&job, JOB.replace("30W", &format!("{watts}W"))).unwrap();
        fleet.answer(OPERATOR, &["job", "submit", &job, "--wait", "60s"]);
        fleet.answer(OPERATOR, &["board", "show"]);
        fleet.answer(OPERATOR, &["front", "show"]);
    };
    let simulated = ["--stand-in", "simulated-orin-agx", "--simulate"];
    let add = ["fleet", "add", "a", "--agent", &fleet.agent];
    fleet.answer("keys/people/admin", &[add.as_slice(), &simulated].concat());
    still_works(30);

    let next = fleet.text("next");
    let made = std::process::Command::new(binary("fulcrum"))
        .args(["access", "fleet", &next, "--board", "a"])
        .output();
    assert!(made.unwrap().status.success());
    let authority =
        |folder: &str| std::fs::read_to_string(fleet.path(folder).join("ca.pem")).unwrap();
    let (old, new) = (authority("keys"), authority("next"));
    // Somebody who goes on with what they had.
    let kept = fleet.path("kept");
    std::fs::create_dir(&kept).unwrap();
    for file in ["cert.pem", "key.pem"] {
        std::fs::copy(fleet.path(OPERATOR).join(file), kept.join(file)).unwrap();
    }

    believe(&fleet, &(old + &new));
    still_works(31);

    for folder in FOLDERS {
        for file in ["key.pem", "cert.pem"] {
            let from = fleet.path("next").join(folder).join(file);
            std::fs::copy(from, fleet.path("keys").join(folder).join(file)).unwrap();
        }
    }
    std::thread::sleep(TAKEN_UP);
    still_works(32);

    believe(&fleet, &new);
    still_works(33);
    std::fs::write(kept.join("ca.pem"), &new).unwrap();
    let refused = fleet.command("kept", &["job", "list"]);
    assert!(!refused.status.success(), "the old authority is not believed any more: {refused:?}");
}
