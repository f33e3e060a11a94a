//! Decides, while this replica leads, which board does what.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::v1;
use fulcrum_service::now_ms;
use fulcrum_store::{Counted, JobState, StoreError, StoredBoard, StoredBoardState, StoredJob};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::assignment::{Candidate, Need, assign};
use crate::driver::{Driver, Standing};
use crate::job::{self, BoardState, Member};
use crate::planner::Place;
use crate::rollout::{self, Progress};
use crate::site_power::{Worth, on_the_way, share};
use crate::term::{Order, Term, Wanted};

/// The name of the setting that holds what all boards together may draw.
pub(crate) const SITE_POWER: &str = "site_power_watts";
/// How often to look whether something else is wanted: another replica may have been told.
const LOOK: Duration = Duration::from_millis(100);
/// What boards say in this time is seen to at once.
const TOGETHER: Duration = Duration::from_millis(20);
/// A store that does not answer is asked again after this.
const RETRY: Duration = Duration::from_millis(500);
/// What a board's share of the site's power is chosen among: so many shares of its job's budget.
const CHOICES: u32 = 20;

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
    spec: v1::JobSpec,
}

/// All boards and jobs.
pub(crate) struct Fleet {
    term: Arc<Term>,
    /// Told when something else may be wanted.
    woken: Arc<Notify>,
    seats: BTreeMap<String, Seat>,
    drivers: JoinSet<()>,
    work: Vec<Work>,
    /// Cancelled, and not yet ended on all boards.
    ending: Vec<StoredJob>,
    site_watts: Option<f64>,
    revision: Option<i64>,
    /// What was said of boards and jobs.
    said_of_boards: HashMap<String, StoredBoardState>,
    said_of_jobs: HashMap<String, (i64, JobState, String)>,
}

impl Fleet {
    pub(crate) fn new(term: Arc<Term>, woken: Arc<Notify>) -> Self {
        Self {
            term,
            woken,
            seats: BTreeMap::new(),
            drivers: JoinSet::new(),
            work: Vec::new(),
            ending: Vec::new(),
            site_watts: None,
            revision: None,
            said_of_boards: HashMap::new(),
            said_of_jobs: HashMap::new(),
        }
    }

