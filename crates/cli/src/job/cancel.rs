//! `fulcrum job cancel`: ends a job.

use fulcrum_api::v1;
use fulcrum_service::new_id;

use super::{OneJob, short};
use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Has the job end.
pub(crate) fn run(args: &OneJob) -> Result<Exit, Failure> {
    let job = wait_for(async {
        let mut client = args.scheduler.reach().await?;
        let request = v1::CancelJobRequest { name: args.resource(), request_id: new_id() };
        let answer = client.cancel_job(request).await;
        let answer = answer.map_err(|status| args.scheduler.refused(&status))?;
        Ok(answer.into_inner().job.unwrap_or_default())
    })?;
    print(&format!("{}: ends, and its boards are given back", short(&job.name)))?;
    Ok(Exit::Solved)
}
