//! Reads profile tables: CSV files with one profile a row.
//!
//! The columns `device`, `workload`, `kind`, `batch_size`, `minibatch_ms` and `power_w` are
//! reserved and may come in any order, and so is `relative_error`, the readings' standard error as
//! a share, without which they are exact. Every other column is a knob, and its numbers are the
//! knob's levels. Files that are read together are of one device and have the same knobs.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use fulcrum_domain::{BatchSize, Profile};

use crate::profile_table::ProfileTable;
use crate::table_columns::{Columns, Knobs};
use crate::table_error::{Column, TableError, TableProblem, shown_field};
use crate::table_fields::{Scratch, level, relative_error, trimmed, watts};
use crate::table_levels::Levels;
use crate::table_lines::{Lines, count};
use crate::table_rows::Rows;

/// Reads one table from CSV files and folders of them. Of a folder, every `.csv` file in it is
/// read, by name; folders inside it are not.
///
/// # Errors
/// When something cannot be read or is not right: where, and what would be right.
pub fn read_tables(paths: &[PathBuf]) -> Result<ProfileTable, TableError> {
    let mut reading = Tables::default();
    for path in paths {
        for file in files_of(path)? {
            let name = file.display().to_string();
            let bytes = fs::read(&file).map_err(|error| io_error(&name, error))?;
            reading.read(&name, &bytes)?;
        }
    }
    reading.finish()
}

/// Reads a table from CSV text; messages call it by this name.
///
/// # Errors
/// When it cannot be read or is not right: where, and what would be right.
pub fn read_table(name: &str, mut reader: impl Read) -> Result<ProfileTable, TableError> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|error| io_error(name, error))?;
    let mut reading = Tables::default();
    reading.read(name, &bytes)?;
    reading.finish()
}

fn io_error(name: &str, error: io::Error) -> TableError {
    let problem = match error.kind() {
        io::ErrorKind::NotFound => TableProblem::NotFound,
        _ => TableProblem::Io(error),
    };
    TableError::in_file(name, problem)
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, TableError> {
    let name = path.display().to_string();
    let fail = |error| io_error(&name, error);
    if !fs::metadata(path).map_err(fail)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let file = entry.map_err(fail)?.path();
        let is_csv = file.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        if is_csv && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(TableError::in_file(&name, TableProblem::EmptyFolder));
    }
    Ok(files)
}

/// What has been read of all files so far.
#[derive(Debug, Default)]
struct Tables {
    knobs: Option<Knobs>,
    device: Option<String>,
    rows: Rows,
    levels: Vec<Levels>,
}

impl Tables {
    /// Reads one more file.
    fn read(&mut self, file: &str, bytes: &[u8]) -> Result<(), TableError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if let Err(error) = std::str::from_utf8(bytes) {
            return Err(not_utf8(file, bytes, error.valid_up_to()));
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(bytes);
        let mut lines = Lines::new(bytes);
        let mut record = StringRecord::new();
        let mut next = |record: &mut StringRecord| {
            let more =
                reader.read_record(record).map_err(|error| io_error(file, io::Error::from(error)));
            more.map(|more| more.then(|| lines.of(record)))
        };
        let Some(header_line) = next(&mut record)? else {
            return Err(TableError::in_line(file, 1, TableProblem::Empty));
        };
        let columns = Columns::of_header(&record, file, header_line, &mut self.knobs)?;
        self.levels.resize_with(columns.knobs.len(), Levels::default);
        let first = self.rows.len();
        // A guess from the length of the header, which is about that of a row.
        self.rows.reserve(bytes.len() / record.as_slice().len().max(32));
        self.rows.begin_file(file);
        let mut scratch = Scratch::default();
        while let Some(line) = next(&mut record)? {
            self.read_row(&record, &columns, &mut scratch, line).map_err(|(place, problem)| {
                TableError::in_column(file, line, columns.column(place), problem)
            })?;
        }
        if self.rows.len() == first {
            return Err(TableError::in_line(file, header_line, TableProblem::NoRow));
        }
        Ok(())
    }

    /// Reads one row, or says which field is wrong, and how.
    fn read_row(
        &mut self,
        record: &StringRecord,
        columns: &Columns,
        scratch: &mut Scratch,
        line: u64,
    ) -> Result<(), (usize, TableProblem)> {
        let (found, expected) = (record.len(), columns.count());
        if found != expected {
            return Err((found.min(expected), TableProblem::Ragged { found, expected }));
        }
        let field = |place: usize| trimmed(&record[place]);

        let device = field(columns.device);
        match &self.device {
            Some(known) if known == device => {}
            _ if device.is_empty() => {
                return Err((columns.device, TableProblem::Blank { example: "the device's name" }));
            }
            Some(known) => {
                let problem = TableProblem::OtherDevice {
                    text: shown_field(device),
                    device: shown_field(known),
                };
                return Err((columns.device, problem));
            }
            None => self.device = Some(device.to_owned()),
        }

        let name = field(columns.workload);
        if name.is_empty() {
            return Err((columns.workload, TableProblem::Blank { example: "the network's name" }));
        }
        let kind = field(columns.kind);
        let workload = self
            .rows
            .workload(name, kind)
            .ok_or_else(|| (columns.kind, TableProblem::UnknownKind { text: shown_field(kind) }))?;

        let text = field(columns.batch_size);
        let batch_size = text.parse().ok().and_then(BatchSize::new).ok_or_else(|| {
            (columns.batch_size, TableProblem::BatchSize { text: shown_field(text) })
        })?;

        scratch.levels.clear();
        for (levels, &place) in self.levels.iter_mut().zip(&columns.knobs) {
            scratch.levels.push(level(levels, field(place)).map_err(|problem| (place, problem))?);
        }
        let minibatch = scratch
            .seconds_of_millis(field(columns.minibatch_ms))
            .map_err(|problem| (columns.minibatch_ms, problem))?;
        let power = watts(field(columns.power_w)).map_err(|problem| (columns.power_w, problem))?;
        let error = match columns.relative_error {
            Some(place) => relative_error(field(place)).map_err(|problem| (place, problem))?,
            None => 0.0,
        };
        let profile = Profile { minibatch, power, error };
        self.rows.push(line, workload, &scratch.levels, batch_size, profile);
        Ok(())
    }

    fn finish(self) -> Result<ProfileTable, TableError> {
        let (Some(knobs), Some(device)) = (self.knobs, self.device) else {
            return Err(TableError::nowhere(TableProblem::NoPath));
        };
        self.rows.into_table(&device, &knobs.names, &self.levels)
    }
}

fn not_utf8(file: &str, bytes: &[u8], at: usize) -> TableError {
    let lines = Lines::new(bytes);
    let (line, start) = lines.line_around(at);
    let column = 1 + count(&bytes[start..at], b',');
    TableError::in_column(file, line, Column::Numbered(column as usize), TableProblem::NotUtf8)
}
