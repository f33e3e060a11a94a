//! What is known of boards: what kind they are and what can be measured there. It is asked for once
//! and believed for a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fulcrum_api::{Address, BoardDescription, Malformed, connect, v1};
use fulcrum_board::{Offer, board_named, setting};
use fulcrum_domain::{Knob, ModeSpace, Problem, Setting, Workload};
use fulcrum_store::{WorkloadVersion, mode_text};
use tonic::{Code, Status};

/// For so long what a board said of itself is believed.
const BELIEVED: Duration = Duration::from_secs(10);

/// What is known of a board.
#[derive(Debug, Clone)]
pub(crate) struct KnownBoard {
    /// What tells equal boards.
    pub(crate) model: String,
    /// The software that decides how it behaves.
    pub(crate) software: String,
    space: Arc<ModeSpace>,
    presets: Vec<fulcrum_board::Preset>,
    offers: Vec<Offer>,
}

impl KnownBoard {
    fn of_agent(board: BoardDescription) -> Self {
        let identity = board.identity;
        Self {
            model: identity.compatible.into_iter().next().unwrap_or(identity.model),
            software: identity.software,
            space: board.space,
            presets: board.presets,
            offers: board.offers,
        }
    }

    /// A table that stands in for a board.
    pub(crate) fn of_table(name: &str) -> Result<Self, Malformed> {
        let table = board_named(name, 1)
            .map_err(|error| Malformed::new("stand_in", format!("is wrong: {error}")))?;
        Ok(Self {
            model: table.name().to_owned(),
            software: "table".to_owned(),
            space: table.space().clone(),
            presets: table.presets().to_vec(),
            offers: table.offers().to_vec(),
        })
    }

    /// A mode by its levels, as profiles are kept by.
    pub(crate) fn mode_text(&self, levels: &BTreeMap<String, f64>) -> Result<String, Malformed> {
        let level = |knob: &Knob| levels.get(knob.name()).copied();
        let found: Option<Vec<f64>> = self.space.knobs().iter().map(level).collect();
        let mode = found.and_then(|levels| self.space.find_levels(&levels));
        let what = "is no mode of this board; name one level for each of its knobs";
        Ok(mode_text(&self.space, mode.ok_or_else(|| Malformed::new("mode", what))?))
    }

    /// A workload in the version that this board has.
    pub(crate) fn version<'a>(&'a self, workload: &'a Workload) -> WorkloadVersion<'a> {
        let offer = self.offers.iter().find(|offer| offer.workload == *workload);
        WorkloadVersion {
            name: &workload.name,
            kind: workload.kind.as_str(),
            fingerprint: offer.map_or("", |offer| &offer.fingerprint),
        }
    }

    /// What can be measured there for a problem.
    pub(crate) fn setting(&self, problem: &Problem) -> Result<Setting, Malformed> {
        setting(&Described(self), problem)
            .map_err(|error| Malformed::new("problem", format!("names an {error}")))
    }
}

/// A board as `setting` wants it: it is never measured on.
struct Described<'a>(&'a KnownBoard);

impl fulcrum_board::Profiler for Described<'_> {
    fn name(&self) -> &str {
        &self.0.model
    }

    fn space(&self) -> &Arc<ModeSpace> {
        &self.0.space
    }

    fn presets(&self) -> &[fulcrum_board::Preset] {
        &self.0.presets
    }

    fn offers(&self) -> &[Offer] {
        &self.0.offers
    }

    fn measure(
        &mut self,
        _: &Workload,
        _: fulcrum_domain::ModeId,
        _: fulcrum_domain::BatchSize,
    ) -> fulcrum_domain::Reading {
        Err(fulcrum_domain::Failure::Unavailable)
    }
}

/// The boards that were asked lately.
#[derive(Debug, Default)]
pub(crate) struct KnownBoards(Mutex<HashMap<Key, (Instant, Arc<KnownBoard>)>>);

/// An agent's address, and the table that stands in for it.
type Key = (String, String);

impl KnownBoards {
    /// A board by its agent's address and the table that stands in for it, if one does.
    pub(crate) async fn find(
        &self,
        address: &str,
        stand_in: &str,
    ) -> Result<Arc<KnownBoard>, Status> {
        // Whose place a table takes makes no difference to it.
        let address = if stand_in.is_empty() { address } else { "" };
        let key = (address.to_owned(), stand_in.to_owned());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, board)) = known.filter(|(asked, _)| asked.elapsed() < BELIEVED) {
            return Ok(board);
        }
        let board = if stand_in.is_empty() {
            KnownBoard::of_agent(describe(address).await?)
        } else {
            KnownBoard::of_table(stand_in).map_err(|error| fulcrum_api::invalid(&error))?
        };
        let board = Arc::new(board);
        let entry = (Instant::now(), board.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, entry);
        Ok(board)
    }
}

async fn describe(address: &str) -> Result<BoardDescription, Status> {
    let address: Address = address.parse().map_err(|error| {
        fulcrum_api::invalid(&Malformed::new("board_address", format!("is wrong: {error}")))
    })?;
    let unreachable = |error: &dyn std::fmt::Display| {
        let message = format!("no agent answers at {address}: {error}");
        fulcrum_api::because(Code::Unavailable, fulcrum_api::reason::AGENT_UNREACHABLE, message)
    };
    let mut client = connect(&address).await.map_err(|error| unreachable(&error))?;
    let answer = client.get_board(v1::GetBoardRequest {}).await;
    let board = answer.map_err(|status| unreachable(&status.message()))?.into_inner().board;
    let malformed = |error: Malformed| {
        fulcrum_api::because(
            Code::Internal,
            fulcrum_api::reason::AGENT_MALFORMED,
            format!("{address}: {error}"),
        )
    };
    let board = board.ok_or_else(|| malformed(Malformed::missing("board")))?;
    BoardDescription::from_wire(&board).map_err(malformed)
}
