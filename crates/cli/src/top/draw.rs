//! Draws the screen: a title, four panels, the state and the keys.

use fulcrum_board::Quantity;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::palette::Palette;
use super::panels::Panels;
use super::state::{AgentView, Screen};

/// What the readings panel shows beside temperatures.
const OTHERS: [Quantity; 6] = [
    Quantity::Clock,
    Quantity::Load,
    Quantity::FanDrive,
    Quantity::FanSpeed,
    Quantity::Count,
    Quantity::Memory,
];

/// Draws the screen.
pub(crate) fn draw(frame: &mut Frame<'_>, screen: &Screen) {
    let palette = Palette::new(screen.colour);
    let [top, middle, keys] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(Line::styled(title(screen), palette.title()), top);
    frame.render_widget(Line::raw(key_help(screen)), keys);
    let Some(agent) = screen.agent() else { return };
    match &agent.board {
        Some(board) => {
            panels(frame, middle, &Panels::new(screen, agent, board, palette), agent, palette);
        }
        None => {
            let said = agent.problem.as_deref().unwrap_or("asking the agent ...");
            let paragraph = Paragraph::new(said.to_owned()).wrap(Wrap { trim: true });
            frame.render_widget(paragraph.style(palette.alarm()), middle);
        }
    }
}

fn title(screen: &Screen) -> String {
    let Some(agent) = screen.agent() else { return "fulcrum top".into() };
    let place = match screen.place() {
        (_, 1) => String::new(),
        (place, count) => format!("[{place}/{count}] "),
    };
    let board = agent.board.as_ref().map(|board| {
        format!("{}, {}, {} modes", board.identity.model, board.identity.kind, board.space.len())
    });
    format!("fulcrum top  {place}{}  {}", board.unwrap_or_default(), agent.address)
}

fn key_help(screen: &Screen) -> &'static str {
    if screen.place().1 > 1 { "q quit   tab next agent" } else { "q quit" }
}

fn panels(
    frame: &mut Frame<'_>,
    area: Rect,
    panels: &Panels<'_>,
    agent: &AgentView,
    palette: Palette,
) {
    let mut state = panels.state();
    if let Some(problem) = &agent.problem {
        state.insert(0, Line::styled(format!("no news   {problem}"), palette.alarm()));
    }
    // At least a line of state; at most a third of the screen.
    let state_height = (state.len() as u16).clamp(1, (area.height / 3).max(3)) + 2;
    let [upper, lower] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(state_height)]).areas(area);
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(upper);
    let power = panels.power(left.width.saturating_sub(2));
    let mode = panels.mode();
    let [power_area, heat_area] = two(left, power.len());
    let [mode_area, other_area] = two(right, mode.len());
    panel(frame, power_area, "power", power, palette);
    let heat = panels.readings(&[Quantity::Temperature], heat_area.width.saturating_sub(2));
    panel(frame, heat_area, "temperatures", heat, palette);
    panel(frame, mode_area, "power mode", mode, palette);
    let others = panels.readings(&OTHERS, other_area.width.saturating_sub(2));
    panel(frame, other_area, "clocks, loads, fan, memory", others, palette);
    panel(frame, lower, "state", state, palette);
}

/// An area for so many lines in a frame, and the rest below it.
fn two(area: Rect, lines: usize) -> [Rect; 2] {
    let height = (lines as u16 + 2).min(area.height * 2 / 3);
    Layout::vertical([Constraint::Length(height), Constraint::Min(0)]).areas(area)
}

/// A framed list; what has no room is counted.
fn panel(
    frame: &mut Frame<'_>,
    area: Rect,
    name: &str,
    mut lines: Vec<Line<'static>>,
    palette: Palette,
) {
    let block = Block::bordered().title(Line::styled(format!(" {name} "), palette.title()));
    let room = usize::from(block.inner(area).height);
    if lines.len() > room && room > 0 {
        let hidden = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(Line::styled(format!("{hidden} more lines have no room"), palette.absent()));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
