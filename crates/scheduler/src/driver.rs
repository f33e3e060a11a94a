//! Has one board do what is wanted: reaches it, plans, puts plans into force, watches, and does so
//! again when something changes.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_api::v1;
use fulcrum_domain::Workload;
use fulcrum_service::now_ms;
use fulcrum_store::{StoredBoard, StoredPlan, StoredWindow};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};
use tonic::Status;

use crate::drift::{Finding, Watch};
use crate::job::{self, BoardState};
use crate::link::{Link, LinkError, RENEW};
use crate::made_plan::{MadePlan, planned_workload};
use crate::planner::{Place, Searched, is_passing};
use crate::rollout::KEPT_WINDOWS;
use crate::term::{Order, Term, Wanted};

/// A board that does not answer is called again after this, and then less and less often.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What may pass is tried again after this.
const SOON: Duration = Duration::from_secs(2);
/// What somebody has to mend is tried again after this.
const LATER: Duration = Duration::from_secs(30);

/// How a board stands with what is wanted of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Standing {
    pub(crate) state: BoardState,
    pub(crate) message: String,
    /// The job whose plan is in force; empty for none.
    pub(crate) job: String,
    /// The generation of the job's spec that the plan in force is for.
    pub(crate) generation: i64,
    /// The budget that it was made for.
    pub(crate) budget_watts: Option<f64>,
    pub(crate) model: String,
    pub(crate) software: String,
    /// For how many windows in a row its budgets have held, up to [`KEPT_WINDOWS`].
    pub(crate) kept: u32,
    /// How they are broken, if they are.
    pub(crate) breaks: Option<String>,
}

/// Drives one board.
pub(crate) struct Driver {
    pub(crate) board: StoredBoard,
    pub(crate) term: Arc<Term>,
    pub(crate) wanted: watch::Receiver<Wanted>,
    pub(crate) standing: watch::Sender<Standing>,
}

/// A plan that was put into force in this session.
struct InForce {
    order: Arc<Order>,
    made: MadePlan,
    watch: Watch,
}

type Search = Pin<Box<dyn Future<Output = Result<Searched, Status>> + Send>>;

/// What a session knows beside its connection.
struct Session {
    link: Link,
    in_force: Option<InForce>,
    /// Requests arrive at another rate than the job says.
    rate: Option<f64>,
    search: Option<Search>,
    progress: watch::Sender<u32>,
    /// What the last search gave, for the order that it was for.
    searched: Option<(Arc<Order>, Searched)>,
    /// How often what a search gave was of no use.
    again: u32,
    /// Workloads that were contradicted before: the next time it is not one mode alone.
    contradicted: BTreeSet<Workload>,
    /// When to see to what is wanted.
    due: Option<Instant>,
}

