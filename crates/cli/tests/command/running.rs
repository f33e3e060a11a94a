//! Runs the command as another program would.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the command said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the command with these arguments.
pub(crate) fn fulcrum<S: AsRef<str>>(arguments: &[S]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_fulcrum"))
        .args(arguments.iter().map(AsRef::as_ref))
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    Ran {
        code: output.status.code().expect("the command is not killed"),
        out: String::from_utf8(output.stdout).expect("what it prints is text"),
        err: String::from_utf8(output.stderr).expect("what it says is text"),
    }
}

/// Runs the command with arguments that are split at spaces.
pub(crate) fn fulcrum_line(line: &str) -> Ran {
    fulcrum(&line.split_whitespace().collect::<Vec<_>>())
}

impl Ran {
    /// The one line of complaint, after checking that it is one, and exit code 2.
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.code, 2, "{self:?}");
        assert_eq!(self.out, "", "data goes to stdout, complaints do not");
        let line = self.err.strip_prefix("fulcrum: error: ").expect(&self.err);
        assert_eq!(line.trim_end().lines().count(), 1, "one line, not: {line}");
        line.trim_end()
    }
}

/// An empty folder of one test's own.
pub(crate) fn folder(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder for the test");
    path
}
