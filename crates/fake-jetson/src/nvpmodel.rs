//! The program `nvpmodel`, as a script beside a tree that was written to a folder.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::tree::FakeTree;

/// What `nvpmodel -m` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nvpmodel {
    /// It sets the mode.
    Applies,
    /// It asks whether to reboot; no answer is an error, exit status 234.
    AsksForReboot,
    /// It asks, and waits for ever.
    Hangs,
    /// It says nothing, exits as if all were well, and keeps the mode.
    KeepsSilently,
    /// In a container it ignores the request, and exits as if all were well.
    InChroot,
}

impl FakeTree {
    /// Writes the program into the `usr/sbin` of a folder that [`write_to`](Self::write_to) made,
    /// and says where it is. Its `-q` tells the mode of the folder's status file, after a warning
    /// that has nothing to do with it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_nvpmodel(&self, folder: &Path, does: Nvpmodel) -> io::Result<PathBuf> {
        let status = folder.join("var/lib/nvpmodel/status");
        let mut names = String::new();
        for mode in self.vendor_modes() {
            let _ = writeln!(names, "    {:04}) echo 'NV Power Mode: {}' ;;", mode.id, mode.name);
        }
        let set = "printf 'pmode:%04d fmode:fan_mode_quiet\\n' \"$2\" > \"$status\"";
        let ask = "\
echo 'NVPM WARN: Golden image context is already created'
    echo \"NVPM WARN: Reboot required for changing to this power mode: $2\"
    echo 'NVPM WARN: DO YOU WANT TO REBOOT NOW? enter YES/yes to confirm:'";
        let does = match does {
            Nvpmodel::Applies => set.to_owned(),
            Nvpmodel::AsksForReboot => format!(
                "{ask}
    read -r answer
    case \"$answer\" in YES|yes) {set}; exit 0 ;; esac
    echo 'NVPM ERROR: bad input!'
    echo 'NVPM ERROR: optMask is 1, no request for power mode'
    exit 234"
            ),
            Nvpmodel::Hangs => format!("{ask}\n    exec sleep 3600"),
            Nvpmodel::KeepsSilently => ":".to_owned(),
            Nvpmodel::InChroot => "echo 'Running in chroot, ignoring request.'".to_owned(),
        };
        let script = format!(
            "#!/bin/sh
status='{}'
case \"$1\" in
-m)
    {does}
    ;;
-q)
    mode=$(sed 's/pmode:\\([0-9]*\\).*/\\1/' \"$status\")
    echo 'NVPM WARN: fan mode is not set!'
    case \"$mode\" in
{names}    esac
    expr \"$mode\" + 0
    exit 0
    ;;
esac
",
            status.display()
        );
        let program = folder.join("usr/sbin/nvpmodel");
        fs::create_dir_all(folder.join("usr/sbin"))?;
        fs::write(&program, script)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(program)
    }
}
