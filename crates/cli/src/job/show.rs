//! `fulcrum job show`: a job and each of its boards.

use serde::Serialize;

use super::views::{BoardView, JobView, PlanView};
use super::{OneJob, exit_of, short, window_words};
use crate::exit::{Exit, Failure};
use crate::output::{Format, print, table};

#[derive(Serialize)]
struct Shown {
    job: JobView,
    boards: Vec<BoardView>,
    plans: Vec<PlanView>,
}

/// Prints how the job stands, and a row a board.
pub(crate) fn run(args: &OneJob) -> Result<Exit, Failure> {
    let answer = args.get()?;
    let job = answer.job.unwrap_or_default();
    if args.output == Format::Json {
        let shown = Shown {
            job: JobView::from(&job),
            boards: answer.boards.iter().map(BoardView::from).collect(),
            plans: answer.plans.iter().map(PlanView::from).collect(),
        };
        print(&serde_json::to_string_pretty(&shown)?)?;
        return Ok(exit_of(&job));
    }
    let name = short(&job.name);
    print(&format!("{name}: {}, generation {}: {}", job.state, job.generation, job.message))?;
    if answer.boards.is_empty() {
        return Ok(exit_of(&job));
    }
    let mut rows = vec![["board", "state", "plan", "now"].map(str::to_owned).to_vec()];
    rows.extend(answer.boards.into_iter().map(|board| {
        let now = board.window.as_ref().map(window_words);
        vec![
            short(&board.board.unwrap_or_default().name).to_owned(),
            board.state,
            board.message,
            now.unwrap_or_else(|| "nothing seen".into()),
        ]
    }));
    print(&table(&rows))?;
    Ok(exit_of(&job))
}
