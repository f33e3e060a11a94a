//! On which line of a table's text something stands.

use csv::StringRecord;

/// Counts the lines up to each record. The reader's own count leaves it open whether the blank
/// lines and the line feed before a record are the record's.
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    end_of_line: u8,
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let end_of_line = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
        Self { bytes, end_of_line, counted: 0, line: 1 }
    }

    /// The line on which a record begins; records are asked for in their order.
    pub(crate) fn of(&mut self, record: &StringRecord) -> u64 {
        let start = record.position().map_or(0, |position| position.byte() as usize);
        let rest = self.bytes.get(start..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = start + blank;
        self.line += self.ends_of_line(start);
        self.counted = start;
        self.line
    }

    fn ends_of_line(&self, until: usize) -> u64 {
        let passed = self.bytes.get(self.counted..until).unwrap_or_default();
        count(passed, self.end_of_line)
    }

    /// The line that a byte is on, and the byte at which that line begins.
    pub(crate) fn line_around(&self, at: usize) -> (u64, usize) {
        let before = &self.bytes[..at];
        let end = before.iter().rposition(|&byte| byte == self.end_of_line);
        (1 + count(before, self.end_of_line), end.map_or(0, |end| end + 1))
    }
}

/// How often a byte occurs.
pub(crate) fn count(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte == wanted)).sum()
}
