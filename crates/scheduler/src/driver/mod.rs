//! Has one board do what is wanted: reaches it, plans, puts plans into force, watches, and does so
//! again when something changes.

mod planning;
mod watching;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fulcrum_domain::Workload;
use fulcrum_store::StoredBoard;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};
use tonic::Status;

use crate::drift::Watch;
use crate::job::BoardState;
use crate::link::{Link, LinkError, RENEW};
use crate::made_plan::MadePlan;
use crate::planner::{Place, Searched};
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
    /// For how many windows in a row its budgets have held, up to
    /// [`KEPT_WINDOWS`](crate::rollout::KEPT_WINDOWS).
    pub(crate) kept: u32,
    /// How they are broken, if they are.
    pub(crate) breaks: Option<String>,
}

impl Standing {
    /// Whether what it says of a plan is of another job, or of an earlier change of this one.
    pub(crate) fn is_of_another_change(&self, job: &str, generation: i64) -> bool {
        let is_of_a_plan = matches!(self.state, BoardState::Running | BoardState::Infeasible);
        is_of_a_plan && (self.job != job || self.generation != generation)
    }
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
    /// How many windows in a row were of an earlier plan than the one in force.
    behind: u32,
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
        let mut link = {
            let _call = self.term.calls.acquire().await;
            Link::open(&self.board, self.term.number).await?
        };
        link.space = self.term.shared(link.space);
        *pause = FIRST_PAUSE;
        self.stand(|standing| {
            standing.model.clone_from(&link.model);
            standing.software.clone_from(&link.software);
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
            behind: 0,
            due: Some(Instant::now()),
        };
        let mut progress = session.progress.subscribe();
        let mut renewals = interval(RENEW);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.wanted.mark_unchanged();
        loop {
            // Not left to the timer below, which counts whole milliseconds.
            if session.due.is_some_and(|due| due <= Instant::now()) {
                session.due = None;
                let wanted = self.wanted.borrow_and_update().clone();
                if wanted == Wanted::LetGo {
                    return session.link.give_back().await;
                }
                self.see_to(&mut session, wanted).await?;
                continue;
            }
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
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                ended = ended(&mut session.search) => {
                    session.search = None;
                    self.search_ended(&mut session, ended);
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

    fn place(&self, link: &Link) -> Place {
        Place {
            address: self.board.address.clone(),
            stand_in: self.board.stand_in.clone(),
            model: link.model.clone(),
            software: link.software.clone(),
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

    fn note(&self, job: &str, what: &str) {
        self.term.note(job, &self.board.name, what);
    }
}

/// What a search gives; never, where there is none.
async fn ended(search: &mut Option<Search>) -> Result<Searched, Status> {
    match search {
        Some(search) => search.await,
        None => std::future::pending().await,
    }
}
