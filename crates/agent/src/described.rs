//! The board's description as it stands: it may change when a part comes up late.

use std::sync::{Arc, PoisonError, RwLock};

use fulcrum_api::BoardDescription;
use fulcrum_board::Board;

/// The latest description. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Described(Arc<RwLock<Arc<BoardDescription>>>);

impl Described {
    pub(crate) fn new(board: &dyn Board) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(describe(board, 0)))))
    }

    /// The description now.
    pub(crate) fn now(&self) -> Arc<BoardDescription> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Describes the board anew.
    pub(crate) fn renew(&self, board: &dyn Board) {
        let old = self.now();
        let new = describe(board, old.generation + 1);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }
}

fn describe(board: &dyn Board, generation: u64) -> BoardDescription {
    BoardDescription {
        identity: board.identity().clone(),
        space: board.space().clone(),
        presets: board.presets().to_vec(),
        sensors: board.sensors().to_vec(),
        total_power: board.total_power().clone(),
        // Those come and go with the workers, so they are told when somebody asks.
        offers: Vec::new(),
        generation,
    }
}
