//! One search, on a thread of its own: asks, measures, keeps, tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use fulcrum_api::{
    RemoteBoard, RemoteOptions, alternate_named, outcome_to_wire, problem_from_wire, v1,
};
use fulcrum_board::{Profiler, board_named};
use fulcrum_domain::{Failure, Measurement, Outcome, Problem, Reading, Setting};
use fulcrum_search::{Allowance, Method, Recipe, Step, Task, recipe};
use fulcrum_service::now_ms;
use fulcrum_store::{Store, StoreError, StoredFront, StoredProfile};
use fulcrum_trace::Span;
use tokio::runtime::Handle;

use crate::known::{Known, Pair};
use crate::known_board::KnownBoard;
use crate::metrics::Cost;
use crate::profiles::{stored, to_keep};
use crate::relatives::relatives;
use crate::solving::{Stored, beyond_stored};

/// The strategy that is taken unless another is named.
pub(crate) const USUAL_STRATEGY: &str = "guided";

/// A search that was checked: everything that it names is there.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) spec: v1::SearchSpec,
    pub(crate) problem: Problem,
    pub(crate) recipe: Recipe,
    pub(crate) board: Arc<KnownBoard>,
    pub(crate) setting: Arc<Setting>,
}

impl Order {
    /// Checks what was asked for.
    pub(crate) fn new(
        spec: v1::SearchSpec,
        board: Arc<KnownBoard>,
    ) -> Result<Self, fulcrum_api::Malformed> {
        use fulcrum_api::Malformed;
        let wire = spec.problem.as_ref().ok_or_else(|| Malformed::missing("problem"))?;
        let problem = problem_from_wire(wire).map_err(|error| error.within("problem"))?;
        alternate_named(&spec.alternate)?;
        let name = if spec.strategy.is_empty() { USUAL_STRATEGY } else { &spec.strategy };
        let recipe =
            recipe(name).map_err(|error| Malformed::new("strategy", format!("is an {error}")))?;
        let setting = Arc::new(board.setting(&problem)?);
        Ok(Self { spec, problem, recipe, board, setting })
    }
}

/// How far a search is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spent {
    pub(crate) measurements: u32,
    /// What it was told of others when it began.
    pub(crate) relatives: Arc<[v1::Relative]>,
    modes: BTreeSet<usize>,
}

impl Spent {
    pub(crate) fn modes(&self) -> u32 {
        u32::try_from(self.modes.len()).unwrap_or(u32::MAX)
    }
}

