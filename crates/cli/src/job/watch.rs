//! `fulcrum job watch`: what happens to a job, a line each.

use clap::Args;
use fulcrum_api::v1;
use fulcrum_domain::Seconds;
use serde::Serialize;

use super::views::{JobView, WindowView};
use super::{resource, seconds, short, window_words};
use crate::agents::{interrupted, wait_for};
use crate::arguments::duration;
use crate::exit::{Exit, Failure};
use crate::output::{Format, print};
use crate::services::OneScheduler;

/// Arguments of `fulcrum job watch`.
#[derive(Args)]
pub(crate) struct WatchArgs {
    /// The job's name
    #[arg(value_name = "JOB")]
    name: String,
    #[command(flatten)]
    scheduler: OneScheduler,
    /// Watch for so long; until Ctrl-C unless given
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    time: Option<Seconds>,
    /// How to print it: with json one object a line
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Serialize)]
struct Told {
    job: JobView,
    events: Vec<EventView>,
    windows: Vec<WindowView>,
}

#[derive(Serialize)]
struct EventView {
    number: i64,
    board: Option<String>,
    what: String,
}

/// Prints what comes.
pub(crate) fn run(args: &WatchArgs) -> Result<Exit, Failure> {
    wait_for(async {
        let mut client = args.scheduler.reach().await?;
        let request = v1::WatchJobRequest { name: resource(&args.name), after_event: 0 };
        let refused = |status| args.scheduler.refused(&status);
        let mut told = client.watch_job(request).await.map_err(refused)?.into_inner();
        let end = async {
            match args.time {
                Some(time) => tokio::time::sleep(duration(time)).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let mut stood = String::new();
        loop {
            tokio::select! {
                () = &mut end => return Ok(Exit::Solved),
                caught = interrupted() => {
                    caught?;
                    return Ok(Exit::Solved);
                }
                message = told.message() => match message.map_err(refused)? {
                    Some(message) => show(args.output, &message, &mut stood)?,
                    None => return Ok(Exit::Solved),
                },
            }
        }
    })
}

fn show(output: Format, told: &v1::WatchJobResponse, stood: &mut String) -> Result<(), Failure> {
    let job = told.job.clone().unwrap_or_default();
    if output == Format::Json {
        let event = |event: &v1::JobEvent| EventView {
            number: event.number,
            board: Some(short(&event.board).to_owned()).filter(|board| !board.is_empty()),
            what: event.what.clone(),
        };
        let told = Told {
            job: JobView::from(&job),
            events: told.events.iter().map(event).collect(),
            windows: told.windows.iter().map(WindowView::from).collect(),
        };
        print(&serde_json::to_string(&told)?)?;
        return Ok(());
    }
    for event in &told.events {
        print(&format!("{}: {}", short(&event.board), event.what))?;
    }
    let stands = format!("{}: {}", job.state, job.message);
    if stands != *stood {
        print(&format!("{} is {stands}", short(&job.name)))?;
        *stood = stands;
    }
    for window in &told.windows {
        print(&format!("{}: {}", short(&window.board), window_words(window)))?;
    }
    Ok(())
}
