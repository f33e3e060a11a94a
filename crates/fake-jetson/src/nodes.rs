//! The paths of a tree: which file shows what, and which path is another name of which.

use std::collections::{BTreeMap, BTreeSet};

use crate::devices::{Devices, Part, Role};

/// A file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) role: Role,
    /// As `chmod` has it.
    pub(crate) mode: u32,
    /// What it comes and goes with.
    pub(crate) part: Part,
}

/// Another name of a file or folder.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) target: String,
    pub(crate) part: Part,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Nodes {
    pub(crate) files: BTreeMap<String, Node>,
    pub(crate) links: BTreeMap<String, Link>,
}

impl Nodes {
    /// The path with all its links followed.
    pub(crate) fn resolve(&self, path: &str, devices: &Devices) -> String {
        let mut path = path.to_owned();
        // As many links as a kernel follows.
        for _ in 0..40 {
            let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
            let found = ends.into_iter().find_map(|end| {
                let link = self.links.get(&path[..end])?;
                devices.present(link.part).then(|| format!("{}{}", link.target, &path[end..]))
            });
            match found {
                Some(next) => path = next,
                None => break,
            }
        }
        path
    }

    pub(crate) fn exists(&self, path: &str, devices: &Devices) -> bool {
        let real = self.resolve(path, devices);
        let folder = format!("{real}/");
        let below = self.files.range(folder.clone()..).take_while(|(p, _)| p.starts_with(&folder));
        let here = self.files.get(&real).into_iter().chain(below.map(|(_, node)| node));
        let mut here = here.filter(|node| devices.present(node.part));
        let links = self.links.range(folder.clone()..).take_while(|(p, _)| p.starts_with(&folder));
        here.next().is_some() || links.map(|(_, l)| l).any(|link| devices.present(link.part))
    }

    /// The names in a folder, sorted.
    pub(crate) fn list(&self, folder: &str, devices: &Devices) -> Vec<String> {
        let folder = format!("{}/", self.resolve(folder, devices));
        let files = self.files.range(folder.clone()..).take_while(|(p, _)| p.starts_with(&folder));
        let files = files.filter(|(_, node)| devices.present(node.part)).map(|(path, _)| path);
        let links = self.links.range(folder.clone()..).take_while(|(p, _)| p.starts_with(&folder));
        let links = links
            .filter(|(_, link)| devices.present(link.part) && self.exists(&link.target, devices));
        let paths = files.chain(links.map(|(path, _)| path));
        let name = |path: &String| path[folder.len()..].split('/').next().map(str::to_owned);
        paths.filter_map(name).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
