//! What is generated of the command's arguments: completions and manual pages.

use std::fs::{read_dir, read_to_string, write};
use std::process::Command;

use crate::running::{folder, fulcrum, fulcrum_line};

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = fulcrum(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        assert!(ran.out.contains("evaluate-turns"), "{shell}: {}", ran.out);
    }
}

#[test]
fn bash_takes_its_completions() {
    let path = folder("completions").join("fulcrum.bash");
    write(&path, fulcrum_line("completions bash").out).unwrap();
    let parsed = Command::new("bash").arg("-n").arg(&path).output().expect("bash starts");
    assert!(parsed.status.success(), "{parsed:?}");
    let asked = format!(
        "source {} && COMP_WORDS=(fulcrum jo) COMP_CWORD=1 && \
         _fulcrum fulcrum jo fulcrum && echo \"${{COMPREPLY[*]}}\"",
        path.display()
    );
    let completed = Command::new("bash").args(["-c", &asked]).output().expect("bash starts");
    assert_eq!(String::from_utf8_lossy(&completed.stdout), "job\n", "{completed:?}");
}

#[test]
fn the_manual_has_a_page_for_each_command_and_process() {
    let folder = folder("man");
    let ran = fulcrum(&["man", &folder.display().to_string()]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    for page in
        ["fulcrum", "fulcrum-job-submit", "fulcrum-agent", "fulcrum-optimizer", "fulcrum-scheduler"]
    {
        let text = read_to_string(folder.join(page).with_extension("1")).expect(page);
        assert!(text.contains(".SH NAME") && text.contains(".SH OPTIONS"), "{page}: {text}");
    }
    let hidden = read_dir(&folder)
        .unwrap()
        .any(|page| page.unwrap().file_name().to_string_lossy().starts_with("fulcrum-man."));
    assert!(!hidden, "what is hidden has no page");
}

#[test]
fn a_manual_that_cannot_be_written_names_its_folder() {
    let said = fulcrum_line("man /proc/none").complaint().to_owned();
    assert!(said.starts_with("FOLDER /proc/none: "), "{said}");
}
