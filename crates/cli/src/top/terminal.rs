//! The terminal: drawn on while the view lasts, and left as it was found.

use std::time::{Duration, SystemTime};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, read};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval};

use super::draw::draw;
use super::state::{News, Screen};
use crate::agents::interrupted;
use crate::exit::Failure;

/// The screen is drawn at most so often.
const FRAME: Duration = Duration::from_millis(100);

/// The terminal while it is drawn on. It is put back when this is dropped, and also when the
/// program panics.
struct Drawing(DefaultTerminal);

impl Drop for Drawing {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the screen until the user has seen enough.
pub(super) async fn show(
    mut screen: Screen,
    mut news: UnboundedReceiver<(usize, News)>,
) -> Result<(), Failure> {
    let mut drawing = Drawing(ratatui::try_init()?);
    let mut keys = keys();
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let stop = interrupted();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            Some((agent, what)) = news.recv() => screen.learn(agent, what),
            Some(event) = keys.recv() => match event {
                Event::Key(key) if key.kind == KeyEventKind::Press => match wish(key) {
                    Some(Wish::End) => return Ok(()),
                    Some(Wish::Next) => screen.switch(true),
                    Some(Wish::Before) => screen.switch(false),
                    None => {}
                },
                _ => {}
            },
            _ = frames.tick() => {
                screen.now = SystemTime::now();
                drawing.0.draw(|frame| draw(frame, &screen))?;
            }
            stopped = &mut stop => return Ok(stopped?),
        }
    }
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    End,
    Next,
    Before,
}

fn wish(key: KeyEvent) -> Option<Wish> {
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Wish::End),
        KeyCode::Char('q') | KeyCode::Esc => Some(Wish::End),
        KeyCode::Tab | KeyCode::Right => Some(Wish::Next),
        KeyCode::BackTab | KeyCode::Left => Some(Wish::Before),
        _ => None,
    }
}

/// The keys, read on a thread of their own: waiting for one blocks. The thread ends with the
/// process.
fn keys() -> UnboundedReceiver<Event> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}
