//! The files through which a kernel shows its sensors and takes its settings.
//!
//! A board reaches them through [`Files`] only: [`Rooted`] is the real thing below any root, and
//! the tests put a tree in its place that misbehaves as real kernels do.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use crate::kept_open::{KeptOpen, whole_text};

/// A tree of small text files. Paths are absolute, as on the board: `/sys/class/hwmon`.
pub trait Files: Send + Sync + Debug {
    /// The whole text of a file.
    ///
    /// # Errors
    /// As the operating system says: `EAGAIN` for a sensor of a part that is switched off,
    /// `ENODATA` for a channel that is disabled, `EACCES` where this process may not read.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The same, of a file that is read again and again: it may be kept open in between.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_again(&self, path: &Path) -> io::Result<String> {
        self.read(path)
    }

    /// Writes a text to a file that is there, in one call to the kernel.
    ///
    /// # Errors
    /// As the operating system says: `EINVAL` where a kernel rejects the value.
    fn write(&self, path: &Path, text: &str) -> io::Result<()>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// When it is not a folder, or may not be read.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Whether there is a file or a folder of this path, as far as this process may see.
    fn exists(&self, path: &Path) -> bool;

    /// Whether a file is there and this process may write it, as far as can be told without doing
    /// so.
    fn writable(&self, path: &Path) -> bool {
        self.exists(path)
    }
}

/// The real files below a root: `/` on a board, a folder in a container or a test.
#[derive(Debug)]
pub struct Rooted {
    root: PathBuf,
    kept: KeptOpen,
}

impl Rooted {
    /// The files below a root.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), kept: KeptOpen::default() }
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

impl Files for Rooted {
    fn read(&self, path: &Path) -> io::Result<String> {
        whole_text(&std::fs::File::open(self.real(path))?)
    }

    fn read_again(&self, path: &Path) -> io::Result<String> {
        self.kept.read(path, || std::fs::File::open(self.real(path)))
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        use std::io::Write as _;
        // Never creates: a control that is missing must not turn into a plain file. Never empties
        // it first either: whoever is killed in between would leave a plain file that says nothing.
        let mut file = std::fs::OpenOptions::new().write(true).open(self.real(path))?;
        file.write_all(text.as_bytes())?;
        // A kernel's file has no end to be moved; a plain one may have held a longer text.
        let longer = file.metadata().is_ok_and(|file| file.len() > text.len() as u64);
        if longer {
            let _ = file.set_len(text.len() as u64);
        }
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(self.real(folder))?;
        let mut names: Vec<String> = entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> bool {
        self.real(path).exists()
    }

    fn writable(&self, path: &Path) -> bool {
        // Opened, and closed again: the kernel decides who may, root and capabilities included.
        std::fs::OpenOptions::new().write(true).open(self.real(path)).is_ok()
    }
}
