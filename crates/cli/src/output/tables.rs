//! Tables for people.

use comfy_table::{CellAlignment, Table, presets};
use fulcrum_domain::{ModeSpace, OperatingPoint, Role, Watts};

/// A table without borders, its header first; columns of numbers are aligned to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some((header, rows)) = rows.split_first() {
        table.set_header(header);
        table.add_rows(rows);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        if is_of_numbers(rows, column.index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn is_of_numbers(rows: &[Vec<String>], column: usize) -> bool {
    let cells = rows.iter().skip(1).filter_map(|row| row.get(column));
    cells.into_iter().all(|cell| {
        cell.starts_with(|c: char| c.is_ascii_digit() || c == '-') && !cell.contains(' ')
    })
}

/// The points of a front, the header first.
pub(crate) fn front_rows(space: &ModeSpace, points: &[OperatingPoint]) -> Vec<Vec<String>> {
    let has = |role| points.iter().any(|point| point.profile(role).is_some());
    let (background, urgent) = (has(Role::Background), has(Role::Urgent));
    let mut header: Vec<String> = Vec::new();
    header.extend(urgent.then(|| "batch".to_owned()));
    header.extend(space.knobs().iter().map(|knob| knob.name().to_owned()));
    header.extend(background.then(|| "background".to_owned()));
    header.extend(urgent.then(|| "infer".to_owned()));
    header.push("peak power".to_owned());
    let row = |point: &OperatingPoint| {
        let time = |role| point.profile(role).map(|p| format!("{:.1}ms", p.minibatch.as_millis()));
        let power = [Role::Background, Role::Urgent]
            .into_iter()
            .filter_map(|role| point.profile(role))
            .fold(Watts::ZERO, |most, profile| most.max(profile.power));
        let mut row: Vec<String> = Vec::new();
        row.extend(point.batch_size().map(|batch| batch.to_string()));
        row.extend(space.levels(point.mode).map(|level| level.to_string()));
        row.extend(time(Role::Background));
        row.extend(time(Role::Urgent));
        row.push(format!("{power:.1}"));
        row
    };
    std::iter::once(header).chain(points.iter().map(row)).collect()
}
