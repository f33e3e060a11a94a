//! `fulcrum top`: a live view of boards in the terminal.

mod draw;
mod feed;
mod graph;
mod palette;
mod panels;
mod state;
mod terminal;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime};

use clap::Args;
use fulcrum_domain::Seconds;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use crate::agents::{Agent, ManyAgents, wait_for};
use crate::arguments::duration;
use crate::exit::{Exit, Failure};
use crate::top::draw::draw;
use crate::top::state::{News, Screen};

/// Arguments of `fulcrum top`.
#[derive(Args)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    agents: ManyAgents,
    /// Time between two samples, from 10ms to 60s
    #[arg(long, default_value = "1s")]
    interval: Seconds,
}

/// Shows the boards until the user has seen enough; where stdout is no terminal, once.
pub(crate) fn run(args: &TopArgs) -> Result<Exit, Failure> {
    if std::io::stdout().is_terminal() {
        return wait_for(live(args));
    }
    wait_for(once(args))
}

fn screen(args: &TopArgs) -> Screen {
    // https://no-color.org: set and not empty means no colour.
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let addresses = args.agents.addresses.iter().map(ToString::to_string);
    Screen::new(addresses, SystemTime::now(), colour)
}

async fn live(args: &TopArgs) -> Result<Exit, Failure> {
    let (sender, news) = unbounded_channel();
    let mut feeds = JoinSet::new();
    for (place, address) in args.agents.addresses.iter().enumerate() {
        let interval = duration(args.interval).max(Duration::from_millis(10));
        feeds.spawn(feed::feed(place, address.clone(), interval, sender.clone()));
    }
    terminal::show(screen(args), news).await?;
    Ok(Exit::Solved)
}

/// Prints what would be on the screen, as plain text and whole.
async fn once(args: &TopArgs) -> Result<Exit, Failure> {
    for address in &args.agents.addresses {
        let mut screen = Screen::new([address.to_string()], SystemTime::now(), false);
        let mut agent = Agent::reach(address).await?;
        let board = agent.board().await?;
        let sample = agent.sample(&board).await?;
        let status = agent.status(&board.space).await?;
        let lines = board.sensors.len() + board.space.knobs().len();
        screen.learn(0, News::Board(Box::new(board)));
        if let Some(sample) = sample {
            screen.learn(0, News::Sample(sample));
        }
        screen.learn(0, News::Status(status));
        writeln!(std::io::stdout(), "{}", plain(&screen, 100, lines as u16 + 24)?)?;
    }
    Ok(Exit::Solved)
}

/// The screen as text, without the empty lines within its panels and the keys at its end.
fn plain(screen: &Screen, width: u16, height: u16) -> Result<String, Failure> {
    let mut terminal = Terminal::new(TestBackend::new(width, height))?;
    terminal.draw(|frame| draw(frame, screen))?;
    let buffer = terminal.backend().buffer().clone();
    let rows = (0..buffer.area.height.saturating_sub(1)).map(|y| {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    });
    let empty = |row: &String| !row.is_empty() && row.chars().all(|c| c == '│' || c == ' ');
    Ok(rows.filter(|row| !empty(row)).collect::<Vec<_>>().join("\n"))
}
