//! Files below folders whose numbers change when a driver is loaded again.

use std::path::PathBuf;

use super::kernel_text::number;
use crate::files::Files;
use crate::sensor::{Absence, SensorValue};

/// Files, each known by what it says it is. One that is not found where they are looked for again
/// has no path until it is: its old path may lead to another's value.
#[derive(Debug)]
pub(crate) struct NumberedFiles<K>(Vec<(K, Option<PathBuf>)>);

impl<K: PartialEq> NumberedFiles<K> {
    pub(crate) fn new(found: Vec<(K, PathBuf)>) -> Self {
        Self(found.into_iter().map(|(key, path)| (key, Some(path))).collect())
    }

    /// What there is, in the order in which it was found first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The number in each, with what it is.
    pub(crate) fn numbers(&self, files: &dyn Files) -> impl Iterator<Item = (&K, SensorValue)> {
        self.0.iter().map(move |(key, path)| match path {
            Some(path) => (key, number(files, path)),
            None => (key, Err(Absence::Missing)),
        })
    }

    /// Takes the paths at which they are now.
    pub(crate) fn find_again(&mut self, found: Vec<(K, PathBuf)>) {
        for (_, path) in &mut self.0 {
            *path = None;
        }
        for (key, path) in found {
            if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == key) {
                *known = Some(path);
            }
        }
    }
}
