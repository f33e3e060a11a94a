//! A disk that can be filled.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of a few MiB, gone with the value. Only root may mount one.
#[derive(Debug)]
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

#[expect(clippy::expect_used, reason = "for tests alone")]
impl SmallDisk {
    /// Mounts one; none where that is not allowed, which a machine that checks changes has to allow.
    ///
    /// # Panics
    /// When it cannot be mounted, under `CI=true`.
    pub fn mount(mib: u32) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("fulcrum").tempdir_in("/tmp");
        let disk = Self { folder: folder.expect("a folder") };
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(disk.path());
        if !mount.status().is_ok_and(|status| status.success()) {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "a disk has to be mounted");
            // Not by eprintln!, which says nothing in a test that passes.
            let _ = std::io::stderr().write_all(b"left out: only root may mount a disk to fill\n");
            return None;
        }
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(disk.path(), everybody).expect("its mode can be set");
        Some(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte.
    ///
    /// # Panics
    /// When that fails for another reason than that it is full.
    pub fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.ballast());
        let file = file.as_mut().expect("a file, even where there is no room in it");
        for block in [vec![0u8; 1 << 20], vec![0; 1]] {
            loop {
                let Err(error) = file.write(&block) else { continue };
                assert_eq!(error.kind(), ErrorKind::StorageFull, "it cannot be filled: {error}");
                break;
            }
        }
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When there is nothing to remove.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("it was filled");
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
