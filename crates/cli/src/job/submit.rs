//! `fulcrum job submit`: jobs as files say.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use fulcrum_api::{SchedulerClient, v1};
use fulcrum_domain::Seconds;
use fulcrum_service::new_id;

use super::{JobFile, exit_of, resource, seconds, short};
use crate::agents::wait_for;
use crate::arguments::duration;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::services::OneScheduler;

/// How often to look while waiting.
const LOOK: Duration = Duration::from_millis(100);

/// Arguments of `fulcrum job submit`.
#[derive(Args)]
pub(crate) struct SubmitArgs {
    /// Files of jobs, in TOML
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    scheduler: OneScheduler,
    /// Only check the files; nothing is changed
    #[arg(long)]
    check: bool,
    /// Wait at most so long until every job runs or cannot: 60s
    #[arg(long, value_name = "TIME", value_parser = seconds, conflicts_with = "check")]
    wait: Option<Seconds>,
}

/// Reads all files before the first job is submitted.
pub(crate) fn run(args: &SubmitArgs) -> Result<Exit, Failure> {
    let jobs: Vec<_> = args
        .files
        .iter()
        .map(|file| Ok((file, JobFile::read(file)?)))
        .collect::<Result<_, Failure>>()?;
    wait_for(async {
        let mut client = args.scheduler.reach().await?;
        // All of them are checked before one is changed.
        for validate_only in [true, false] {
            if args.check && !validate_only {
                break;
            }
            for (file, job) in &jobs {
                let request = v1::SubmitJobRequest {
                    name: resource(&job.name),
                    spec: Some(job.spec()),
                    validate_only,
                    request_id: new_id(),
                };
                let answer =
                    client.submit_job(request).await.map_err(|status| match status.code() {
                        tonic::Code::InvalidArgument => Failure::bad_input(format_args!(
                            "{}: {}",
                            file.display(),
                            status.message()
                        )),
                        _ => args.scheduler.refused(&status),
                    })?;
                let job = answer.into_inner().job.unwrap_or_default();
                let name = short(&job.name);
                match (validate_only, args.check) {
                    (true, true) => print(&format!("{name}: right"))?,
                    (true, false) => {}
                    (false, _) => print(&format!("{name}: generation {}", job.generation))?,
                }
            }
        }
        match args.wait {
            Some(time) => wait(args, &mut client, &jobs, duration(time)).await,
            None => Ok(Exit::Solved),
        }
    })
}

async fn wait(
    args: &SubmitArgs,
    client: &mut SchedulerClient,
    jobs: &[(&PathBuf, JobFile)],
    patience: Duration,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let mut exit = Exit::Solved;
    for (_, job) in jobs {
        loop {
            let request = v1::GetJobRequest { name: resource(&job.name) };
            let answer = client.get_job(request).await;
            let answer = answer.map_err(|status| args.scheduler.refused(&status))?.into_inner();
            let now = answer.job.unwrap_or_default();
            let said = || format!("{}: {}: {}", short(&now.name), now.state, now.message);
            if ["running", "infeasible"].contains(&now.state.as_str()) {
                print(&said())?;
                if exit == Exit::Solved {
                    exit = exit_of(&now);
                }
                break;
            }
            if began.elapsed() > patience {
                writeln!(std::io::stderr(), "waited long enough")?;
                print(&said())?;
                return Ok(Exit::Unsolved);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(exit)
}
