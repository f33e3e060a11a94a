//! New numbers for what a kernel numbers as it comes: `hwmonN`, `thermal_zoneN`.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::nodes::Nodes;
use crate::tree::FakeTree;

const NUMBERED: [&str; 4] = ["hwmon", "thermal_zone", "cooling_device", "iio:device"];

impl FakeTree {
    /// Numbers the hwmons, thermal zones, cooling devices and IIO devices anew, as another boot
    /// may, with gaps.
    pub fn renumber(&self, seed: u64) {
        let mut world = self.world();
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        for stem in NUMBERED {
            let old: BTreeSet<usize> = paths(&world.nodes)
                .flat_map(|path| path.split('/'))
                .filter_map(|name| number(name, stem))
                .collect();
            let mut new: Vec<usize> = (0..old.len() + 2).collect();
            new.shuffle(&mut draws);
            let anew: BTreeMap<usize, usize> = old.into_iter().zip(new).collect();
            world.nodes = renumbered(&world.nodes, stem, &anew);
        }
    }
}

fn paths(nodes: &Nodes) -> impl Iterator<Item = &String> {
    nodes.files.keys().chain(nodes.links.keys())
}

fn number(name: &str, stem: &str) -> Option<usize> {
    name.strip_prefix(stem)?.parse().ok()
}

fn renumbered(nodes: &Nodes, stem: &str, anew: &BTreeMap<usize, usize>) -> Nodes {
    let path = |path: &str| {
        let names = path.split('/').map(|name| match number(name, stem) {
            Some(old) => format!("{stem}{}", anew.get(&old).unwrap_or(&old)),
            None => name.to_owned(),
        });
        names.collect::<Vec<_>>().join("/")
    };
    let files = nodes.files.iter().map(|(at, node)| (path(at), node.clone())).collect();
    let links = nodes.links.iter().map(|(at, link)| {
        let mut link = link.clone();
        link.target = path(&link.target);
        (path(at), link)
    });
    Nodes { files, links: links.collect() }
}
