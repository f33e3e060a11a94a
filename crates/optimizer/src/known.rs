//! What was read of the store lately. It is used as long as nobody has changed a profile of its
//! workloads, or a front of theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fulcrum_domain::{Problem, Setting};
use fulcrum_store::{FrontPoints, Store, StoreError, WorkloadVersion};

use crate::known_board::KnownBoard;
use crate::profiles::stored;
use crate::solving::Stored;

/// So many pairs of workloads are remembered.
const MOST: usize = 64;

/// The workloads of a problem on a board, as fronts are kept by.
pub(crate) struct Pair<'a> {
    /// What runs in the background; empty for nothing.
    pub(crate) background: String,
    /// The inference whose requests arrive; empty for none.
    pub(crate) urgent: String,
    /// Both, in the versions that the board has.
    pub(crate) versions: Vec<WorkloadVersion<'a>>,
}

impl<'a> Pair<'a> {
    pub(crate) fn of(board: &'a KnownBoard, problem: &'a Problem) -> Self {
        let background = problem.background().map(|workload| board.version(workload));
        let urgent = problem.urgent().map(|stream| board.version(&stream.workload));
        Self {
            background: background.map(|of| of.in_background()).unwrap_or_default(),
            urgent: urgent.map(|of| of.to_string()).unwrap_or_default(),
            versions: background.into_iter().chain(urgent).collect(),
        }
    }
}

/// Board model, software, background workload, urgent workload.
type Key = (String, String, String, String);

/// A revision, and what was known then.
type AsOf = (i64, Arc<Stored>);

/// What is known of pairs of workloads, each as of a revision of their profiles. Cloning it is cheap
/// and shares what is known.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<Key, AsOf>>>);

impl Known {
    /// What is known of a problem's workloads: as remembered, from the points of their front, or from
    /// all their profiles.
    pub(crate) async fn of(
        &self,
        store: &Store,
        board: &KnownBoard,
        setting: &Setting,
        problem: &Problem,
    ) -> Result<Arc<Stored>, StoreError> {
        let on = (board.model.as_str(), board.software.as_str());
        let pair = Pair::of(board, problem);
        let mut named = pair.versions.iter().map(|of| (of.name, of.kind));
        let named = [named.next(), named.next()];
        // Asked before the profiles are read: what changes in between is read the next time.
        let revision = store.profiles_revision(on, named).await?;
        let key = (on.0.into(), on.1.into(), pair.background.clone(), pair.urgent.clone());
        if let Some(known) = self.find(&key, revision, setting) {
            return Ok(known);
        }
        let by = (pair.background.as_str(), pair.urgent.as_str());
        let front = store.front(on, by).await?;
        let is_front = front.is_some();
        let kept = front.and_then(|(_, points)| points).filter(|points| points.as_of == revision);
        let of_points = kept.and_then(|kept| Stored::of_points(setting, &kept.points));
        let known = match of_points {
            Some(known) => Arc::new(known),
            None => {
                let readings = stored(store, board, setting, problem).await?;
                let known = Arc::new(Stored::new(setting.clone(), problem, readings, is_front));
                if is_front {
                    let points = FrontPoints { as_of: revision, points: known.points() };
                    // They only save the next who asks some time.
                    if let Err(error) = store.put_front_points(on, by, &points).await {
                        tracing::warn!(%error, "the points of a front cannot be kept");
                    }
                }
                known
            }
        };
        self.keep(key, revision, known.clone());
        Ok(known)
    }

    fn find(&self, key: &Key, revision: i64, setting: &Setting) -> Option<Arc<Stored>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, stored) = known.get(key)?;
        (*of == revision && *stored.setting == *setting).then(|| stored.clone())
    }

    fn keep(&self, key: Key, revision: i64, stored: Arc<Stored>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, (revision, stored));
    }
}