    /// Decides until it is dropped; then the boards keep what they have.
    pub(crate) async fn lead(mut self) {
        loop {
            match self.look().await {
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        () = self.term.stands.notified() => tokio::time::sleep(TOGETHER).await,
                        () = self.woken.notified() => {}
                        () = tokio::time::sleep(LOOK) => continue,
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
            if let Err(error) = self.say().await {
                tracing::warn!(%error, "how boards and jobs stand could not be kept");
            }
        }
    }

    /// Looks whether something else is wanted.
    async fn look(&mut self) -> Result<bool, StoreError> {
        let revision = self.term.store.revision(Counted::Fleet).await?;
        if self.revision == Some(revision) {
            return Ok(false);
        }
        let boards = self.term.store.boards().await?;
        let jobs = self.term.store.jobs_to_tend().await?;
        let site = self.term.store.setting(SITE_POWER).await?;
        // Which jobs boards had when another replica led.
        let first = if self.revision.is_none() {
            self.term.store.board_states().await?
        } else {
            Vec::new()
        };
        self.site_watts = site.and_then(|value| value.as_f64());
        let (ending, running): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.cancelled);
        self.ending = ending;
        self.work = running.into_iter().filter_map(Work::read).collect();
        self.seat(boards);
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

    /// Has a driver for each board.
    fn seat(&mut self, boards: Vec<StoredBoard>) {
        let names: BTreeSet<String> = boards.iter().map(|board| board.name.clone()).collect();
        self.seats.retain(|name, seat| {
            let stays = names.contains(name);
            if !stays {
                seat.wanted.send_replace(Wanted::LetGo);
            }
            stays
        });
        for board in boards {
            let (mut job, mut told) = (None, None);
            if let Some(seat) = self.seats.get_mut(&board.name) {
                let is_reached_the_same = seat.board.address == board.address
                    && seat.board.stand_in == board.stand_in
                    && seat.board.simulate == board.simulate;
                if is_reached_the_same {
                    seat.board = board;
                    continue;
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
        }
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
        for (seat, place) in self.seats.values_mut().zip(given) {
            seat.job = place.map(|place| self.work[place].job.name.clone());
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
                if may {
                    seat.told = Some(change.clone());
                }
                let order = |budget_watts| {
                    Arc::new(Order {
                        job: work.job.name.clone(),
                        generation: work.job.generation,
                        spec: work.spec.clone(),
                        budget_watts,
                    })
                };
                let has_it = seat.standing.borrow().job == work.job.name;
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

    /// The power budget that each board with a job may have now: the job's, or its share of the
    /// site's; none where that leaves nothing for it.
    async fn budgets(&self) -> BTreeMap<String, Option<f64>> {
        let mut names = Vec::new();
        let mut caps = Vec::new();
        // In the order of the jobs: what comes first is served first.
        for work in &self.work {
            let cap = work.spec.problem.as_ref().map_or(0.0, |problem| problem.power_watts);
            for name in self.members(&work.job.name) {
                names.push((name.to_owned(), work));
                caps.push(cap);
            }
        }
        let Some(site_watts) = self.site_watts else {
            let capped = names.into_iter().zip(caps);
            return capped.map(|((name, _), cap)| (name, Some(cap))).collect();
        };
        let mut choices = Vec::with_capacity(names.len());
        let mut in_force = Vec::with_capacity(names.len());
        for ((name, work), cap) in names.iter().zip(&caps) {
            choices.push(self.choices(name, work, *cap).await);
            let standing = self.seats.get(name).map(|seat| seat.standing.borrow().budget_watts);
            in_force.push(standing.flatten().unwrap_or(0.0));
        }
        let shares = share(site_watts, &choices);
        let granted = on_the_way(site_watts, &in_force, &shares);
        let boards = names.into_iter().zip(choices.iter().zip(caps).zip(granted));
        boards
            .map(|((name, _), ((choices, cap), granted))| {
                // What can do nothing within its own budget says so itself, and draws nothing.
                (name, if choices.is_empty() { Some(cap) } else { granted })
            })
            .collect()
    }

    /// What a board could do with less than its job's budget; all of it while that is not known.
    async fn choices(&self, name: &str, work: &Work, cap: f64) -> Vec<Worth> {
        let unknown = vec![Worth { watts: cap, worth: 1.0 }];
        let Some(seat) = self.seats.get(name) else { return unknown };
        let place = {
            let standing = seat.standing.borrow();
            if standing.model.is_empty() && seat.board.stand_in.is_empty() {
                return unknown;
            }
            Place {
                address: seat.board.address.clone(),
                stand_in: seat.board.stand_in.clone(),
                model: standing.model.clone(),
                software: standing.software.clone(),
                name: name.to_owned(),
            }
        };
        let budget = |n: u32| cap * f64::from(n) / f64::from(CHOICES);
        let problems = (1..=CHOICES).map(|n| job::problem(&work.spec, budget(n), None)).collect();
        let solved = self.term.planner.solve(&place, &work.spec.alternate, problems).await;
        let Ok(answers) = solved else { return unknown };
        if answers.iter().any(|answer| answer.origin.is_empty()) {
            return unknown;
        }
        let plans = answers.iter().filter_map(|answer| answer.outcome.as_ref()?.plan.as_ref());
        let most = plans.clone().map(|plan| plan.throughput_hertz).fold(0.0, f64::max);
        let mut choices: Vec<Worth> = Vec::new();
        for plan in plans {
            let worth = if most > 0.0 { plan.throughput_hertz / most } else { 1.0 };
            // What the plan draws is all that it needs; the same plan again adds no choice.
            if choices.last().is_none_or(|last| plan.peak_power_watts > last.watts) {
                choices.push(Worth { watts: plan.peak_power_watts, worth });
            }
        }
        choices
    }

    /// The boards that have a job, by name.
    fn members<'a>(&'a self, job: &'a str) -> impl Iterator<Item = &'a str> {
        let has = move |seat: &&Seat| seat.job.as_deref() == Some(job);
        self.seats.values().filter(has).map(|seat| seat.board.name.as_str())
    }

    /// Says how boards and jobs stand, where that has changed.
    async fn say(&mut self) -> Result<(), StoreError> {
        let now = now_ms();
        let mut changed = Vec::new();
        for (name, seat) in &self.seats {
            let standing = seat.standing.borrow();
            let mut state = StoredBoardState {
                board: name.clone(),
                job: seat.job.clone().unwrap_or_default(),
                state: standing.state.as_str().to_owned(),
                message: standing.message.clone(),
                model: standing.model.clone(),
                software: standing.software.clone(),
                budget_watts: standing.budget_watts,
                updated_at_ms: 0,
            };
            if self.left_out(seat) {
                BoardState::Blocked.as_str().clone_into(&mut state.state);
                LEFT_OUT.clone_into(&mut state.message);
            }
            let said = self.said_of_boards.get(name);
            state.updated_at_ms = said.map_or(0, |said| said.updated_at_ms);
            if said != Some(&state) {
                state.updated_at_ms = now;
                changed.push(state);
            }
        }
        if !changed.is_empty() {
            self.term.store.set_board_states(&changed).await?;
            self.said_of_boards
                .extend(changed.into_iter().map(|state| (state.board.clone(), state)));
        }
        self.said_of_boards.retain(|name, _| self.seats.contains_key(name));
        for (name, generation, state, message) in self.job_states() {
            let said = (generation, state, message.clone());
            if self.said_of_jobs.get(&name) != Some(&said) {
                let store = &self.term.store;
                store.set_job_state(&name, generation, state, &message, now).await?;
                self.said_of_jobs.insert(name, said);
            }
        }
        Ok(())
    }

    /// Whether a board has a job and the site's power leaves nothing for it.
    fn left_out(&self, seat: &Seat) -> bool {
        self.site_watts.is_some() && seat.job.is_some() && *seat.wanted.borrow() == Wanted::Nothing
    }

    fn job_states(&self) -> Vec<(String, i64, JobState, String)> {
        let mut states = Vec::new();
        for work in &self.work {
            let name = &work.job.name;
            let mut breaks = None;
            let members: Vec<Member> = self
                .members(name)
                .filter_map(|board| self.seats.get(board))
                .map(|seat| {
                    let standing = seat.standing.borrow();
                    breaks = breaks.take().or_else(|| {
                        let reason = standing.breaks.clone()?;
                        Some(format!("{}: {reason}", seat.board.name))
                    });
                    let (state, message) = if self.left_out(seat) {
                        (BoardState::Blocked, LEFT_OUT.to_owned())
                    } else {
                        (standing.state, standing.message.clone())
                    };
                    Member { board: seat.board.name.clone(), state, message }
                })
                .collect();
            let (mut state, mut message) = job::standing(&members, &self.why_none(work));
            let is_staged = work.spec.at_a_time > 0;
            if let Some(reason) = breaks.filter(|_| is_staged && state == JobState::Running) {
                (state, message) =
                    (JobState::Blocked, format!("no further board is changed: {reason}"));
            }
            states.push((name.clone(), work.job.generation, state, message));
        }
        for job in &self.ending {
            let runs = |seat: &Seat| seat.standing.borrow().job == job.name;
            if !self.seats.values().any(runs) {
                let message = "cancelled; its boards were given back".to_owned();
                states.push((job.name.clone(), job.generation, JobState::Cancelled, message));
            }
        }
        states
    }

    /// Why a job has no board.
    fn why_none(&self, work: &Work) -> String {
        let labels = &work.spec.boards;
        let fits = |seat: &Seat| {
            labels.iter().all(|(name, value)| seat.board.labels.get(name) == Some(value))
        };
        let fitting = self.seats.values().filter(|seat| fits(seat)).count();
        if fitting > 0 {
            return format!("all {fitting} boards that it could have run other jobs");
        }
        if self.seats.is_empty() {
            return "the fleet has no boards; register one".to_owned();
        }
        let wanted: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("no board of the fleet has the labels {}", wanted.join(", "))
    }
}

const LEFT_OUT: &str = "the site's power leaves nothing for it";

impl Work {
    fn read(job: StoredJob) -> Option<Self> {
        match serde_json::from_value(job.spec.clone()) {
            Ok(spec) => Some(Self { job, spec }),
            Err(error) => {
                tracing::error!(job = job.name, %error, "what a job asks for cannot be read");
                None
            }
        }
    }
}
