//! `fulcrum job explain`: why a job runs as it does.

use fulcrum_api::v1;

use super::{OneJob, exit_of, plan_rows, short, show};
use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::output::{Format, print, table};

/// So many of the latest events are told.
const EVENTS: usize = 20;

/// Prints each board's plan with what is left of the budgets, and what happened to the job.
pub(crate) fn run(args: &OneJob) -> Result<Exit, Failure> {
    if args.output == Format::Json {
        return show::run(args);
    }
    let answer = args.get()?;
    let job = answer.job.unwrap_or_default();
    print(&format!("{}: {}: {}", short(&job.name), job.state, job.message))?;
    for plan in &answer.plans {
        let board = short(&plan.board);
        let problem = plan.problem.clone().unwrap_or_default();
        let now = plan.plan.clone().unwrap_or_default();
        let current = if plan.generation == job.generation {
            String::new()
        } else {
            format!(" (of generation {}, the job is at {})", plan.generation, job.generation)
        };
        print(&format!("\n{board}{current}"))?;
        let origin = match (plan.origin.as_str(), plan.measurements) {
            (origin, 0) => format!("{origin}, nothing was measured for it"),
            (origin, count) => format!("{origin}, after {count} measurements"),
        };
        print(&table(&plan_rows(&now, &problem, &origin)))?;
        if let [.., last] = plan.rates_hertz.as_slice() {
            let count = plan.rates_hertz.len();
            print(&format!("{count} answers by arrival rate, up to {last:.1}/s"))?;
        }
    }
    let mut events = events(args)?;
    let skipped = events.len().saturating_sub(EVENTS);
    let named = if events.len() == 1 { "event" } else { "events" };
    print(&format!("\n{} {named}{}", events.len(), if skipped > 0 { ", the last" } else { "" }))?;
    let rows: Vec<Vec<String>> = events
        .drain(skipped..)
        .map(|event| vec![clock(&event), short(&event.board).to_owned(), event.what])
        .collect();
    let mut all = vec![["when", "board", "what"].map(str::to_owned).to_vec()];
    all.extend(rows);
    print(&table(&all))?;
    Ok(exit_of(&job))
}

fn events(args: &OneJob) -> Result<Vec<v1::JobEvent>, Failure> {
    wait_for(async {
        let mut client = args.scheduler.reach().await?;
        let request = v1::WatchJobRequest { name: args.resource(), after_event: 0 };
        let refused = |status| args.scheduler.refused(&status);
        let mut told = client.watch_job(request).await.map_err(refused)?.into_inner();
        Ok(told.message().await.map_err(refused)?.unwrap_or_default().events)
    })
}

/// When something happened: seconds ago.
fn clock(event: &v1::JobEvent) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let then = event.time.as_ref().map_or(0, |time| time.seconds);
    let ago = now.map_or(0, |now| now.as_secs()).saturating_sub(then.max(0).cast_unsigned());
    match ago {
        0..60 => format!("{ago} s ago"),
        60..3600 => format!("{} min ago", ago / 60),
        _ => format!("{} h ago", ago / 3600),
    }
}
