//! The journal: the state in which the board was found, on disk before anything is changed.
//!
//! It is there exactly as long as the board is not as it was found. Whatever ends the agent, the
//! next one reads it and puts the board back.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fulcrum_board::FoundState;
use serde::{Deserialize, Serialize};

/// The file of the state found.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    version: u32,
    controls: Vec<(String, String)>,
}

const VERSION: u32 = 1;

impl Journal {
    /// A journal in a folder, which is made if it is not there.
    pub(crate) fn within(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { path: folder.join("found-state.json") })
    }

    /// Keeps every other agent off the journal, until what is given is dropped or the process ends.
    pub(crate) fn lock(&self) -> io::Result<File> {
        let lock = File::create(self.path.with_file_name("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another agent keeps its journal there",
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the state found, so that it survives even a loss of power.
    pub(crate) fn write(&self, found: &FoundState) -> io::Result<()> {
        let entry = Entry { version: VERSION, controls: found.controls.clone() };
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&entry)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.sync_folder()
    }

    /// The state that is still to be put back, if there is one.
    pub(crate) fn read(&self) -> io::Result<Option<FoundState>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let entry: Entry = serde_json::from_slice(&text)?;
        if entry.version != VERSION {
            let problem = format!("version {} of the journal is not known here", entry.version);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(Some(FoundState { controls: entry.controls }))
    }

    /// The board is as it was found.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Ok(()) => self.sync_folder(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_there_until_it_was_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::within(&folder.path().join("state")).unwrap();
        assert_eq!(journal.read().unwrap(), None);
        let found = FoundState { controls: vec![("a/b".into(), "1\n".into())] };
        journal.write(&found).unwrap();
        assert_eq!(journal.read().unwrap(), Some(found));
        journal.clear().unwrap();
        journal.clear().unwrap();
        assert_eq!(journal.read().unwrap(), None);
    }

    #[test]
    fn a_journal_that_cannot_be_read_is_an_error_not_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::within(folder.path()).unwrap();
        fs::write(journal.path(), "{").unwrap();
        assert!(journal.read().is_err());
        fs::write(journal.path(), r#"{"version": 2, "controls": []}"#).unwrap();
        assert!(journal.read().unwrap_err().to_string().contains("version 2"));
    }
}
