//! Rows in files: CSV with a header, or one JSON object a line.

use std::fmt::Display;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::Path;

use clap::ValueEnum;

use super::row::Row;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RowsFormat {
    /// Comma-separated, with a header
    Csv,
    /// One JSON object a line
    Ndjson,
}

/// A row that is wrong: its line, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongLine {
    pub(super) line: u64,
    pub(super) problem: String,
}

impl WrongLine {
    fn new(line: u64, problem: &impl Display) -> Self {
        Self { line, problem: problem.to_string() }
    }
}

impl RowsFormat {
    /// The format that a file's name says; none where it says none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }

    /// Writes rows.
    pub(super) fn writer<W: Write>(self, out: W) -> RowsWriter<W> {
        match self {
            Self::Csv => RowsWriter::Csv(Box::new(csv::Writer::from_writer(out))),
            Self::Ndjson => RowsWriter::Ndjson(out),
        }
    }

    /// Reads rows, each with its line, until one is wrong.
    pub(super) fn read(self, from: impl Read) -> Result<Vec<(u64, Row)>, WrongLine> {
        match self {
            Self::Csv => read_csv(from),
            Self::Ndjson => read_ndjson(from),
        }
    }
}

/// Writes one row after the other.
pub(super) enum RowsWriter<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Ndjson(W),
}

impl<W: Write> RowsWriter<W> {
    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        match self {
            Self::Csv(out) => out.serialize(row).map_err(io::Error::from),
            Self::Ndjson(out) => {
                serde_json::to_writer(&mut *out, row)?;
                out.write_all(b"\n")
            }
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(mut out) => out.flush(),
            Self::Ndjson(mut out) => out.flush(),
        }
    }
}

fn read_csv(from: impl Read) -> Result<Vec<(u64, Row)>, WrongLine> {
    let mut reader = csv::Reader::from_reader(from);
    let header = reader.headers().map_err(|error| WrongLine::new(1, &error))?.clone();
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        let more = reader.read_record(&mut record).map_err(|error| WrongLine::new(line, &error))?;
        if !more {
            return Ok(rows);
        }
        let line = record.position().map_or(line, csv::Position::line);
        let row = record.deserialize(Some(&header)).map_err(|error| match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => {
                let column = err.field().and_then(|field| header.get(field as usize));
                let column = column.map_or_else(String::new, |name| format!("`{name}`: "));
                WrongLine::new(line, &format_args!("{column}{}", err.kind()))
            }
            _ => WrongLine::new(line, &error),
        })?;
        rows.push((line, row));
    }
}

fn read_ndjson(from: impl Read) -> Result<Vec<(u64, Row)>, WrongLine> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(BufReader::new(from).lines()) {
        let text = text.map_err(|error| WrongLine::new(line, &error))?;
        if text.trim().is_empty() {
            continue;
        }
        let row = serde_json::from_str(&text).map_err(|error| WrongLine::new(line, &error))?;
        rows.push((line, row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "board_model,software,workload,kind,fingerprint,mode,batch_size,\
                        minibatch_seconds,power_watts,relative_error_ratio,failure,\
                        peak_temperature_celsius,measured_by,measure_time,suspect\n\
                        p3701,L4T,resnet18,train,,gpu_khz=1,16,0.1,30,0.01,,,orin-7,\
                        2026-11-25T17:40:10Z,false\n\
                        p3701,L4T,yolo,train,,gpu_khz=1,16,,,0,out of memory,,orin-7,,true\n";

    #[test]
    fn what_is_written_is_read_back_in_both_formats() {
        let rows = RowsFormat::Csv.read(GOOD.as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        for format in [RowsFormat::Csv, RowsFormat::Ndjson] {
            let mut text = Vec::new();
            let mut writer = format.writer(&mut text);
            for (_, row) in &rows {
                writer.write(row).unwrap();
            }
            writer.finish().unwrap();
            let read = format.read(&*text).unwrap();
            assert!(read.iter().map(|(_, row)| row).eq(rows.iter().map(|(_, row)| row)));
            let wire = read[0].1.to_wire().unwrap();
            assert_eq!(&Row::from(wire), &rows[0].1);
        }
    }

    #[test]
    fn a_wrong_line_is_named_with_its_column() {
        let wrong = GOOD.replace("0.1,30", "0.1,much");
        let error = RowsFormat::Csv.read(wrong.as_bytes()).unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.problem.contains("`power_watts`"), "{}", error.problem);
        let error = RowsFormat::Csv.read("a,b\n1,2\n".as_bytes()).unwrap_err();
        assert_eq!(error.line, 2);
        let error = RowsFormat::Ndjson.read("\n{\"mode\": 1}\n".as_bytes()).unwrap_err();
        assert_eq!(error.line, 2);
        let (_, mut row) = RowsFormat::Csv.read(GOOD.as_bytes()).unwrap().remove(0);
        row = serde_json::from_value({
            let mut value = serde_json::to_value(&row).unwrap();
            value["measure_time"] = "yesterday".into();
            value
        })
        .unwrap();
        assert!(row.to_wire().unwrap_err().contains("`measure_time` is `yesterday`"));
    }
}
