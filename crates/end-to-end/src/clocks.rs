//! Clocks that can be set: each process sees the time of a file of its own, by libfaketime. How time
//! passes (the monotonic clock) stays as it is, as on a machine whose clock is set.

use std::path::{Path, PathBuf};

/// The clocks of a test's processes, by their names.
#[derive(Debug)]
pub struct Clocks {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl Clocks {
    /// Clocks that go right, until they are set.
    ///
    /// # Panics
    /// When there is no libfaketime, of Debian's package `faketime`: the test cannot go on.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn right() -> Self {
        let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let named = |folder: PathBuf| folder.join("faketime/libfaketimeMT.so.1");
        let found = libraries.map(|entry| named(entry.path())).find(|library| library.exists());
        let library = found.expect(
            "the tests set clocks: install the package `faketime` (tests/install-faketime.sh does)",
        );
        let folder = tempfile::Builder::new().prefix("fulcrum").tempdir_in("/tmp");
        Self { folder: folder.expect("a folder"), library }
    }

    /// What a process of this name has to have in its environment, before it starts.
    ///
    /// # Panics
    /// When its clock cannot be written.
    pub fn environment(&self, name: &str) -> Vec<(String, String)> {
        let file = self.file(name);
        if !file.exists() {
            self.set(name, 0);
        }
        let text = |path: &Path| path.display().to_string();
        [
            ("LD_PRELOAD", text(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", text(&file)),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Sets a process's clock to so many seconds after the right time. The process sees it within a
    /// second.
    ///
    /// # Panics
    /// When it cannot be written.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn set(&self, name: &str, after_seconds: i64) {
        // All at once: a process may read at any time.
        let new = self.folder.path().join("new");
        std::fs::write(&new, format!("{after_seconds:+}s\n")).expect("a clock");
        std::fs::rename(&new, self.file(name)).expect("a clock");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
