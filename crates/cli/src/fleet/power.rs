//! `fulcrum fleet power`: what all boards together may draw.

use clap::Args;
use fulcrum_api::v1;
use fulcrum_domain::Watts;
use fulcrum_service::new_id;

use crate::agents::wait_for;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::services::OneScheduler;

/// Arguments of `fulcrum fleet power`.
#[derive(Args)]
pub(crate) struct PowerArgs {
    /// What all boards together may draw: 150W; `off` for no limit. Left out it is only said
    #[arg(value_name = "POWER", value_parser = power)]
    power: Option<Limit>,
    #[command(flatten)]
    scheduler: OneScheduler,
}

/// A limit, or none.
#[derive(Debug, Clone, Copy)]
struct Limit(Option<Watts>);

fn power(text: &str) -> Result<Limit, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    let watts = text.parse().map_err(|error| format!("{error}, or `off`"))?;
    Ok(Limit(Some(watts)))
}

/// Sets the limit, where one is given, and says it.
pub(crate) fn run(args: &PowerArgs) -> Result<Exit, Failure> {
    let answer = wait_for(async {
        let mut client = args.scheduler.reach().await?;
        let refused = |status| args.scheduler.refused(&status);
        if let Some(Limit(watts)) = args.power {
            let request =
                v1::SetSitePowerRequest { watts: watts.map(Watts::get), request_id: new_id() };
            client.set_site_power(request).await.map_err(refused)?;
        }
        let answer = client.get_site_power(v1::GetSitePowerRequest {}).await;
        Ok(answer.map_err(refused)?.into_inner())
    })?;
    let limit = answer.watts.map_or_else(|| "no limit".into(), |watts| format!("{watts:.1} W"));
    print(&format!("{limit}; the plans in force may draw {:.1} W", answer.in_force_watts))?;
    Ok(Exit::Solved)
}
