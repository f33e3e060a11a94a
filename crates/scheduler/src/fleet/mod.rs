//! Decides, while this replica leads, which board does what.

mod budgets;
mod telling;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::v1;
use fulcrum_store::{JobStanding, JobState, StoreError, StoredBoard, StoredBoardState, StoredJob};
use fulcrum_trace::Kept;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::assignment::{Candidate, Need, assign};
use crate::bell::Bell;
use crate::driver::{Driver, Standing};
use crate::job::BoardState;
use crate::rollout::{self, Progress};
use crate::term::{Order, Term, Wanted};

/// The name of the setting that holds what all boards together may draw.
pub(crate) const SITE_POWER: &str = "site_power_watts";
/// How often to look whether something else is wanted: another replica may have been told.
const LOOK: Duration = Duration::from_millis(100);
/// What boards say in this time is seen to at once.
const TOGETHER: Duration = Duration::from_millis(20);
/// A store that does not answer is asked again after this.
const RETRY: Duration = Duration::from_millis(500);

/// A board's place in the fleet.
struct Seat {
    board: StoredBoard,
    wanted: watch::Sender<Wanted>,
    standing: watch::Receiver<Standing>,
    driving: AbortHandle,
    /// The job that it has.
    job: Option<String>,
    /// The change of its job that it was told to make.
    told: Option<(String, i64)>,
}

/// A job that is to run.
struct Work {
    job: StoredJob,
    spec: Arc<v1::JobSpec>,
}

/// All boards and jobs.
pub(crate) struct Fleet {
    term: Arc<Term>,
    /// Rung when something else may be wanted.
    bell: Arc<Bell>,
    seats: BTreeMap<String, Seat>,
    drivers: JoinSet<()>,
    /// The boards of each job.
    members: HashMap<String, Vec<String>>,
    work: Vec<Work>,
    /// Cancelled, and not yet ended on all boards.
    ending: Vec<StoredJob>,
    site_watts: Option<f64>,
    revision: Option<i64>,
    /// What was said of boards and jobs.
    said_of_boards: HashMap<String, StoredBoardState>,
    said_of_jobs: HashMap<String, JobStanding>,
}

impl Fleet {
    pub(crate) fn new(term: Arc<Term>, bell: Arc<Bell>) -> Self {
        Self {
            term,
            bell,
            seats: BTreeMap::new(),
            drivers: JoinSet::new(),
            members: HashMap::new(),
            work: Vec::new(),
            ending: Vec::new(),
            site_watts: None,
            revision: None,
            said_of_boards: HashMap::new(),
            said_of_jobs: HashMap::new(),
        }
    }

