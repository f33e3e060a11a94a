//! The lines of each panel.

use fulcrum_api::{BoardDescription, RemoteSample};
use fulcrum_board::{Quantity, Sensor, SensorValue};
use ratatui::text::{Line, Span};

use super::graph::graph;
use super::palette::Palette;
use super::state::{AgentView, Screen};
use crate::agents::Status;
use crate::output::readings::{level, reading, span, time_of_day};

/// The room for a name: `VDDQ_VDD2_1V8AO`, `memory_available`.
const NAME: usize = 16;

/// What a panel needs to make its lines.
pub(super) struct Panels<'a> {
    screen: &'a Screen,
    agent: &'a AgentView,
    board: &'a BoardDescription,
    palette: Palette,
}

impl<'a> Panels<'a> {
    pub(super) fn new(
        screen: &'a Screen,
        agent: &'a AgentView,
        board: &'a BoardDescription,
        palette: Palette,
    ) -> Self {
        Self { screen, agent, board, palette }
    }

    fn sensors(&self, quantities: &'a [Quantity]) -> impl Iterator<Item = (usize, &'a Sensor)> {
        let sensors = self.board.sensors.iter().enumerate();
        sensors.filter(|(_, sensor)| quantities.contains(&sensor.quantity))
    }

    fn value(&self, place: usize) -> Option<&'a SensorValue> {
        self.agent.sample().and_then(|sample| sample.values.get(place))
    }

    /// A value with its unit, aligned, or why there is none.
    fn said(&self, quantity: Quantity, value: Option<&SensorValue>) -> Span<'static> {
        match value {
            Some(value @ Ok(_)) => Span::raw(format!("{:>9}", reading(quantity, value))),
            Some(value) => {
                Span::styled(format!("{:>9}", reading(quantity, value)), self.palette.absent())
            }
            None => Span::styled(format!("{:>9}", "not yet"), self.palette.absent()),
        }
    }

    fn graph(&self, width: usize, value: impl Fn(&RemoteSample) -> Option<f64>) -> Span<'static> {
        let values: Vec<Option<f64>> = self.agent.samples.iter().map(value).collect();
        Span::styled(graph(&values, width), self.palette.graph())
    }

    /// Total power and the rails, each with a graph, and the energy.
    pub(super) fn power(&self, width: u16) -> Vec<Line<'static>> {
        let graph_width = usize::from(width).saturating_sub(NAME + 11).min(60);
        let name = |name: &str| Span::raw(format!("{name:<NAME$.NAME$}"));
        let sample = self.agent.sample();
        let total = sample.map(|sample| &sample.total_power);
        let mut lines = vec![Line::from(vec![
            name("total"),
            self.said(Quantity::Power, total),
            Span::raw(" "),
            self.graph(graph_width, |sample| sample.total_power.clone().ok()),
        ])];
        for (place, sensor) in self.sensors(&[Quantity::Power]) {
            lines.push(Line::from(vec![
                name(&sensor.part),
                self.said(Quantity::Power, self.value(place)),
                Span::raw(" "),
                self.graph(graph_width, |sample| sample.values.get(place)?.clone().ok()),
            ]));
        }
        if let Some(sample) = sample {
            let energy = Quantity::Energy;
            lines.push(Line::from(vec![
                name("energy"),
                self.said(energy, Some(&Ok(sample.energy_joules))),
                Span::raw(format!(" in {}", span(sample.energy_covered))),
            ]));
        }
        lines
    }

    /// What is wanted of each knob and what it shows, then the clocks that are read.
    pub(super) fn mode(&self) -> Vec<Line<'static>> {
        let mut lines = vec![Line::raw(format!("{:<NAME$}{:>9}{:>9}", "", "wanted", "shows"))];
        let status = self.agent.status.as_ref();
        for (place, knob) in self.board.space.knobs().iter().enumerate() {
            let wanted = status.and_then(|status| status.wanted.as_ref()?.get(place).copied());
            let wanted = wanted.map_or("-".into(), |wanted| level(knob, &Ok(wanted)));
            let shown = status.and_then(|status| status.shown.get(place));
            let overridden = status.is_some_and(|status| {
                status.overrides.iter().any(|other| other.knob == knob.name())
            });
            let style = match shown {
                _ if overridden => self.palette.alarm(),
                Some(Err(_)) => self.palette.absent(),
                _ => ratatui::style::Style::new(),
            };
            let shown = shown.map_or("not yet".into(), |shown| level(knob, shown));
            let mark = if overridden { " !" } else { "" };
            lines.push(Line::from(vec![
                Span::raw(format!("{:<NAME$.NAME$}{wanted:>9}", knob.name())),
                Span::styled(format!("{shown:>9}{mark}"), style),
            ]));
        }
        lines
    }

    /// One line a sensor of these quantities, or two sensors a line where there is room.
    pub(super) fn readings(&self, quantities: &'a [Quantity], width: u16) -> Vec<Line<'static>> {
        let columns = (usize::from(width) / (NAME + 10)).max(1);
        let mut sensors: Vec<(usize, &Sensor)> = self.sensors(quantities).collect();
        // There are many cores, so that they come last, where there may be no room.
        sensors.sort_by_key(|(_, sensor)| is_core(sensor));
        let cells: Vec<[Span<'static>; 2]> = sensors
            .into_iter()
            .map(|(place, sensor)| {
                let name = Span::raw(format!("{:<NAME$.NAME$}", name_of(sensor)));
                [name, self.said(sensor.quantity, self.value(place))]
            })
            .collect();
        cells
            .chunks(columns)
            .map(|row| {
                let gap = || Span::raw(" ");
                let cells = row.iter().flat_map(|[name, said]| [name.clone(), said.clone(), gap()]);
                Line::from(cells.collect::<Vec<_>>())
            })
            .collect()
    }

    /// The lease, what is overridden, what the guards did and what is still to be put back.
    pub(super) fn state(&self) -> Vec<Line<'static>> {
        let Some(status) = &self.agent.status else {
            return vec![Line::styled("not yet", self.palette.absent())];
        };
        let mut lines = vec![Line::raw(format!("lease     {}", self.lease(status)))];
        let alarm = |text: String| Line::styled(text, self.palette.alarm());
        if let Some(pending) = &status.restore_pending {
            lines.push(alarm(format!("pending   still to be put back: {pending}")));
        }
        for other in &status.overrides {
            let knob = self.board.space.knobs().iter().find(|knob| knob.name() == other.knob);
            let shown = knob.map_or_else(String::new, |knob| level(knob, &other.shown));
            lines.push(alarm(format!(
                "override  {} shows {shown}, by {}",
                other.knob, other.suspect
            )));
        }
        for action in status.guard_actions.iter().rev() {
            let time = action.time.map(time_of_day).unwrap_or_default();
            lines.push(alarm(format!("guard     {time} {}", action.reason)));
        }
        lines
    }

    fn lease(&self, status: &Status) -> String {
        let Some(lease) = &status.lease else { return "free".into() };
        let left = lease.expires.and_then(|end| end.duration_since(self.screen.now).ok());
        let left = left.map(|left| format!(", for {}s unless renewed", left.as_secs()));
        format!("{}{}", lease.holder, left.unwrap_or_default())
    }
}

/// Whether it is of one core: `cpu7`.
fn is_core(sensor: &Sensor) -> bool {
    let number = sensor.part.strip_prefix("cpu").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The part, and of a part with many quantities also which it is.
fn name_of(sensor: &Sensor) -> String {
    match sensor.quantity {
        Quantity::Load => format!("{} load", sensor.part),
        Quantity::FanDrive => format!("{} drive", sensor.part),
        Quantity::FanSpeed => format!("{} speed", sensor.part),
        _ => sensor.part.clone(),
    }
}
