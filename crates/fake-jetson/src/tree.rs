//! The tree as tests hold it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fulcrum_board::Files;

use crate::world::World;

/// A Jetson's kernel tree in memory. Clones share the tree.
#[derive(Clone)]
pub struct FakeTree(Arc<Mutex<World>>);

impl FakeTree {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for FakeTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FakeTree").finish_non_exhaustive()
    }
}

impl Files for FakeTree {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.world().read(&text_of(path)).map_err(io::Error::from_raw_os_error)
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        self.world().write(&text_of(path), text).map_err(io::Error::from_raw_os_error)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.world().list(&text_of(folder)).map_err(io::Error::from_raw_os_error)
    }

    fn exists(&self, path: &Path) -> bool {
        self.world().exists(&text_of(path))
    }

    fn writable(&self, path: &Path) -> bool {
        self.world().writable(&text_of(path))
    }
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().trim_end_matches('/').to_owned()
}
