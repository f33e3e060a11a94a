//! Something that files say, read again when they change.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Files are looked at no more often than this.
const LOOK: Duration = Duration::from_millis(500);

/// Something that files say. It is read again when they have changed; while what they say is wrong,
/// what they said before holds.
pub struct Reread<T> {
    files: Vec<PathBuf>,
    read: Box<dyn Fn() -> Result<T, String> + Send + Sync>,
    state: Mutex<State<T>>,
}

struct State<T> {
    now: Arc<T>,
    looked: Instant,
    seen: Vec<Stamp>,
}

/// What tells that a file has changed, though it be put in place with an old time.
type Stamp = Option<(SystemTime, u64, u64)>;

impl<T> Reread<T> {
    /// Reads these files, by `read`, for the first time.
    ///
    /// # Errors
    /// What `read` says.
    pub fn new(
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let seen = stamps(&files);
        let state = State { now: Arc::new(read()?), looked: Instant::now(), seen };
        Ok(Self { files, read: Box::new(read), state: Mutex::new(state) })
    }

    /// What the files say now.
    pub fn now(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() < LOOK {
            return state.now.clone();
        }
        state.looked = Instant::now();
        let stamps = stamps(&self.files);
        if stamps != state.seen {
            // Said once: what is wrong stays wrong until a file changes again.
            state.seen = stamps;
            match (self.read)() {
                Ok(read) => {
                    state.now = Arc::new(read);
                    tracing::info!(files = self.shown(), "read again");
                }
                Err(error) => tracing::error!(
                    files = self.shown(),
                    error,
                    "they have changed, but what they said before holds"
                ),
            }
        }
        state.now.clone()
    }

    fn shown(&self) -> String {
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        names.join(", ")
    }
}

impl<T> fmt::Debug for Reread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reread").field("files", &self.files).finish_non_exhaustive()
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let stamp = |file: &PathBuf| {
        let found = std::fs::metadata(file).ok()?;
        Some((found.modified().ok()?, found.len(), found.ino()))
    };
    files.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_does_not_take_the_place_of_what_was_right() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("number");
        std::fs::write(&file, "1").unwrap();
        let from = file.clone();
        let read = move || {
            let text = std::fs::read_to_string(&from).map_err(|error| error.to_string())?;
            text.parse::<u32>().map_err(|error| error.to_string())
        };
        let number = Reread::new(vec![file.clone()], read).unwrap();
        let later = |text: Option<&str>| {
            match text {
                Some(text) => std::fs::write(&file, text).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            std::thread::sleep(LOOK + Duration::from_millis(50));
            *number.now()
        };
        assert_eq!(*number.now(), 1);
        assert_eq!(later(Some("22")), 22);
        assert_eq!(later(Some("two")), 22);
        assert_eq!(later(None), 22);
        assert_eq!(later(Some("3")), 3);
    }
}