impl Driver {
    /// Drives until the board is let go.
    pub(crate) async fn drive(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.session(&mut pause).await {
                Ok(()) => return,
                Err(error) => self.stand(|standing| {
                    standing.state = BoardState::Unreachable;
                    standing.message = format!("its agent does not answer: {error}");
                    standing.kept = 0;
                }),
            }
            let until = Instant::now() + pause;
            while let Ok(changed) = timeout_at(until, self.wanted.changed()).await {
                // A board that is not there cannot be given back: its lease ends by itself.
                if changed.is_err() || *self.wanted.borrow_and_update() == Wanted::LetGo {
                    return;
                }
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Drives as long as the board answers. One that did is called again soon.
    async fn session(&mut self, pause: &mut Duration) -> Result<(), LinkError> {
        let link = {
            let _call = self.term.calls.acquire().await;
            Link::open(&self.board, self.term.number).await?
        };
        *pause = FIRST_PAUSE;
        self.stand(|standing| {
            link.model().clone_into(&mut standing.model);
            standing.software.clone_from(&link.description.identity.software);
            if standing.state != BoardState::Running {
                standing.state = BoardState::Idle;
                standing.message = "it answers".into();
            }
        });
        let mut session = Session {
            link,
            in_force: None,
            rate: None,
            search: None,
            progress: watch::Sender::new(0),
            searched: None,
            again: 0,
            contradicted: BTreeSet::new(),
            due: Some(Instant::now()),
        };
        let mut progress = session.progress.subscribe();
        let mut renewals = interval(RENEW);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.wanted.mark_unchanged();
        loop {
            let due = session.due;
            tokio::select! {
                biased;
                changed = self.wanted.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    session.search = None;
                    session.rate = None;
                    session.due = Some(Instant::now());
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    session.due = None;
                    let wanted = self.wanted.borrow_and_update().clone();
                    if wanted == Wanted::LetGo {
                        return session.link.give_back().await;
                    }
                    self.see_to(&mut session, wanted).await?;
                }
                ended = ended(&mut session.search) => {
                    session.search = None;
                    self.search_ended(&mut session, ended).await;
                }
                Ok(()) = progress.changed() => {
                    let measurements = *progress.borrow_and_update();
                    self.stand(|standing| {
                        if standing.state == BoardState::Searching {
                            standing.message = format!("searching; {measurements} measured");
                        }
                    });
                }
                window = session.link.windows.message() => {
                    let lost = || LinkError::Lost("its windows have ended".into());
                    let window = window?.ok_or_else(lost)?.window.unwrap_or_default();
                    self.window(&mut session, &window).await;
                }
                _ = renewals.tick() => if let Err(LinkError::Refused(reason)) =
                    session.link.renew().await
                {
                    tracing::warn!(board = self.board.name, reason, "the lease was lost");
                    session.in_force = None;
                    session.due = Some(Instant::now());
                }
            }
        }
    }

    /// Does what is wanted, or as much of it as can be done now.
    async fn see_to(&self, session: &mut Session, wanted: Wanted) -> Result<(), LinkError> {
        let done = match wanted {
            Wanted::Run(order) => self.run(session, order).await,
            Wanted::Hold => match session.link.generation {
                0 => Ok(()),
                // Who led before has put a plan into force: it stays, and so does its mode.
                _ => session.link.take().await.map(drop),
            },
            Wanted::Nothing | Wanted::LetGo => {
                session.in_force = None;
                session.link.give_back().await.map(|()| self.stands_idle("it has no job"))
            }
        };
        match done {
            Err(LinkError::Refused(reason)) => {
                self.blocked(format!("the board refuses: {reason}"));
                session.due = Some(Instant::now() + SOON);
                Ok(())
            }
            other => other,
        }
    }

    async fn run(&self, session: &mut Session, order: Arc<Order>) -> Result<(), LinkError> {
        let place = self.place(&session.link);
        let problem = job::problem(&order.spec, order.budget_watts, session.rate);
        let (problems, own) = job::by_rate(&problem);
        let solved = self.term.planner.solve(&place, &order.spec.alternate, problems.clone()).await;
        let answers = match solved {
            Ok(answers) => answers,
            Err(status) => {
                let passing = is_passing(&status);
                self.blocked(format!("the optimizer: {}", status.message()));
                session.due = Some(Instant::now() + if passing { SOON } else { LATER });
                return Ok(());
            }
        };
        let Some(answer) = answers.get(own).cloned() else { return Ok(()) };
        let searched = session.searched.as_ref().filter(|(of, _)| **of == *order);
        let (outcome, origin, measurements) = match (answer.origin.as_str(), searched) {
            ("", None) => return self.start_search(session, &place, order, problem).await,
            ("", Some((_, searched))) => {
                (searched.outcome.clone(), "search".to_owned(), searched.measurements)
            }
            (origin, searched) => {
                let measurements = searched.map_or(0, |(_, searched)| searched.measurements);
                let origin = if measurements > 0 { "search" } else { origin };
                (answer.outcome.unwrap_or_default(), origin.to_owned(), measurements)
            }
        };
        session.searched = None;
        let Some(plan) = outcome.plan else {
            return self.infeasible(session, &order, &outcome.because).await;
        };
        let others = problems.iter().zip(answers.iter()).filter(|(_, a)| !a.origin.is_empty());
        let others = others.filter_map(|(problem, answer)| {
            Some((problem.clone(), answer.outcome.as_ref()?.plan.clone()?))
        });
        let space = &session.link.description.space;
        let made = MadePlan::new(&order.spec, (problem, plan), others, space);
        let made = made.map_err(|error| LinkError::Refused(error.to_string()))?;
        self.put_into_force(session, order, made, (&origin, measurements)).await
    }

    /// Searches for a plan. The optimizer needs the board itself for it, unless a table stands in.
    async fn start_search(
        &self,
        session: &mut Session,
        place: &Place,
        order: Arc<Order>,
        problem: v1::Problem,
    ) -> Result<(), LinkError> {
        if self.board.stand_in.is_empty() {
            session.in_force = None;
            session.link.give_back().await?;
        }
        self.stand(|standing| {
            standing.state = BoardState::Searching;
            standing.message = "searching for a plan".into();
            if session.in_force.is_none() {
                standing.budget_watts = None;
            }
        });
        self.note(&order.job, "no stored plan answers: a search begins").await;
        let spec = v1::SearchSpec {
            problem: Some(problem),
            strategy: job::strategy(&order.spec).to_owned(),
            alternate: order.spec.alternate.clone(),
            ..Default::default()
        };
        let (planner, place) = (self.term.planner.clone(), place.clone());
        let (again, progress) = (session.again, session.progress.clone());
        session.search =
            Some(Box::pin(async move { planner.search(&place, spec, again, progress).await }));
        Ok(())
    }

    async fn search_ended(&self, session: &mut Session, ended: Result<Searched, Status>) {
        let Wanted::Run(order) = self.wanted.borrow().clone() else { return };
        match ended {
            Ok(searched) => {
                let what = format!("a search ended after {} measurements", searched.measurements);
                self.note(&order.job, &what).await;
                session.searched = Some((order, searched));
                session.due = Some(Instant::now());
            }
            Err(status) => {
                session.again += 1;
                self.blocked(format!("no plan could be searched for: {}", status.message()));
                self.note(&order.job, &format!("a search failed: {}", status.message())).await;
                let passing = is_passing(&status);
                session.due = Some(Instant::now() + if passing { SOON } else { LATER });
            }
        }
    }

    /// No plan meets the budgets: nothing that breaks them stays in force.
    async fn infeasible(
        &self,
        session: &mut Session,
        order: &Arc<Order>,
        because: &str,
    ) -> Result<(), LinkError> {
        if let Some(rate) = session.rate.take().filter(|_| session.in_force.is_some()) {
            let what = format!("requests arrive {rate:.1} times a second; no plan holds then");
            self.note(&order.job, &what).await;
            return Ok(());
        }
        session.in_force = None;
        session.link.give_back().await?;
        let said = !self.standing.borrow().message.ends_with(because);
        self.stand(|standing| {
            standing.state = BoardState::Infeasible;
            standing.message = format!("no plan meets the budgets: {because}");
            standing.job.clone_from(&order.job);
            standing.generation = order.generation;
            standing.budget_watts = None;
            standing.kept = 0;
        });
        if said {
            self.note(&order.job, &format!("no plan meets the budgets: {because}")).await;
        }
        Ok(())
    }

    async fn put_into_force(
        &self,
        session: &mut Session,
        order: Arc<Order>,
        made: MadePlan,
        (origin, measurements): (&str, u32),
    ) -> Result<(), LinkError> {
        let before = session.in_force.take();
        let is_same = before.as_ref().is_some_and(|now| now.made.does_the_same(&made));
        if !is_same {
            self.keep_plan(&order, &made, (origin, measurements)).await;
            let simulate = if self.board.simulate { made.simulated.clone() } else { Vec::new() };
            session.link.apply(made.turns.clone(), simulate).await?;
            self.note(&order.job, &format!("in force: {}; from {origin}", made.words())).await;
        } else if before.as_ref().is_some_and(|now| !now.order.is_same_change(&order)) {
            self.keep_plan(&order, &made, (origin, measurements)).await;
            self.note(&order.job, "its plan stays as it is").await;
        }
        let watch = match before.filter(|now| is_same && now.made.promise == made.promise) {
            Some(now) => now.watch,
            None => Watch::new(made.promise.clone()),
        };
        self.stand(|standing| {
            standing.state = BoardState::Running;
            standing.message = made.words();
            standing.job.clone_from(&order.job);
            standing.generation = order.generation;
            standing.budget_watts = Some(order.budget_watts);
            standing.kept = watch.kept().min(KEPT_WINDOWS);
            standing.breaks = watch.breaks();
        });
        session.in_force = Some(InForce { order, made, watch });
        Ok(())
    }

    /// A plan is known to all before it is in force. A store that is away does not keep a board from
    /// its plan: it is made again from the same profiles by whoever asks.
    async fn keep_plan(&self, order: &Order, made: &MadePlan, (origin, measurements): (&str, u32)) {
        let plan = StoredPlan {
            job: order.job.clone(),
            board: self.board.name.clone(),
            generation: order.generation,
            plan: made.to_keep(),
            origin: origin.to_owned(),
            measurements: measurements.into(),
            made_at_ms: now_ms(),
        };
        if let Err(error) = self.term.store.add_plan(&plan).await {
            tracing::warn!(board = self.board.name, %error, "a plan could not be kept");
        }
    }

    /// Takes a window: keeps it, and acts on what it contradicts.
    async fn window(&self, session: &mut Session, window: &v1::Window) {
        let Some(now) = &mut session.in_force else { return };
        // The agent was restarted in between, or somebody else has put a plan into force.
        if window.generation != session.link.generation {
            session.link.generation = window.generation;
            session.in_force = None;
            session.due = Some(Instant::now());
            return;
        }
        let _ = self.term.windows.try_send(stored(&self.board.name, now, window));
        let finding = now.watch.window(window);
        let (kept, breaks) = (now.watch.kept().min(KEPT_WINDOWS), now.watch.breaks());
        let (job, plans) = (now.order.job.clone(), now.made.plans.clone());
        let did_break = self.standing.borrow().breaks.is_some();
        if let Some(reason) = breaks.as_ref().filter(|_| !did_break) {
            self.note(&job, &format!("a budget is broken: {reason}")).await;
        }
        self.stand(|standing| (standing.kept, standing.breaks) = (kept, breaks));
        for fenced in &window.fenced {
            let what = format!("goes on without {}: {}", fenced.workload, fenced.reason);
            self.note(&job, &what).await;
        }
        for action in &window.guard_actions {
            self.note(&job, &format!("its guard stepped down: {}", action.reason)).await;
        }
        let place = self.place(&session.link);
        match finding {
            None => {}
            Some(Finding::Rate { per_second }) => {
                let what = format!("requests arrive {per_second:.1} times a second: planned anew");
                self.note(&job, &what).await;
                session.rate = Some(per_second);
                session.due = Some(Instant::now());
            }
            Some(Finding::Duration { workload, answer, factor }) => {
                let what = format!("{workload} lasts {factor:.2} times what was measured");
                let Some(plan) = plans.get(answer) else { return };
                self.suspect(session, &place, &job, what, &[workload], plan).await;
            }
            Some(Finding::Power { answer, watts }) => {
                let what = format!("the board draws {watts:.1} W, more than was measured");
                let Some(plan) = plans.get(answer) else { return };
                let all: Vec<Workload> = plan.workloads.iter().map(planned_workload).collect();
                self.suspect(session, &place, &job, what, &all, plan).await;
            }
        }
    }

    /// What was measured is contradicted: it is measured again, and then planned anew. First at the
    /// mode where that was seen; a workload that is contradicted once more has changed altogether.
    async fn suspect(
        &self,
        session: &mut Session,
        place: &Place,
        job: &str,
        what: String,
        workloads: &[Workload],
        plan: &v1::Plan,
    ) {
        let mut suspected = 0;
        for of in workloads {
            let is_first = session.contradicted.insert(of.clone());
            let named = (&*of.name, of.kind.as_str());
            match self.term.planner.suspect(place, named, Some(plan).filter(|_| is_first)).await {
                Ok(count) => suspected += count,
                Err(status) => tracing::warn!(%status, "profiles could not be suspected"),
            }
        }
        self.note(job, &format!("{what}; {suspected} profiles are measured again")).await;
        if suspected > 0 {
            session.again += 1;
            session.due = Some(Instant::now());
        }
    }

    fn place(&self, link: &Link) -> Place {
        Place {
            address: self.board.address.clone(),
            stand_in: self.board.stand_in.clone(),
            model: link.model().to_owned(),
            software: link.description.identity.software.clone(),
            name: self.board.name.clone(),
        }
    }

    fn stands_idle(&self, why: &str) {
        self.stand(|standing| {
            *standing = Standing {
                state: BoardState::Idle,
                message: why.to_owned(),
                model: std::mem::take(&mut standing.model),
                software: std::mem::take(&mut standing.software),
                ..Default::default()
            };
        });
    }

    fn blocked(&self, why: String) {
        self.stand(|standing| {
            standing.state = BoardState::Blocked;
            standing.message = why;
        });
    }

    /// Changes how the board stands, and tells whoever decides, if that is a change.
    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        let changed = self.standing.send_if_modified(|standing| {
            let before = standing.clone();
            change(standing);
            *standing != before
        });
        if changed {
            self.term.stands.notify_one();
        }
    }

