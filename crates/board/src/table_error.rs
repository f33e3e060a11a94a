//! Why a profile table cannot be read: where, what, and what would be right, in one line.

use std::fmt;
use std::io;

/// Why a profile table cannot be read. Its text is one line, such as
/// ``tables/a.csv:12: column `power_w`: `abc` is not a number; write it like 18.4``.
#[derive(Debug, thiserror::Error)]
#[error("{place}{problem}")]
pub struct TableError {
    place: Box<Place>,
    problem: Box<TableProblem>,
}

impl TableError {
    /// Of no file in particular.
    pub(crate) fn nowhere(problem: TableProblem) -> Self {
        Self::at(Place::default(), problem)
    }

    /// Of a whole file or folder.
    pub(crate) fn in_file(file: &str, problem: TableProblem) -> Self {
        Self::at(Place { file: shown(file), ..Place::default() }, problem)
    }

    /// Of a whole line, counted from 1.
    pub(crate) fn in_line(file: &str, line: u64, problem: TableProblem) -> Self {
        Self::at(Place { file: shown(file), line: Some(line), column: None }, problem)
    }

    /// Of one field.
    pub(crate) fn in_column(file: &str, line: u64, column: Column, problem: TableProblem) -> Self {
        Self::at(Place { file: shown(file), line: Some(line), column: Some(column) }, problem)
    }

    fn at(place: Place, problem: TableProblem) -> Self {
        Self { place: Box::new(place), problem: Box::new(problem) }
    }

    /// The file or folder; empty where none was given.
    pub fn file(&self) -> &str {
        &self.place.file
    }

    /// The line in the file, counted from 1, if it is one line's fault.
    pub fn line(&self) -> Option<u64> {
        self.place.line
    }

    /// The column, if it is one column's fault.
    pub fn column(&self) -> Option<&Column> {
        self.place.column.as_ref()
    }

    /// What is wrong there.
    pub fn problem(&self) -> &TableProblem {
        &self.problem
    }
}

#[derive(Debug, Default)]
struct Place {
    file: String,
    line: Option<u64>,
    column: Option<Column>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() {
            return Ok(());
        }
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.column {
            Some(column) => write!(f, ": column {column}: "),
            None => f.write_str(": "),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// By the name in the header.
    Named(String),
    /// By its place, counted from 1, where it has no name.
    Numbered(usize),
}

impl Column {
    pub(crate) fn named(name: &str) -> Self {
        Self::Named(shown(name))
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "`{name}`"),
            Self::Numbered(number) => number.fmt(f),
        }
    }
}

/// What is wrong with a profile table. Texts from the table are cut short and kept to one line.
#[derive(Debug, thiserror::Error)]
pub enum TableProblem {
    /// No path was given at all.
    #[error("no profile table was given; give a CSV file or a folder of them")]
    NoPath,
    /// A path leads nowhere.
    #[error("there is no such file or folder")]
    NotFound,
    /// A folder without tables.
    #[error("the folder holds no .csv file")]
    EmptyFolder,
    /// The system refused.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// The bytes are not text.
    #[error("is not UTF-8; save the table as UTF-8 text")]
    NotUtf8,
    /// Not even a header.
    #[error("the file is empty; its first line has to name the columns, such as {HEADER_EXAMPLE}")]
    Empty,
    /// A header and nothing else.
    #[error("there is no row below the header; each row is one profile")]
    NoRow,
    /// A header field is blank.
    #[error("has no name; name it in the header or remove it")]
    Unnamed,
    /// A column that every table needs.
    #[error("is missing; the header has to be like {HEADER_EXAMPLE}")]
    MissingColumn,
    /// The header names a column again.
    #[error("is named again; its first place is {first}, keep one of them")]
    RepeatedColumn {
        /// The place of the first, counted from 1.
        first: usize,
    },
    /// There is nothing that a power mode could set.
    #[error("no column is a knob; add one for each thing that was set, such as gpu_khz")]
    NoKnob,
    /// A knob that an earlier file does not have.
    #[error("is no knob of {file}; files that are read together have the same knobs")]
    OtherKnob {
        /// The earlier file.
        file: String,
    },
    /// A knob of an earlier file is missing.
    #[error("is missing; it is a knob of {file}, and files that are read together have the same")]
    MissingKnob {
        /// The earlier file.
        file: String,
    },
    /// A row with too few or too many fields.
    #[error("the row has {found} fields where the header has {expected}; give it {expected}")]
    Ragged {
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// Text in a number's place.
    #[error("`{text}` is not a number; write {example}")]
    NotANumber {
        /// The text.
        text: String,
        /// What would be right.
        example: &'static str,
    },
    /// NaN, infinite, or beyond what can be represented.
    #[error("`{text}` is not a finite number; write {example}")]
    NotFinite {
        /// The text.
        text: String,
        /// What would be right.
        example: &'static str,
    },
    /// A time or a power that cannot be.
    #[error("`{text}` is not greater than zero; write {example}")]
    NotPositive {
        /// The text.
        text: String,
        /// What would be right.
        example: &'static str,
    },
    /// A standard error that cannot be.
    #[error("`{text}` is less than zero; write {example}")]
    Negative {
        /// The text.
        text: String,
        /// What would be right.
        example: &'static str,
    },
    /// No batch size.
    #[error("`{text}` is not a batch size; write a whole number from 1 to 4294967295, such as 16")]
    BatchSize {
        /// The text.
        text: String,
    },
    /// Neither training nor inference.
    #[error("unknown kind `{text}`; write train or infer")]
    UnknownKind {
        /// The text.
        text: String,
    },
    /// A blank name.
    #[error("is empty; write {example}")]
    Blank {
        /// What would be right.
        example: &'static str,
    },
    /// Rows of two devices.
    #[error("`{text}` is another device than `{device}` before it; read one device at a time")]
    OtherDevice {
        /// The device of this row.
        text: String,
        /// The device of the rows before.
        device: String,
    },
    /// The same measurement twice.
    #[error(
        "repeats {file}:{line}: same workload, kind, batch_size and knobs; keep one of the rows"
    )]
    Duplicate {
        /// The file of the first.
        file: String,
        /// The line of the first.
        line: u64,
    },
    /// More levels than a power mode can point at.
    #[error("has more than 65536 distinct levels; is this column a knob?")]
    TooManyLevels,
    /// More combinations of levels than can be numbered.
    #[error("the knobs span more than 2^32 combinations of levels; is every column a knob?")]
    TooManyModes,
}

const HEADER_EXAMPLE: &str = "device,workload,kind,batch_size,cpu_khz,gpu_khz,minibatch_ms,power_w";

/// A text from a table, fit for a message: one line and not long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut line: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| {
            let escaped = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            let (plain, escape) = if escaped { (None, Some(c)) } else { (Some(c), None) };
            plain.into_iter().chain(escape.into_iter().flat_map(char::escape_default))
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

/// A field that is wrong, cut shorter than a file's name is.
pub(crate) fn shown_field(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => shown(&text[..end]) + "…",
        None => shown(text),
    }
}
