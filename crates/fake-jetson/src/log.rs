//! What a tree served, and what was written to it.

use std::collections::BTreeMap;

use crate::devices::errno::Errno;
use crate::tree::FakeTree;

/// What a read got: the text, or the number of the error.
pub type Served = Result<String, i32>;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The path as it was given.
    pub path: String,
    /// The text.
    pub text: String,
    /// What came of it: the number of the error where it failed.
    pub result: Result<(), i32>,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    served: BTreeMap<String, Vec<Served>>,
    written: Vec<Written>,
}

impl Log {
    pub(crate) fn served(&mut self, path: &str, answer: &Result<String, Errno>) {
        let all = match self.served.get_mut(path) {
            Some(all) => all,
            None => self.served.entry(path.to_owned()).or_default(),
        };
        // A file that does not change is one entry, so that long runs stay small.
        if all.last() != Some(answer) {
            all.push(answer.clone());
        }
    }

    pub(crate) fn written(&mut self, path: &str, text: &str, result: Result<(), Errno>) {
        self.written.push(Written { path: path.to_owned(), text: text.to_owned(), result });
    }
}

impl FakeTree {
    /// What reads of this path got so far, in order; equal answers in a row are one. The path is
    /// the one that was asked for, whatever links it leads through.
    pub fn served(&self, path: &str) -> Vec<Served> {
        self.world().log.served.get(path).cloned().unwrap_or_default()
    }

    /// The paths that were read so far, found or not, sorted.
    pub fn read_paths(&self) -> Vec<String> {
        self.world().log.served.keys().cloned().collect()
    }

    /// The writes so far, in order, those that failed too.
    pub fn written(&self) -> Vec<Written> {
        self.world().log.written.clone()
    }

    /// Forgets what was served and written so far.
    pub fn forget(&self) {
        self.world().log = Log::default();
    }
}
