//! What is drawn, by the state alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fulcrum_api::{BoardDescription, RemoteSample};
use fulcrum_board::{
    Absence, Identity, Profiler as _, Quantity, Sensor, SensorValue, SimulatedOrin, TotalPower,
};
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::draw::draw;
use super::plain;
use super::state::{News, Screen};
use crate::agents::{GuardAction, LeaseInfo, OverrideReport, Status};

/// The sensors of an AGX Orin with the first of their values, and how these change.
const SENSORS: &[(&str, Quantity, Result<f64, Absence>)] = &[
    ("VDD_GPU_SOC", Quantity::Power, Ok(3.36)),
    ("VDD_CPU_CV", Quantity::Power, Ok(0.48)),
    ("VIN_SYS_5V0", Quantity::Power, Ok(4.87)),
    ("VDDQ_VDD2_1V8AO", Quantity::Power, Err(Absence::Denied)),
    ("cpu", Quantity::Temperature, Ok(54.0)),
    ("gpu", Quantity::Temperature, Err(Absence::Gated)),
    ("cv0", Quantity::Temperature, Err(Absence::Gated)),
    ("tj", Quantity::Temperature, Ok(55.5)),
    ("cpu0", Quantity::Clock, Ok(1_728_000e3)),
    ("gpu", Quantity::Clock, Ok(306e6)),
    ("emc", Quantity::Clock, Err(Absence::Denied)),
    ("gpu", Quantity::Load, Ok(0.12)),
    ("fan", Quantity::FanDrive, Ok(0.4)),
    ("fan", Quantity::FanSpeed, Ok(1636.0)),
    ("oc3", Quantity::Count, Ok(2.0)),
    ("memory_available", Quantity::Memory, Ok(58.2e9)),
];

fn board() -> BoardDescription {
    let orin = SimulatedOrin::exact();
    let sensor = |(part, quantity, _): &(&str, Quantity, _)| Sensor {
        part: (*part).into(),
        quantity: *quantity,
        refresh: None,
    };
    BoardDescription {
        identity: Identity {
            kind: "jetson",
            model: "Jetson AGX Orin".into(),
            compatible: vec!["p3701-0005".into()],
            software: "L4T 36.4.3".into(),
        },
        space: orin.space().clone(),
        presets: orin.presets().to_vec(),
        sensors: SENSORS.iter().map(sensor).collect(),
        total_power: TotalPower::default(),
        offers: Vec::new(),
        generation: 0,
    }
}

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_764_000_000 + seconds)
}

/// The sample of a second; what has a value draws more and more.
fn sample(second: u64) -> RemoteSample {
    let grown = |value: &SensorValue| value.clone().map(|value| value * (1.0 + second as f64));
    let values: Vec<SensorValue> = SENSORS
        .iter()
        .map(|(_, quantity, value)| match quantity {
            Quantity::Power => grown(value),
            _ => value.clone(),
        })
        .collect();
    RemoteSample {
        time: time(second),
        values,
        total_power: Ok(9.11 * (1.0 + second as f64)),
        energy_joules: 9.11 * second as f64,
        energy_covered: Duration::from_secs(second),
        energy_samples: second,
    }
}

/// A mode is set, heat holds the GPU's clock down, and the guard has stepped in once.
fn status(board: &BoardDescription) -> Status {
    let wanted: Vec<f64> = board.space.levels(board.space.highest()).collect();
    let mut shown: Vec<SensorValue> = wanted.iter().copied().map(Ok).collect();
    shown[2] = Ok(306_000.0);
    shown[3] = Err(Absence::Denied);
    Status {
        wanted: Some(wanted.clone()),
        shown,
        overrides: vec![OverrideReport {
            knob: "gpu_khz".into(),
            wanted: wanted[2],
            shown: Ok(306_000.0),
            suspect: "thermal".into(),
        }],
        lease: Some(LeaseInfo {
            holder: "fulcrum plan by ada on host-7".into(),
            expires: Some(time(12)),
        }),
        guard_actions: vec![GuardAction {
            time: Some(time(1)),
            reason: "tj at 97.5C is over 95C".into(),
            levels: wanted,
        }],
        restore_pending: None,
    }
}

fn busy(addresses: &[&str]) -> Screen {
    let mut screen = Screen::new(addresses.iter().map(|&a| a.to_owned()), time(4), false);
    let board = board();
    let status = status(&board);
    screen.learn(0, News::Board(Box::new(board)));
    for second in 0..4 {
        screen.learn(0, News::Sample(sample(second)));
    }
    screen.learn(0, News::Status(status));
    screen
}

fn drawn(screen: &Screen, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, screen)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn everything_that_matters_fits_a_small_terminal() {
    assert_snapshot!(drawn(&busy(&["http://jetson-7:8470"]), 80, 24));
}

#[test]
fn a_larger_terminal_shows_more() {
    assert_snapshot!(drawn(&busy(&["http://jetson-7:8470", "http://jetson-8:8470"]), 120, 40));
}

#[test]
fn an_agent_that_does_not_answer_says_why() {
    let mut screen = Screen::new(["http://jetson-7:8470".to_owned()], time(0), false);
    screen.learn(0, News::Lost("no agent answers at http://jetson-7:8470".into()));
    assert_snapshot!(drawn(&screen, 80, 6));
}

#[test]
fn an_agent_that_went_away_leaves_its_last_sample_and_says_so() {
    let mut screen = busy(&["http://jetson-7:8470"]);
    screen.learn(0, News::Lost("the agent has ended the stream".into()));
    let text = drawn(&screen, 80, 24);
    assert!(text.contains("no news   the agent has ended the stream"), "{text}");
    assert!(text.contains("36.44W"), "{text}");
}

#[test]
fn agents_are_switched_around() {
    let mut screen = busy(&["a", "b", "c"]);
    screen.switch(true);
    assert_eq!(screen.place(), (2, 3));
    screen.switch(false);
    screen.switch(false);
    assert_eq!(screen.place(), (3, 3));
}

#[test]
fn a_terminal_of_any_size_can_be_drawn_on() {
    let screen = busy(&["http://jetson-7:8470"]);
    for width in [1, 2, 5, 20, 81, 300] {
        for height in [1, 2, 3, 5, 9, 25, 100] {
            drawn(&screen, width, height);
        }
    }
}

#[test]
fn without_colour_nothing_is_coloured() {
    let mut screen = busy(&["http://jetson-7:8470"]);
    let coloured = |screen: &Screen| {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| draw(frame, screen)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        buffer.content().iter().any(|cell| cell.fg != Color::Reset || !cell.modifier.is_empty())
    };
    assert!(!coloured(&screen));
    screen.colour = true;
    assert!(coloured(&screen));
}

#[test]
fn the_plain_text_has_every_sensor() {
    let text = plain(&busy(&["http://jetson-7:8470"]), 100, 60).unwrap();
    for (part, ..) in SENSORS {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("no room"), "{text}");
}
