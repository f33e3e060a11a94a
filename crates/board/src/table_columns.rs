//! The header of a profile table: which column is what.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;

use crate::table_error::{Column, TableError, TableProblem, shown};

/// The columns that every table has beside its knobs, in the order in which they are written (the
/// knobs come before the readings).
const NEEDED: [&str; 6] = ["device", "workload", "kind", "batch_size", "minibatch_ms", "power_w"];

/// The column that only a table of noisy readings has: their relative standard error. It is no knob
/// either.
pub(crate) const RELATIVE_ERROR: &str = "relative_error";

/// Which field of a row is what.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) device: usize,
    pub(crate) workload: usize,
    pub(crate) kind: usize,
    pub(crate) batch_size: usize,
    pub(crate) minibatch_ms: usize,
    pub(crate) power_w: usize,
    /// None where the table has no such column: its readings are exact.
    pub(crate) relative_error: Option<usize>,
    /// In the order of the knobs' names.
    pub(crate) knobs: Vec<usize>,
    names: Vec<String>,
}

/// The knobs of the files that are read together, and the file that named them first.
#[derive(Debug)]
pub(crate) struct Knobs {
    pub(crate) names: Vec<String>,
    file: String,
}

impl Columns {
    /// Reads the header of a file; the first file's settles the knobs.
    pub(crate) fn of_header(
        header: &StringRecord,
        file: &str,
        line: u64,
        knobs: &mut Option<Knobs>,
    ) -> Result<Self, TableError> {
        let fail = |column, problem| TableError::in_column(file, line, column, problem);
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut places = HashMap::new();
        for (i, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(fail(Column::Numbered(i + 1), TableProblem::Unnamed));
            }
            if let Some(first) = places.insert(name.as_str(), i) {
                let first = first + 1;
                return Err(fail(Column::named(name), TableProblem::RepeatedColumn { first }));
            }
        }
        let place = |name: &str| {
            let place = places.get(name).copied();
            place.ok_or_else(|| fail(Column::named(name), TableProblem::MissingColumn))
        };
        let [device, workload, kind, batch_size, minibatch_ms, power_w] = NEEDED.map(place);
        let relative_error = places.get(RELATIVE_ERROR).copied();
        let is_knob = |name: &&String| *name != RELATIVE_ERROR && !NEEDED.contains(&name.as_str());
        let own: Vec<&String> = names.iter().filter(is_knob).collect();
        let (device, workload, kind) = (device?, workload?, kind?);
        let (batch_size, minibatch_ms, power_w) = (batch_size?, minibatch_ms?, power_w?);
        if own.is_empty() {
            return Err(TableError::in_line(file, line, TableProblem::NoKnob));
        }
        let knobs = knobs.get_or_insert_with(|| Knobs {
            names: own.iter().map(|&name| name.clone()).collect(),
            file: shown(file),
        });
        let known: HashSet<&str> = knobs.names.iter().map(String::as_str).collect();
        if let Some(other) = own.iter().find(|name| !known.contains(name.as_str())) {
            let problem = TableProblem::OtherKnob { file: knobs.file.clone() };
            return Err(fail(Column::named(other), problem));
        }
        if let Some(missing) = knobs.names.iter().find(|name| !places.contains_key(name.as_str())) {
            let problem = TableProblem::MissingKnob { file: knobs.file.clone() };
            return Err(fail(Column::named(missing), problem));
        }
        let knobs = knobs.names.iter().map(|name| places[name.as_str()]).collect();
        Ok(Self {
            device,
            workload,
            kind,
            batch_size,
            minibatch_ms,
            power_w,
            relative_error,
            knobs,
            names,
        })
    }

    /// How many fields a row has.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// A column, for a message.
    pub(crate) fn column(&self, place: usize) -> Column {
        match self.names.get(place) {
            Some(name) => Column::named(name),
            None => Column::Numbered(place + 1),
        }
    }
}