    /// Decides until it is dropped, or another replica leads; then the boards keep what they have.
    pub(crate) async fn lead(mut self) {
        // Something is to be said that the store did not take.
        let mut unsaid = false;
        loop {
            match self.look().await {
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        () = self.term.stands.notified() => tokio::select! {
                            () = tokio::time::sleep(TOGETHER) => {}
                            () = self.bell.heard() => {}
                        },
                        () = self.bell.heard() => {}
                        () = tokio::time::sleep(LOOK) => if !unsaid {
                            continue;
                        },
                    }
                    // What is wanted comes before what there is to say.
                    if let Err(error) = self.look().await {
                        tracing::warn!(%error, "the store does not answer");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the store does not answer");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            }
            self.decide().await;
            // Those who were told go first: what there is to say can wait.
            tokio::task::yield_now().await;
            unsaid = match self.say().await {
                Ok(true) => false,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "how boards and jobs stand could not be kept");
                    true
                }
            };
        }
    }

    /// Looks whether something else is wanted.
    async fn look(&mut self) -> Result<bool, StoreError> {
        // What this replica has just kept need not be read, where nothing else has changed.
        let next = self.revision.map(|seen| seen + 1);
        if let Some(job) = self.bell.job().filter(|job| Some(job.revision) == next) {
            self.revision = next;
            self.take(job);
            self.give();
            return Ok(true);
        }
        let revision = self.term.store.fleet_revision().await?;
        if self.revision == Some(revision) {
            return Ok(false);
        }
        let store = &self.term.store;
        let seen = self.revision;
        // Only what has changed: a fleet of thousands is not read again for one budget.
        let boards = async {
            match seen {
                None => store.boards().await,
                Some(seen) => store.boards_since(seen).await,
            }
        };
        let jobs = async {
            match seen {
                None => store.jobs_to_tend().await,
                Some(seen) => store.jobs_since(seen).await,
            }
        };
        let (boards, jobs, count, site) =
            tokio::try_join!(boards, jobs, store.count_boards(), store.setting(SITE_POWER))?;
        let count = usize::try_from(count).unwrap_or_default();
        // Which jobs boards had when another replica led.
        let first = if self.revision.is_none() {
            self.term.store.board_states().await?
        } else {
            Vec::new()
        };
        self.site_watts = site.and_then(|value| value.as_f64());
        for job in jobs {
            self.take(job);
        }
        for board in boards {
            self.seat(board);
        }
        if self.seats.len() != count {
            self.let_go(self.term.store.boards().await?);
        }
        for state in first {
            if let Some(seat) = self.seats.get_mut(&state.board) {
                seat.job = Some(state.job.clone()).filter(|job| !job.is_empty());
            }
            self.said_of_boards.insert(state.board.clone(), state);
        }
        self.give();
        if self.revision.is_none() {
            self.remember_told().await?;
        }
        self.revision = Some(revision);
        Ok(true)
    }

    /// Takes up a job, or another spec of it, or that it is to end.
    fn take(&mut self, job: StoredJob) {
        self.ending.retain(|ending| ending.name != job.name);
        let place = self.work.iter().position(|work| work.job.name == job.name);
        if job.cancelled {
            if let Some(place) = place {
                self.work.remove(place);
            }
            if job.state != JobState::Cancelled {
                self.ending.push(job);
            }
            return;
        }
        let Some(work) = Work::read(job) else { return };
        match place {
            Some(place) => self.work[place] = work,
            None => {
                let order = |work: &Work| (work.job.created_at_ms, work.job.name.clone());
                let place = self.work.partition_point(|before| order(before) < order(&work));
                self.work.insert(place, work);
            }
        }
    }

    /// Lets the boards go that are not among these, which are all that there are.
    fn let_go(&mut self, boards: Vec<StoredBoard>) {
        let names: BTreeSet<&str> = boards.iter().map(|board| &*board.name).collect();
        self.seats.retain(|name, seat| {
            let stays = names.contains(name.as_str());
            if !stays {
                seat.wanted.send_replace(Wanted::LetGo);
            }
            stays
        });
        for board in boards {
            self.seat(board);
        }
    }

    /// Has a driver for a board.
    fn seat(&mut self, board: StoredBoard) {
        let (mut job, mut told) = (None, None);
        if let Some(seat) = self.seats.get_mut(&board.name) {
            let is_reached_the_same = seat.board.address == board.address
                && seat.board.stand_in == board.stand_in
                && seat.board.simulate == board.simulate;
            if is_reached_the_same {
                seat.board = board;
                return;
            }
            seat.driving.abort();
            (job, told) = (seat.job.take(), seat.told.take());
        }
        let (wanted, wanting) = watch::channel(Wanted::Hold);
        let (standing, stands) = watch::channel(Standing::default());
        let driver =
            Driver { board: board.clone(), term: self.term.clone(), wanted: wanting, standing };
        let driving = self.drivers.spawn(driver.drive());
        let seat = Seat { board, wanted, standing: stands, driving, job, told };
        self.seats.insert(seat.board.name.clone(), seat);
        // Those that were let go have ended some time.
        while self.drivers.try_join_next().is_some() {}
    }

    /// Gives boards to jobs.
    fn give(&mut self) {
        let places: HashMap<&str, usize> =
            self.work.iter().enumerate().map(|(place, w)| (w.job.name.as_str(), place)).collect();
        let candidates: Vec<Candidate> = self
            .seats
            .values()
            .map(|seat| Candidate {
                labels: seat.board.labels.clone(),
                has: seat.job.as_deref().and_then(|job| places.get(job).copied()),
            })
            .collect();
        let need = |work: &Work| Need {
            labels: work.spec.boards.clone(),
            count: Some(work.spec.board_count as usize).filter(|&count| count > 0),
        };
        let needs: Vec<Need> = self.work.iter().map(need).collect();
        let given = assign(&candidates, &needs);
        self.members.clear();
        for (seat, place) in self.seats.values_mut().zip(given) {
            seat.job = place.map(|place| self.work[place].job.name.clone());
            if let Some(job) = &seat.job {
                let members = self.members.entry(job.clone()).or_default();
                members.push(seat.board.name.clone());
            }
        }
    }

    /// Which boards have made the latest change of their jobs, by the plans that were kept.
    async fn remember_told(&mut self) -> Result<(), StoreError> {
        for work in self.work.iter().filter(|work| work.spec.at_a_time > 0) {
            for plan in self.term.store.latest_plans(&work.job.name).await? {
                if let Some(seat) = self.seats.get_mut(&plan.board) {
                    seat.told = Some((plan.job, plan.generation));
                }
            }
        }
        Ok(())
    }

    /// Tells each board what it is to do.
    async fn decide(&mut self) {
        let budgets = self.budgets().await;
        let mut wanted: HashMap<String, Wanted> = HashMap::new();
        for work in &self.work {
            let names: Vec<String> = self.members(&work.job.name).map(str::to_owned).collect();
            let change = (work.job.name.clone(), work.job.generation);
            let progress: Vec<Progress> = names
                .iter()
                .filter_map(|name| self.seats.get(name))
                .map(|seat| {
                    let standing = seat.standing.borrow();
                    let told = seat.told.as_ref() == Some(&change);
                    let has = standing.state == BoardState::Running
                        && standing.job == change.0
                        && standing.generation == change.1;
                    Progress {
                        told,
                        kept: if told && has { standing.kept } else { 0 },
                        breaks: standing.breaks.clone().filter(|_| told && has),
                    }
                })
                .collect();
            let step = rollout::next(&progress, work.spec.at_a_time as usize);
            for (name, may) in names.iter().zip(step.may) {
                let Some(seat) = self.seats.get_mut(name) else { continue };
                // What it was told before, be it by an earlier leader.
                let has_it = seat.told.as_ref().is_some_and(|(job, _)| *job == work.job.name);
                if may {
                    seat.told = Some(change.clone());
                }
                let order = |budget_watts| {
                    Arc::new(Order {
                        job: work.job.name.clone(),
                        generation: work.job.generation,
                        spec: work.spec.clone(),
                        budget_watts,
                        trace: Kept::new(&work.job.trace),
                    })
                };
                let to_do = match budgets.get(name) {
                    Some(Some(budget)) if may => Wanted::Run(order(*budget)),
                    Some(Some(_)) if has_it => Wanted::Hold,
                    _ => Wanted::Nothing,
                };
                wanted.insert(name.clone(), to_do);
            }
        }
        for (name, seat) in &self.seats {
            let to_do = wanted.remove(name).unwrap_or_default();
            seat.wanted.send_if_modified(|now| {
                let changed = *now != to_do;
                *now = to_do;
                changed
            });
        }
    }

    /// The boards that have a job, by name.
    fn members<'a>(&'a self, job: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.members.get(job).into_iter().flatten().map(String::as_str)
    }
}

impl Work {
    fn read(job: StoredJob) -> Option<Self> {
        match serde_json::from_value(job.spec.clone()) {
            Ok(spec) => Some(Self { job, spec: Arc::new(spec) }),
            Err(error) => {
                tracing::error!(job = job.name, %error, "what a job asks for cannot be read");
                None
            }
        }
    }
}
