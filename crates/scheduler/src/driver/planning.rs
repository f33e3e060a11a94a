//! From what is wanted to a plan in force.

use std::sync::Arc;

use fulcrum_api::v1;
use fulcrum_service::now_ms;
use fulcrum_store::StoredPlan;
use fulcrum_trace::Span;
use tokio::time::Instant;
use tonic::Status;

use super::{Driver, InForce, LATER, SOON, Session};
use crate::drift::Watch;
use crate::job::{self, BoardState};
use crate::keeper::Record;
use crate::link::LinkError;
use crate::made_plan::MadePlan;
use crate::planner::{Place, Searched, is_passing};
use crate::rollout::KEPT_WINDOWS;
use crate::term::{Order, Wanted};

impl Driver {
    /// Has a job run, and tells of it as part of the change that it was asked for with; of a plan
    /// that is made again later, as something of its own.
    pub(super) async fn run(
        &self,
        session: &mut Session,
        order: Arc<Order>,
    ) -> Result<(), LinkError> {
        let now = session.in_force.as_ref();
        let is_first = now.is_none_or(|now| !now.order.is_same_change(&order));
        let begin = if is_first { Span::part_of } else { Span::because_of };
        let span = begin(&order.trace, "plan")
            .saying("fulcrum.job", order.job.clone())
            .saying("fulcrum.generation", order.generation)
            .saying("fulcrum.board", self.board.name.clone())
            .saying("fulcrum.budget_watts", order.budget_watts);
        let done = span.within(self.plan(session, order)).await;
        if let Err(error) = &done {
            span.failed(error.to_string());
        }
        done
    }

    /// Plans for a job, and searches where nothing stored answers.
    async fn plan(&self, session: &mut Session, order: Arc<Order>) -> Result<(), LinkError> {
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
        let space = &session.link.space;
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
        self.note(&order.job, "no stored plan answers: a search begins");
        let spec = v1::SearchSpec {
            problem: Some(problem),
            strategy: job::strategy(&order.spec).to_owned(),
            alternate: order.spec.alternate.clone(),
            ..Default::default()
        };
        let (planner, place) = (self.term.planner.clone(), place.clone());
        let (again, progress) = (session.again, session.progress.clone());
        // The plan goes on for as long as the search that it needs.
        let span = Span::here();
        session.search = Some(Box::pin(async move {
            span.within(planner.search(&place, spec, again, progress)).await
        }));
        Ok(())
    }

    /// Takes what a search gave.
    pub(super) fn search_ended(&self, session: &mut Session, ended: Result<Searched, Status>) {
        let Wanted::Run(order) = self.wanted.borrow().clone() else { return };
        match ended {
            Ok(searched) => {
                self.note(&order.job, &searched.in_words());
                session.searched = Some((order, searched));
                session.due = Some(Instant::now());
            }
            Err(status) => {
                session.again += 1;
                self.blocked(format!("no plan could be searched for: {}", status.message()));
                self.note(&order.job, &format!("a search failed: {}", status.message()));
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
            self.note(&order.job, &what);
            return Ok(());
        }
        Span::here().failed(format!("no plan meets the budgets: {because}"));
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
            self.note(&order.job, &format!("no plan meets the budgets: {because}"));
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
            let simulate = if self.board.simulate { made.simulated.clone() } else { Vec::new() };
            session.link.apply(made.turns.clone(), simulate).await?;
            self.keep_plan(&order, &made, (origin, measurements));
            Span::here().says("fulcrum.origin", origin.to_owned());
            self.note(&order.job, &format!("in force: {}; from {origin}", made.words()));
        } else if before.as_ref().is_some_and(|now| !now.order.is_same_change(&order)) {
            self.keep_plan(&order, &made, (origin, measurements));
            self.note(&order.job, "its plan stays as it is");
        }
        let of = (&*order.job, &*self.board.name);
        let is_new = Some(origin).filter(|_| !is_same);
        let seen = &self.term.own.seen;
        seen.plan(of, order.budget_watts, &made.problem, &made.plan, is_new);
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

    /// Keeps a plan for whoever asks. The disk is not waited for: whoever takes over makes the plan
    /// again, from the same profiles.
    fn keep_plan(&self, order: &Order, made: &MadePlan, (origin, measurements): (&str, u32)) {
        self.term.keep(Record::Plan(StoredPlan {
            job: order.job.clone(),
            board: self.board.name.clone(),
            generation: order.generation,
            plan: made.to_keep(),
            origin: origin.to_owned(),
            measurements: measurements.into(),
            made_at_ms: now_ms(),
        }));
    }
}
