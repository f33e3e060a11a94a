//! The machine that is looked at: its kernel's files, read and never written, and what a board
//! makes of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fulcrum_board::{Absence, Files};

use super::described::{Described, describe};

/// A machine below a root.
pub(crate) struct Machine<'a> {
    files: Arc<dyn Files>,
    may_write: &'a dyn Fn(&Path) -> bool,
    described: Result<Described, String>,
}

impl<'a> Machine<'a> {
    /// A machine whose files are these. `may_write` says whether this process may write a file,
    /// without trying.
    pub(crate) fn new(files: Arc<dyn Files>, may_write: &'a dyn Fn(&Path) -> bool) -> Self {
        let described = describe(&files);
        Self { files, may_write, described }
    }

    /// What a board makes of it, or why it makes nothing.
    pub(super) fn described(&self) -> Result<&Described, &str> {
        self.described.as_ref().map_err(String::as_str)
    }

    /// A file's text without the white space, or the zero byte of a device tree, at its ends.
    pub(crate) fn text(&self, path: impl AsRef<Path>) -> Result<String, Absence> {
        let text = self.files.read(path.as_ref()).map_err(|error| Absence::of(&error))?;
        Ok(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
    }

    /// A file that holds one number. Some kernels say `<unknown>` instead.
    pub(crate) fn number(&self, path: impl AsRef<Path>) -> Result<f64, Absence> {
        let text = self.text(path)?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| Absence::Unreadable(text.chars().take(40).collect()))
    }

    /// Whole numbers apart by spaces: a table of frequencies.
    pub(crate) fn table(&self, path: impl AsRef<Path>) -> Vec<u64> {
        let text = self.text(path).unwrap_or_default();
        text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
    }

    /// Whether there is a file or a folder of this path.
    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.files.exists(path.as_ref())
    }

    /// The first of these paths that is there.
    pub(crate) fn first_of(&self, paths: &[&str]) -> Option<PathBuf> {
        paths.iter().map(PathBuf::from).find(|path| self.files.exists(path))
    }

    /// The entries of a folder by their whole paths; none where it cannot be listed.
    pub(crate) fn entries(&self, folder: impl AsRef<Path>) -> Vec<PathBuf> {
        let folder = folder.as_ref();
        let names = self.files.list(folder).unwrap_or_default();
        names.into_iter().map(|name| folder.join(name)).collect()
    }

    /// The folders `policy0`, `policy4`, … in a folder, by the number that follows the name.
    pub(crate) fn numbered(&self, folder: impl AsRef<Path>, name: &str) -> Vec<PathBuf> {
        let number = |path: &PathBuf| -> Option<u32> {
            path.file_name()?.to_str()?.strip_prefix(name)?.parse().ok()
        };
        let mut found: Vec<(u32, PathBuf)> = self
            .entries(folder)
            .into_iter()
            .filter_map(|path| number(&path).map(|number| (number, path)))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// Whether this process may write a file.
    pub(crate) fn may_write(&self, path: impl AsRef<Path>) -> bool {
        (self.may_write)(path.as_ref())
    }

    /// Whether it is a Jetson.
    pub(crate) fn is_jetson(&self) -> bool {
        // One whose board cannot be described is still one.
        self.described.as_ref().map_or(true, |board| board.identity.kind == "jetson")
    }
}