    async fn note(&self, job: &str, what: &str) {
        self.term.note(job, &self.board.name, what).await;
    }
}

/// What a search gives; never, where there is none.
async fn ended(search: &mut Option<Search>) -> Result<Searched, Status> {
    match search {
        Some(search) => search.await,
        None => std::future::pending().await,
    }
}

fn stored(board: &str, now: &InForce, window: &v1::Window) -> StoredWindow {
    let urgent = |seen: &&v1::WorkloadWindow| {
        now.made.promise.urgent.as_ref().is_some_and(|urgent| {
            *urgent.name == *seen.workload && seen.kind == v1::WorkloadKind::Infer as i32
        })
    };
    let requests = window.workloads.iter().find(urgent);
    let background = window.workloads.iter().filter(|seen| !urgent(seen));
    let seconds = |span: &prost_types::Duration| {
        fulcrum_api::duration_from_wire(span).unwrap_or_default().as_secs_f64()
    };
    let longest = requests.and_then(|seen| seen.longest_latency.as_ref());
    StoredWindow {
        job: now.order.job.clone(),
        board: board.to_owned(),
        ended_at_ms: now_ms(),
        seconds: window.length.as_ref().map_or(0.0, seconds),
        minibatches: background.map(|seen| seen.minibatches.cast_signed()).sum(),
        requests: requests.map_or(0, |seen| seen.requests.cast_signed()),
        late_requests: requests.map_or(0, |seen| seen.late_requests.cast_signed()),
        longest_latency_seconds: longest.map(seconds),
        power_watts: window.mean_power_watts,
    }
}
