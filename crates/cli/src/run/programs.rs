//! Real training and inference programs, started for a run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fulcrum_domain::WorkloadKind;
use fulcrum_interleave::Terms;

use super::wanted::Wanted;
use super::{RunArgs, STARTING};
use crate::arguments::duration;
use crate::exit::Failure;

/// Programs that run; they are killed when this is dropped.
pub(super) struct Programs {
    children: Vec<Child>,
}

impl Programs {
    /// Starts one program for each workload of the plan.
    pub(super) fn start(wanted: &Wanted, socket: &Path, args: &RunArgs) -> Result<Self, Failure> {
        let beside = std::env::current_exe()?.with_file_name("fulcrum-workload");
        let binary = if beside.exists() { beside } else { PathBuf::from("fulcrum-workload") };
        let mut programs = Self { children: Vec::new() };
        for terms in &wanted.plan.agreement.terms {
            let mut command = Command::new(&binary);
            // They are ended by this command, not by their own clock.
            let seconds = duration(args.time).as_secs() + 3600;
            command
                .arg(terms.workload.kind.as_str())
                .arg(&*terms.workload.name)
                .args(["--device", &args.device, "--seconds", &seconds.to_string(), "--socket"])
                .arg(socket)
                .args(own_arguments(wanted, terms, args))
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            let child = command.spawn().map_err(|error| {
                Failure::bad_input(format_args!(
                    "--real: {} could not be started: {error}",
                    binary.display()
                ))
            })?;
            programs.children.push(child);
        }
        programs.wait_until_up()?;
        Ok(programs)
    }

    /// A program that cannot run says so and ends at once.
    fn wait_until_up(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        while began.elapsed() < STARTING.min(Duration::from_millis(500)) {
            for child in &mut self.children {
                if child.try_wait()?.is_some() {
                    return Err(Failure::bad_input("--real: a program ended at once; see above"));
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn own_arguments(wanted: &Wanted, terms: &Terms, args: &RunArgs) -> Vec<String> {
    match terms.workload.kind {
        WorkloadKind::Train => vec!["--batch".into(), terms.batch_size.to_string()],
        WorkloadKind::Infer => {
            let sizes: Vec<String> = (1..=terms.batch_size).map(|size| size.to_string()).collect();
            vec![
                "--batches".into(),
                sizes.join(","),
                "--rate".into(),
                wanted.rate.unwrap_or(1.0).to_string(),
                "--arrivals".into(),
                args.arrivals.as_str().into(),
            ]
        }
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
