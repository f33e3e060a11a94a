//! Real training and inference programs, started for a run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fulcrum_api::Address;
use fulcrum_domain::{Problem, Role, Workload, WorkloadKind};
use fulcrum_interleave::Terms;

use super::wanted::Wanted;
use super::{RunArgs, STARTING};
use crate::agents::{Agent, wait_for};
use crate::arguments::duration;
use crate::exit::Failure;

/// Programs that run; they are killed when this is dropped.
pub(super) struct Programs {
    children: Vec<Child>,
}

/// A program to start.
pub(super) struct Program {
    workload: Workload,
    /// The batch sizes that it is to offer: of training, one.
    batch_sizes: Vec<u32>,
    /// Requests a second, for inference.
    rate: f64,
}

impl Program {
    /// One program for each workload of a plan, which runs it as planned.
    pub(super) fn of_plan(wanted: &Wanted) -> Vec<Self> {
        let program = |terms: &Terms| Self {
            workload: terms.workload.clone(),
            batch_sizes: match terms.workload.kind {
                WorkloadKind::Train => vec![terms.batch_size],
                WorkloadKind::Infer => (1..=terms.largest_batch_size).collect(),
            },
            rate: wanted.rate.unwrap_or(1.0),
        };
        wanted.plan.agreement.terms.iter().map(program).collect()
    }

    /// One program for each workload of a problem, which can be measured at several sizes.
    pub(super) fn of_problem(problem: &Problem, train_batch: u32) -> Vec<Self> {
        let program = |&role: &Role| {
            let workload = problem.workload(role)?.clone();
            Some(Self {
                batch_sizes: match workload.kind {
                    WorkloadKind::Train => vec![train_batch],
                    WorkloadKind::Infer => MEASURED_SIZES.to_vec(),
                },
                workload,
                rate: problem.urgent().map_or(1.0, |stream| stream.rate.get()),
            })
        };
        problem.roles().iter().filter_map(program).collect()
    }

    fn arguments(&self, args: &RunArgs) -> Vec<String> {
        let sizes: Vec<String> = self.batch_sizes.iter().map(ToString::to_string).collect();
        let sizes = sizes.join(",");
        match self.workload.kind {
            WorkloadKind::Train => vec!["--batch".into(), sizes],
            WorkloadKind::Infer => vec![
                "--batches".into(),
                sizes,
                "--rate".into(),
                self.rate.to_string(),
                "--arrivals".into(),
                args.arrivals.as_str().into(),
            ],
        }
    }
}

/// The sizes at which inference programs are measured when a plan is searched for.
const MEASURED_SIZES: [u32; 6] = [1, 2, 4, 8, 16, 32];

impl Programs {
    /// Starts programs.
    pub(super) fn start(
        programs: &[Program],
        socket: &Path,
        args: &RunArgs,
    ) -> Result<Self, Failure> {
        let beside = std::env::current_exe()?.with_file_name("fulcrum-workload");
        let binary = if beside.exists() { beside } else { PathBuf::from("fulcrum-workload") };
        let mut started = Self { children: Vec::new() };
        for program in programs {
            let mut command = Command::new(&binary);
            // They are ended by this command, not by their own clock.
            let seconds = duration(args.time).as_secs() + 3600;
            command
                .arg(program.workload.kind.as_str())
                .arg(&*program.workload.name)
                .args(["--device", &args.device, "--seconds", &seconds.to_string(), "--socket"])
                .arg(socket)
                .args(program.arguments(args))
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            let child = command.spawn().map_err(|error| {
                Failure::bad_input(format_args!(
                    "--real: {} could not be started: {error}",
                    binary.display()
                ))
            })?;
            started.children.push(child);
        }
        started.wait_until_up()?;
        Ok(started)
    }

    /// Waits until an agent can measure as many workloads as were started.
    pub(super) fn wait_until_attached(&mut self, address: &Address) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let offers = wait_for(async {
                let mut agent = Agent::reach(address).await?;
                Ok::<_, Failure>(agent.board().await?.offers)
            })?;
            if offers.len() >= self.children.len() {
                return Ok(());
            }
            self.notice_the_dead()?;
            if began.elapsed() > STARTING {
                return Err(Failure::bad_input(format_args!(
                    "--real: after {} s {} of {} programs had attached",
                    STARTING.as_secs(),
                    offers.len(),
                    self.children.len()
                )));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A program that cannot run says so and ends at once.
    fn wait_until_up(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        while began.elapsed() < STARTING.min(Duration::from_millis(500)) {
            self.notice_the_dead()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn notice_the_dead(&mut self) -> Result<(), Failure> {
        for child in &mut self.children {
            if child.try_wait()?.is_some() {
                return Err(Failure::bad_input("--real: a program ended at once; see above"));
            }
        }
        Ok(())
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
