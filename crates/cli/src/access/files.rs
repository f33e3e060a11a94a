//! Writing files that others must not read, and not over what is there.

use std::fs::{DirBuilder, File, rename};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use clap::Args;

use crate::exit::Failure;

/// Whether what is there may be replaced.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Replace {
    /// Replace files that are there; processes that use them take up the new ones by themselves
    #[arg(long)]
    pub(super) replace: bool,
}

/// What a file holds.
pub(super) enum Holds {
    /// What everybody may know.
    Public,
    /// What its owner alone may.
    Secret,
}

/// Writes a file of a folder, which is made if it is not there.
pub(super) fn write(
    folder: &Path,
    name: &str,
    text: &str,
    holds: &Holds,
    replace: Replace,
) -> Result<(), Failure> {
    let path = folder.join(name);
    let mode = match holds {
        Holds::Public => 0o644,
        Holds::Secret => 0o600,
    };
    let written = || -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        let new = |path: &Path| {
            let mut file = File::options().write(true).create_new(true).mode(mode).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        if !replace.replace {
            return new(&path);
        }
        // Whoever reads it meanwhile sees the old one whole, or the new one.
        let beside = folder.join(format!(".{name}.new"));
        let _ = std::fs::remove_file(&beside);
        new(&beside)?;
        rename(&beside, &path)
    };
    written().map_err(|error| {
        let shown = path.display();
        Failure::bad_input(match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{shown} is there already; say --replace to write it anew")
            }
            _ => format!("{shown}: {error}"),
        })
    })
}
