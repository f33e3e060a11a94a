//! The files through which a kernel shows its sensors and takes its settings.
//!
//! A board reaches them through [`Files`] only: [`Rooted`] is the real thing below any root, and
//! the tests put a tree in its place that misbehaves as real kernels do.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

/// A tree of small text files. Paths are absolute, as on the board: `/sys/class/hwmon`.
pub trait Files: Send + Sync + Debug {
    /// The whole text of a file.
    ///
    /// # Errors
    /// As the operating system says: `EAGAIN` for a sensor of a part that is switched off,
    /// `ENODATA` for a channel that is disabled, `EACCES` where this process may not read.
    fn read(&self, path: &Path) -> io::Result<String>;

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

/// No attribute in sysfs is longer.
const PAGE: usize = 4096;

/// The real files below a root: `/` on a board, a folder in a container or a test.
#[derive(Debug, Clone)]
pub struct Rooted {
    root: PathBuf,
}

impl Rooted {
    /// The files below a root.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

impl Files for Rooted {
    fn read(&self, path: &Path) -> io::Result<String> {
        use std::io::Read as _;
        let mut file = std::fs::File::open(self.real(path))?;
        let mut page = [0; PAGE];
        let mut length = file.read(&mut page)?;
        // An attribute in sysfs is given whole in one call, so a sample of many costs three calls to
        // the kernel each, not five. Other files end where a call gives nothing.
        let mut bytes = Vec::new();
        if !path.starts_with("/sys") || length == PAGE {
            while length > 0 {
                bytes.extend_from_slice(&page[..length]);
                length = file.read(&mut page)?;
            }
        } else {
            bytes.extend_from_slice(&page[..length]);
        }
        // Kernels show names that are not UTF-8 nowhere that matters here, but a device tree may.
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_however_long_it_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("sys")).unwrap();
        let files = Rooted::new(folder.path());
        for path in ["/sys/file", "/file"] {
            for length in [0, 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE] {
                let text = "x".repeat(length);
                std::fs::write(folder.path().join(&path[1..]), &text).unwrap();
                assert_eq!(files.read(Path::new(path)).unwrap(), text);
            }
        }
        std::fs::write(folder.path().join("file"), [b'a', 0xff]).unwrap();
        assert_eq!(files.read(Path::new("/file")).unwrap(), "a\u{fffd}");
    }
}