/// Why a search ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error("cancelled")]
    Cancelled,
    #[error("the board was lost: {0}")]
    Board(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Searches to the end, or until `goes_on` says no, which is asked after every measurement.
pub(crate) fn search(
    (runtime, store, known, cost): (&Handle, &Store, &Known, &Cost),
    order: &Order,
    mut goes_on: impl FnMut(&Spent) -> Result<bool, StoreError>,
) -> Result<v1::Outcome, SearchError> {
    let readings = runtime.block_on(stored(store, &order.board, &order.setting, &order.problem))?;
    let relatives = relatives(store, &order.board, &order.setting, &order.problem);
    let (relatives, of_whom) = runtime.block_on(relatives)?;
    let own = order.recipe.allowance_for(order.problem.roles().len());
    let limit = |asked: u32, own: usize| if asked == 0 { own } else { asked as usize };
    let own = Allowance {
        modes: limit(order.spec.modes, own.modes),
        measurements: limit(order.spec.measurements, own.measurements),
    };
    let alternate = alternate_named(&order.spec.alternate).unwrap_or_default();
    let is_front = matches!(order.recipe.method, Method::Front(_));
    // Of very much a part is told; what the strategy asks for of the rest is not measured again.
    let on_disk: BTreeMap<Measurement, Reading> = readings.iter().copied().collect();
    let before = Stored::new((*order.setting).clone(), &order.problem, readings, false);
    let told = before.worth_telling(&order.problem, alternate);
    // A front's allowance is what it needs in all; a search's is what it may add.
    let allowance = if is_front { own } else { beyond_stored(own, &told) };
    let mut strategy = order.recipe.start(Task {
        setting: order.setting.clone(),
        problem: order.problem.clone(),
        alternate,
        allowance,
        relatives,
        seed: order.spec.seed.max(1),
    });
    strategy.tell_known(&told);
    // Borrowed only once there is something to measure.
    let mut board: Option<Box<dyn Profiler>> = None;
    let mut spent = Spent { relatives: of_whom.into(), ..Default::default() };
    loop {
        if !goes_on(&spent)? {
            return Err(SearchError::Cancelled);
        }
        match strategy.ask() {
            Step::Done(outcome) => {
                drop(board);
                if answers_every_budget(order) {
                    let measured = before.readings.len() as u64 + u64::from(spent.measurements);
                    let points = strategy.profiles().operating_points(order.problem.roles());
                    runtime.block_on(keep_front(
                        store,
                        known,
                        order,
                        !points.is_empty(),
                        measured,
                    ))?;
                }
                return Ok(to_wire(order, &outcome));
            }
            Step::Measure(measurement) => {
                if let Some(reading) = on_disk.get(&measurement) {
                    strategy.tell(measurement, *reading);
                    continue;
                }
                let board = match &mut board {
                    Some(board) => board,
                    None => board.insert(open(&order.spec)?),
                };
                let began = Instant::now();
                let reading = measure(&mut **board, order, measurement)?;
                cost.measured(&order.board.model, reading.is_ok(), began.elapsed());
                spent.measurements += 1;
                spent.modes.insert(measurement.mode.index());
                // Kept before the strategy knows, so that whoever takes the search up knows too.
                runtime.block_on(store.add_profiles(&[kept(order, measurement, &reading)]))?;
                strategy.tell(measurement, reading);
            }
        }
    }
}

/// Whether what was measured is a front that answers later budgets too. Other builders of fronts
/// (one mode, some at random), and those that may measure less than they need, answer this one alone.
fn answers_every_budget(order: &Order) -> bool {
    let own = order.recipe.allowance_for(order.problem.roles().len());
    let enough = |asked: u32, own: usize| asked == 0 || asked as usize >= own;
    ["als", "optimum"].contains(&order.recipe.name.as_str())
        && enough(order.spec.modes, own.modes)
        && enough(order.spec.measurements, own.measurements)
}

fn open(spec: &v1::SearchSpec) -> Result<Box<dyn Profiler>, SearchError> {
    let lost = |error: &dyn std::fmt::Display| SearchError::Board(error.to_string());
    if !spec.stand_in.is_empty() {
        return board_named(&spec.stand_in, spec.seed.max(1)).map_err(|error| lost(&error));
    }
    let address = spec.board_address.parse().map_err(|error| lost(&error))?;
    let options = RemoteOptions::new(format!("search for {}", spec.measured_by));
    let board = RemoteBoard::borrow(&address, options).map_err(|error| lost(&error))?;
    Ok(Box::new(board))
}

fn measure(
    board: &mut dyn Profiler,
    order: &Order,
    measurement: Measurement,
) -> Result<Reading, SearchError> {
    let Some(workload) = order.problem.workload(measurement.role) else {
        return Ok(Err(Failure::Unavailable));
    };
    let span = Span::begin("measure")
        .saying("fulcrum.workload", workload.to_string())
        .saying("fulcrum.power_mode", order.setting.space.describe(measurement.mode))
        .saying("fulcrum.batch_size", i64::from(measurement.batch_size.get()));
    let reading = {
        let _here = span.enter();
        board.measure(workload, measurement.mode, measurement.batch_size)
    };
    match board.lost() {
        Some(reason) => {
            span.failed(reason.clone());
            Err(SearchError::Board(reason))
        }
        None => {
            if let Err(failure) = &reading {
                span.failed(failure.to_string());
            }
            Ok(reading)
        }
    }
}

fn kept(order: &Order, measurement: Measurement, reading: &Reading) -> StoredProfile {
    let workload = order.problem.workload(measurement.role).cloned();
    let workload = workload.unwrap_or_else(|| fulcrum_domain::Workload::train(""));
    let by = (order.spec.measured_by.as_str(), now_ms());
    to_keep(&order.board, &order.setting, &workload, measurement, reading, by)
}

/// Keeps that a front was built, and its points.
async fn keep_front(
    store: &Store,
    known: &Known,
    order: &Order,
    has_points: bool,
    measurements: u64,
) -> Result<(), StoreError> {
    if !has_points {
        return Ok(());
    }
    let pair = Pair::of(&order.board, &order.problem);
    let front = StoredFront {
        board_model: order.board.model.clone(),
        software: order.board.software.clone(),
        background: pair.background.clone(),
        urgent: pair.urgent.clone(),
        strategy: order.recipe.name.clone(),
        measurements: measurements.cast_signed(),
        built_at_ms: now_ms(),
    };
    store.put_front(&front, &pair.versions).await?;
    // The next who asks finds its points.
    known.of(store, &order.board, &order.setting, &order.problem).await.map(drop)
}

fn to_wire(order: &Order, outcome: &Outcome) -> v1::Outcome {
    let batch = order.setting.background_batch;
    outcome_to_wire(outcome, &order.problem, &order.setting.space, batch)
}
