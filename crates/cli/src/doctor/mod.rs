//! `fulcrum doctor`: looks at this machine and says what is there, what is missing and what to do.
//! It reads, and never writes.

mod agent;
mod check;
mod clocks;
mod described;
mod heat;
mod identity;
mod machine;
mod power;
mod report;
mod rights;
#[cfg(test)]
mod tests;
mod vendor;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fulcrum_board::Rooted;
use rustix::fs::{Access, access};

use crate::agents::OneAgent;
use crate::doctor::check::{Check, Verdict, worst};
use crate::doctor::machine::Machine;
use crate::exit::{Exit, Failure};
use crate::output::Format;

/// Arguments of `fulcrum doctor`.
#[derive(Args)]
pub(crate) struct DoctorArgs {
    /// Where this machine's file system begins; another folder in a container or a copy
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Where the agent keeps what it has to put back
    #[arg(long, value_name = "DIR", default_value = "/var/lib/fulcrum")]
    state_dir: PathBuf,
    #[command(flatten)]
    agent: OneAgent,
    /// How to print the checks
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Runs every check and prints what it found.
pub(crate) fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    if !args.root.is_dir() {
        let message = format!("--root {}: is no folder", args.root.display());
        return Err(Failure::bad_input(message));
    }
    let files = Rooted::new(&args.root);
    let may_write = |path: &Path| {
        let path = args.root.join(path.strip_prefix("/").unwrap_or(path));
        access(path, Access::WRITE_OK).is_ok()
    };
    let mut checks = of_machine(&Machine::new(Arc::new(files), &may_write));
    checks.extend(agent::checks(&args.agent, &args.state_dir)?);
    let text = match args.output {
        Format::Table => report::for_people(&checks),
        Format::Json => report::for_programs(&checks)?,
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(match worst(&checks) {
        Verdict::Skip | Verdict::Ok => Exit::Solved,
        Verdict::Warn => Exit::Warned,
        Verdict::Fail => Exit::Failed,
    })
}

/// The checks of the machine itself, in the order in which they are read.
fn of_machine(machine: &Machine<'_>) -> Vec<Check> {
    let checks: [fn(&Machine<'_>) -> Check; 17] = [
        identity::kind,
        identity::software,
        identity::modes,
        clocks::cpu,
        clocks::gpu_clock,
        clocks::memory_clock,
        clocks::locked,
        power::rails,
        power::total,
        heat::zones,
        heat::throttling,
        heat::fan,
        heat::over_current,
        rights::controls,
        rights::debug_files,
        vendor::configuration,
        vendor::reboot_modes,
    ];
    checks.iter().map(|check| check(machine)).collect()
}
