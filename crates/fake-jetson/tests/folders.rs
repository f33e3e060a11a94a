//! Trees as folders, for tests with real processes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fulcrum_board::{Files as _, Rooted};
use fulcrum_fake_jetson::{Nvpmodel, jetsons, orin_agx_jp6};

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fulcrum-{name}-{}", std::process::id()));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_tree_in_a_folder_reads_as_it_does_in_memory() {
    for (place, board) in jetsons().into_iter().enumerate() {
        let tree = (board.tree)();
        let folder = Folder::new(&format!("tree{place}"));
        tree.write_to(&folder.0).unwrap();
        let files = Rooted::new(&folder.0);
        for class in ["/sys/class/hwmon", "/sys/class/thermal", "/sys/class/devfreq"] {
            let class = Path::new(class);
            assert_eq!(files.list(class).ok(), tree.list(class).ok(), "{}", board.name);
            for device in tree.list(class).unwrap_or_default() {
                for file in tree.list(&class.join(&device)).unwrap() {
                    let path = class.join(&device).join(file);
                    assert_eq!(files.read(&path).ok(), tree.read(&path).ok(), "{}", path.display());
                }
            }
        }
        let compatible = Path::new("/proc/device-tree/compatible");
        assert_eq!(files.read(compatible).unwrap(), tree.read(compatible).unwrap());
        assert_eq!(tree.controls_in(&folder.0), tree.controls());
    }
}

#[test]
fn the_controls_of_a_folder_can_be_compared() {
    let tree = orin_agx_jp6();
    let folder = Folder::new("controls");
    tree.write_to(&folder.0).unwrap();
    let files = Rooted::new(&folder.0);
    let control = Path::new("/sys/devices/system/cpu/cpu11/online");
    files.write(control, "0").unwrap();
    let differences = tree.controls_in(&folder.0).differences(&tree.controls());
    assert_eq!(differences, [format!("{}: was 1, is 0", control.display())]);
    files.write(control, "1").unwrap();
    assert_eq!(tree.controls_in(&folder.0), tree.controls());
}

/// Not executed itself: a program just written may still be open in a process just forked.
fn shell(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg(program);
    command
}

/// The exit status and the output of the program, asked without a terminal.
fn ask(program: &Path, arguments: &[&str]) -> (i32, String) {
    let output = shell(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn nvpmodel_says_and_does_what_it_does_on_boards() {
    let tree = orin_agx_jp6();
    let folder = Folder::new("nvpmodel");
    tree.write_to(&folder.0).unwrap();
    let status = folder.0.join("var/lib/nvpmodel/status");
    let mode = |program: &Path| ask(program, &["-q"]).1.lines().last().unwrap().to_owned();
    for (does, code, says, after) in [
        (Nvpmodel::KeepsSilently, 0, "", "3"),
        (Nvpmodel::InChroot, 0, "Running in chroot, ignoring request.", "3"),
        (Nvpmodel::AsksForReboot, 234, "NVPM ERROR: bad input!", "3"),
        (Nvpmodel::Applies, 0, "", "2"),
    ] {
        let program = tree.write_nvpmodel(&folder.0, does).unwrap();
        let (exit, output) = ask(&program, &["-m", "2"]);
        assert_eq!(exit, code, "{does:?}: {output}");
        assert!(output.contains(says), "{does:?}: {output}");
        assert_eq!(mode(&program), after, "{does:?}");
    }
    let program = tree.write_nvpmodel(&folder.0, Nvpmodel::Applies).unwrap();
    let told = ask(&program, &["-q"]).1;
    assert_eq!(told, "NVPM WARN: fan mode is not set!\nNV Power Mode: MODE_30W\n2\n");
    let text = std::fs::read_to_string(status).unwrap();
    assert_eq!(text, "pmode:0002 fmode:fan_mode_quiet\n");
}

#[test]
fn nvpmodel_may_wait_for_an_answer_for_ever() {
    let tree = orin_agx_jp6();
    let folder = Folder::new("nvpmodel-hangs");
    tree.write_to(&folder.0).unwrap();
    let program = tree.write_nvpmodel(&folder.0, Nvpmodel::Hangs).unwrap();
    let mut child = shell(&program).args(["-m", "2"]).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    child.wait().unwrap();
}
