//! Files that stay open between two readings.
//!
//! Finding a file by its path is most of what reading a sensor costs. An attribute of sysfs that is
//! kept open is worked out anew whenever it is read from its start, and says `ENODEV` once its
//! device is gone, so nothing stale is ever read; a plain file that was removed or replaced shows
//! by having no name left.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// No attribute in sysfs is longer.
const PAGE: usize = 4096;
/// What Linux says on every architecture of an open file whose device is gone.
const ENODEV: i32 = 19;

/// The files that were read before.
#[derive(Debug, Default)]
pub(crate) struct KeptOpen(Mutex<HashMap<PathBuf, File>>);

impl KeptOpen {
    /// The text of a file, which is opened if it was not read before.
    ///
    /// # Errors
    /// As the operating system says, and `NotFound` once when the file that was open has gone:
    /// another one of the same path may belong to another device, so it has to be found anew.
    pub(crate) fn read(
        &self,
        path: &Path,
        open: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = kept.get(path) {
            let text = whole_text(file);
            let device_gone = |error: &io::Error| error.raw_os_error() == Some(ENODEV);
            let gone = text.as_ref().err().is_some_and(device_gone)
                || !file.metadata().is_ok_and(|file| file.nlink() > 0);
            if gone {
                kept.remove(path);
                return Err(io::ErrorKind::NotFound.into());
            }
            return text;
        }
        let file = open()?;
        let text = whole_text(&file);
        kept.insert(path.to_owned(), file);
        text
    }
}

/// Everything from a file's start.
pub(crate) fn whole_text(file: &File) -> io::Result<String> {
    let mut page = [0; PAGE];
    let mut bytes = Vec::new();
    loop {
        let length = file.read_at(&mut page, bytes.len() as u64)?;
        bytes.extend_from_slice(&page[..length]);
        // An attribute is given whole in one call; texts of many lines may come in parts.
        if length == 0 || (bytes.len() < PAGE && is_one_line(&bytes)) {
            break;
        }
    }
    // Kernels show names that are not UTF-8 nowhere that matters here, but a device tree may.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn is_one_line(bytes: &[u8]) -> bool {
    bytes.iter().position(|byte| *byte == b'\n') == bytes.len().checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kept: &KeptOpen, path: &Path) -> io::Result<String> {
        kept.read(path, || File::open(path))
    }

    #[test]
    fn a_file_is_read_whole_however_long_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for length in [0, 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE] {
            for text in ["x".repeat(length), "x\n".repeat(length), format!("{length}\n")] {
                std::fs::write(&path, &text).unwrap();
                assert_eq!(whole_text(&File::open(&path).unwrap()).unwrap(), text);
            }
        }
        std::fs::write(&path, [b'a', 0xff]).unwrap();
        assert_eq!(whole_text(&File::open(&path).unwrap()).unwrap(), "a\u{fffd}");
    }

    #[test]
    fn a_file_that_was_written_replaced_or_removed_is_never_read_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, path) = (KeptOpen::default(), folder.path().join("file"));
        std::fs::write(&path, "1\n").unwrap();
        assert_eq!(read(&kept, &path).unwrap(), "1\n");
        std::fs::write(&path, "2\n").unwrap();
        assert_eq!(read(&kept, &path).unwrap(), "2\n");

        let other = folder.path().join("other");
        std::fs::write(&other, "3\n").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(read(&kept, &path).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read(&kept, &path).unwrap(), "3\n");

        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&kept, &path).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, "4\n").unwrap();
        assert_eq!(read(&kept, &path).unwrap(), "4\n");
    }
}
