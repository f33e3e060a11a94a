//! Colours, where they are wanted. Nothing is said by colour alone.

use ratatui::style::{Color, Modifier, Style};

/// The few styles there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    colour: bool,
}

impl Palette {
    pub(super) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn of(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// Titles.
    pub(super) fn title(self) -> Style {
        if self.colour { self.of(Color::Cyan).add_modifier(Modifier::BOLD) } else { Style::new() }
    }

    /// Graphs.
    pub(super) fn graph(self) -> Style {
        self.of(Color::Green)
    }

    /// What has no value.
    pub(super) fn absent(self) -> Style {
        self.of(Color::DarkGray)
    }

    /// What wants to be looked at.
    pub(super) fn alarm(self) -> Style {
        self.of(Color::Red)
    }
}
