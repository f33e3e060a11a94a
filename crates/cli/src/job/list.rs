//! `fulcrum job list`: a row a job.

use clap::Args;
use fulcrum_api::v1;

use super::short;
use super::views::JobView;
use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::output::{Format, print, table};
use crate::services::OneScheduler;

/// Arguments of `fulcrum job list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    scheduler: OneScheduler,
    /// How to print the list
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Prints all jobs.
pub(crate) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let jobs = wait_for(async {
        let mut client = args.scheduler.reach().await?;
        let mut jobs = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListJobsRequest { page_size: 1000, page_token };
            let answer = client.list_jobs(request).await;
            let page = answer.map_err(|status| args.scheduler.refused(&status))?.into_inner();
            jobs.extend(page.jobs);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(jobs);
            }
        }
    })?;
    if args.output == Format::Json {
        let jobs: Vec<JobView> = jobs.iter().map(JobView::from).collect();
        print(&serde_json::to_string_pretty(&jobs)?)?;
        return Ok(Exit::Solved);
    }
    let mut rows = vec![["job", "state", "generation", ""].map(str::to_owned).to_vec()];
    rows.extend(jobs.into_iter().map(|job| {
        vec![short(&job.name).to_owned(), job.state, job.generation.to_string(), job.message]
    }));
    print(&table(&rows))?;
    Ok(Exit::Solved)
}
