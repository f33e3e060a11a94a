//! The machine that the tests run on, as far as they may touch it.

use std::io;
use std::path::Path;

use fulcrum_board::{Files, Rooted};

/// This machine's files, which a test must not write.
#[derive(Debug)]
pub(crate) struct ReadOnly(Rooted);

impl ReadOnly {
    pub(crate) fn new() -> Self {
        Self(Rooted::new("/"))
    }
}

impl Files for ReadOnly {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0.read(path)
    }

    fn write(&self, path: &Path, _: &str) -> io::Result<()> {
        panic!("a test wrote {}", path.display())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.exists(path)
    }

    fn writable(&self, _: &Path) -> bool {
        false
    }
}
