//! `fulcrum front solve`: one problem, from what is stored.

use clap::Args;
use fulcrum_api::{Address, problem_to_wire, v1};
use fulcrum_domain::{Alternate, Watts};

use crate::agents::{address, wait_for};
use crate::arguments::{StreamBudgets, Workloads};
use crate::exit::{Exit, Failure};
use crate::job::plan_rows;
use crate::output::{Format, print, table};
use crate::services::OneOptimizer;

/// Arguments of `fulcrum front solve`.
#[derive(Args)]
pub(crate) struct SolveArgs {
    #[command(flatten)]
    optimizer: OneOptimizer,
    /// Agent of the board, which says what kind it is
    #[arg(long, value_name = "ADDRESS", value_parser = address, required_unless_present = "board")]
    agent: Option<Address>,
    /// Simulated board in the agent's place: simulated-orin-agx
    #[arg(long, value_name = "NAME", conflicts_with = "agent")]
    board: Option<String>,
    #[command(flatten)]
    workloads: Workloads,
    #[command(flatten)]
    stream: StreamBudgets,
    /// Power budget: 30W or 7500mW
    #[arg(long)]
    power: Watts,
    /// How the workloads take turns: strict or slack-aware
    #[arg(long, default_value = "slack-aware")]
    alternate: Alternate,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Prints the plan, or why there is none; says when a search would have to measure.
pub(crate) fn run(args: &SolveArgs) -> Result<Exit, Failure> {
    let problem = args.workloads.problem(&args.stream, args.power)?;
    let request = v1::SolveProblemsRequest {
        board_address: args.agent.as_ref().map(ToString::to_string).unwrap_or_default(),
        stand_in: args.board.clone().unwrap_or_default(),
        alternate: args.alternate.as_str().to_owned(),
        problems: vec![problem_to_wire(&problem)],
    };
    let answer = wait_for(async {
        let mut client = args.optimizer.reach().await?;
        let answer = client.solve_problems(request).await;
        let mut answers = answer.map_err(|s| args.optimizer.refused(&s))?.into_inner().answers;
        Ok(answers.pop().unwrap_or_default())
    })?;
    let outcome = answer.outcome.unwrap_or_default();
    let exit = match (answer.origin.as_str(), &outcome.plan) {
        ("", _) => Exit::Unsolved,
        (_, Some(_)) => Exit::Solved,
        (_, None) => Exit::Infeasible,
    };
    if args.output == Format::Json {
        let origin = Some(&answer.origin).filter(|origin| !origin.is_empty());
        let printed = serde_json::json!({ "origin": origin, "outcome": outcome });
        print(&serde_json::to_string_pretty(&printed)?)?;
        return Ok(exit);
    }
    match (exit, &outcome.plan) {
        (Exit::Unsolved, _) => {
            print("what is stored does not answer this; `fulcrum job submit` or a search would")?;
        }
        (_, Some(plan)) => {
            print(&table(&plan_rows(plan, &problem_to_wire(&problem), &answer.origin)))?;
        }
        (_, None) => print(&format!("INFEASIBLE  {}", outcome.because))?,
    }
    Ok(exit)
}
