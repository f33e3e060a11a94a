//! The priority below every other.

use std::io;
use std::process::Command;

/// Gives this process, with all its threads, the system's policy for work that only runs while
/// nothing else wants to (`SCHED_IDLE`): whoever else wakes has the processor at once. Taking it
/// needs no rights; going back does, so it stays until the process ends.
///
/// It is set by `chrt` of util-linux; where that is not installed, this says so.
pub(crate) fn run_when_idle() -> io::Result<()> {
    let process = std::process::id().to_string();
    let set = Command::new("chrt")
        .args(["--idle", "--all-tasks", "--pid", "0", &process])
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("`chrt` does not run: {error}")))?;
    if set.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&set.stderr);
    Err(io::Error::other(format!("`chrt --idle` failed: {}", said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_runs_when_idle() {
        // A process of its own, since this one has other tests to run.
        let (done, wait) = std::sync::mpsc::channel::<()>();
        if std::env::var_os("FULCRUM_TEST_IDLE").is_some() {
            let other = std::thread::spawn(move || wait.recv());
            run_when_idle().unwrap();
            for task in std::fs::read_dir("/proc/self/task").unwrap() {
                // The 41st field: https://docs.kernel.org/filesystems/proc.html
                let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
                let after_name = stat.rsplit_once(')').unwrap().1;
                let policy = after_name.split_whitespace().nth(38);
                assert_eq!(policy, Some("5"), "SCHED_IDLE in {stat}");
            }
            drop(done);
            assert!(other.join().unwrap().is_err());
            return;
        }
        let own = std::env::current_exe().unwrap();
        let status = Command::new(own)
            .args(["--exact", "idle::tests::every_thread_runs_when_idle"])
            .env("FULCRUM_TEST_IDLE", "yes")
            .status()
            .unwrap();
        assert!(status.success());
    }
}
