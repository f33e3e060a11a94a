//! A tree as a folder of plain files.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::tree::FakeTree;

impl FakeTree {
    /// Writes the tree as it is now into a folder: files with their modes, links as links within
    /// the folder. The files are plain ones: nothing reacts to what is written to them. What cannot
    /// be read now is left out.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        let world = self.world();
        let here = |path: &str| folder.join(path.trim_start_matches('/'));
        let present = |part| world.devices.present(part);
        for (path, node) in world.nodes.files.iter().filter(|(_, node)| present(node.part)) {
            let Ok(text) = world.devices.show(&node.role) else { continue };
            let file = here(path);
            make_parent(&file)?;
            fs::write(&file, text)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(node.mode))?;
        }
        for (path, link) in world.nodes.links.iter().filter(|(_, link)| present(link.part)) {
            let file = here(path);
            make_parent(&file)?;
            let up = "../".repeat(path.matches('/').count() - 1);
            symlink(format!("{up}{}", link.target.trim_start_matches('/')), file)?;
        }
        Ok(())
    }
}

fn make_parent(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}
