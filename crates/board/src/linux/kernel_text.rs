//! The small texts in which a kernel shows its numbers, lists and names.

use std::path::{Path, PathBuf};

use crate::files::Files;
use crate::sensor::{Absence, SensorValue};

/// A file's text without the newline or the zero byte at its end.
pub(crate) fn text(files: &dyn Files, path: &Path) -> Result<String, Absence> {
    let text = files.read(path).map_err(|error| Absence::of(&error))?;
    Ok(trimmed(&text).to_owned())
}

/// Texts of sysfs end in a newline, those of the device tree in a zero byte.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// A file that holds one number. Some say `<unknown>` instead.
pub(crate) fn number(files: &dyn Files, path: &Path) -> SensorValue {
    let text = text(files, path)?;
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| unreadable(&text))
}

/// A file that holds one whole number.
pub(crate) fn whole(files: &dyn Files, path: &Path) -> Result<i64, Absence> {
    let text = text(files, path)?;
    text.parse().map_err(|_| unreadable(&text))
}

/// A text that is no value, shortened: it ends up in logs.
pub(crate) fn unreadable(text: &str) -> Absence {
    Absence::Unreadable(text.chars().take(40).collect())
}

/// Whole numbers apart by spaces, ascending and once each: a table of frequencies, which may end in
/// its unit, `(kHz)`. Nothing if it holds anything else.
pub(crate) fn table(text: &str) -> Vec<u64> {
    let words = text.split_whitespace().filter(|word| !word.starts_with('('));
    let numbers: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
    let mut numbers = numbers.unwrap_or_default();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// A list of processors as the kernel writes it, `0-3,6`, or apart by spaces. Nothing if it is no
/// such list.
pub(crate) fn processors(text: &str) -> Vec<u32> {
    /// More processors than any board has; a damaged list must not fill the memory.
    const MOST: u32 = 1024;
    let mut list = Vec::new();
    for part in text.split([',', ' ', '\n']).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.parse::<u32>(), last.parse::<u32>()) {
            (Ok(first), Ok(last)) if first <= last && last < MOST => list.extend(first..=last),
            _ => return Vec::new(),
        }
    }
    list.sort_unstable();
    list.dedup();
    list
}

/// The entries of a folder that are a word and a number, by number: `policy0`, `policy4`.
pub(crate) fn numbered(files: &dyn Files, folder: &Path, word: &str) -> Vec<(u32, PathBuf)> {
    let names = files.list(folder).unwrap_or_default();
    let mut entries: Vec<(u32, PathBuf)> = names
        .iter()
        .filter_map(|name| Some((name.strip_prefix(word)?.parse().ok()?, folder.join(name))))
        .collect();
    entries.sort_unstable();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors_are_read_in_both_spellings() {
        assert_eq!(processors("0-3,6\n"), [0, 1, 2, 3, 6]);
        assert_eq!(processors("4 5 6 7 "), [4, 5, 6, 7]);
        for text in ["", "3-1", "0-3,x", "0-4294967295", "12 34 z"] {
            assert_eq!(processors(text), [], "{text}");
        }
    }

    #[test]
    fn a_table_is_read_whole_or_not_at_all() {
        assert_eq!(table("665600 204000 204000 (kHz)\n"), [204_000, 665_600]);
        assert_eq!(table("12 34 z\n"), []);
    }
}
