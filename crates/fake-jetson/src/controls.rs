//! The settings of a tree, so that a test can say whether they were put back.

use std::collections::BTreeMap;
use std::path::Path;

use crate::tree::FakeTree;

/// What every control held at one moment: all files that can be written, by their real paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controls(BTreeMap<String, String>);

impl Controls {
    /// Where these controls are not as those before them, in words; nothing if they are equal.
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(before.0.keys()).collect();
        let text = |all: &Self, path| all.0.get(path).map_or("not there", |t| t.trim()).to_owned();
        paths
            .into_iter()
            .filter(|&path| self.0.get(path) != before.0.get(path))
            .map(|path| format!("{path}: was {}, is {}", text(before, path), text(self, path)))
            .collect()
    }

    /// What one control held, without the end of its line.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(|text| text.trim())
    }
}

impl FakeTree {
    /// What every control holds now, whatever faults there are.
    pub fn controls(&self) -> Controls {
        let world = self.world();
        let controls = world
            .nodes
            .files
            .iter()
            .filter(|(_, node)| node.mode & 0o222 != 0 && world.devices.present(node.part));
        let text = |(path, node): (&String, &crate::nodes::Node)| {
            Some((path.clone(), world.devices.show(&node.role).ok()?))
        };
        Controls(controls.filter_map(text).collect())
    }

    /// What the same controls hold in a folder that [`write_to`](Self::write_to) made of this tree.
    pub fn controls_in(&self, folder: &Path) -> Controls {
        let here = self.controls().0.into_keys();
        let text = |path: String| {
            let file = folder.join(path.trim_start_matches('/'));
            Some((path, std::fs::read_to_string(file).ok()?))
        };
        // Whoever writes a plain file need not end the line as the kernel would.
        let line = |(path, text): (String, String)| (path, format!("{}\n", text.trim_end()));
        Controls(here.filter_map(text).map(line).collect())
    }
}
