//! What was read of the store lately. It is used as long as nobody has changed a profile or a front.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fulcrum_domain::Setting;

use crate::solving::Stored;

/// So many pairs of workloads are remembered.
const MOST: usize = 64;

/// Board model, software, background workload, urgent workload.
pub(crate) type Key = (String, String, String, String);

/// A revision, and what was known then.
type AsOf = (i64, Arc<Stored>);

/// What is known of pairs of workloads, each as of a revision of the profiles. Cloning it is cheap
/// and shares what is known.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<Key, AsOf>>>);

impl Known {
    /// What is known of a pair, if it is of this revision and of a board with the same modes and
    /// batch sizes.
    pub(crate) fn find(&self, key: &Key, revision: i64, setting: &Setting) -> Option<Arc<Stored>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, stored) = known.get(key)?;
        (*of == revision && *stored.setting == *setting).then(|| stored.clone())
    }

    /// Remembers what was read.
    pub(crate) fn keep(&self, key: Key, revision: i64, stored: Arc<Stored>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, (revision, stored));
    }
}
