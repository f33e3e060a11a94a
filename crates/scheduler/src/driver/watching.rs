//! From windows of time to what is done about them.

use fulcrum_api::v1;
use fulcrum_domain::Workload;
use fulcrum_service::now_ms;
use fulcrum_store::StoredWindow;
use tokio::time::Instant;

use super::{Driver, InForce, Session};
use crate::drift::Finding;
use crate::keeper::Record;
use crate::made_plan::planned_workload;
use crate::planner::Place;
use crate::rollout::KEPT_WINDOWS;

/// So many windows in a row may be of the plan before.
const LATE_WINDOWS: u32 = 5;

impl Driver {
    /// Takes a window: keeps it, and acts on what it contradicts.
    pub(super) async fn window(&self, session: &mut Session, window: &v1::Window) {
        let Some(now) = &mut session.in_force else { return };
        // A window that ended before the plan came into force may come after it.
        if window.generation < session.link.generation && session.behind < LATE_WINDOWS {
            session.behind += 1;
            return;
        }
        session.behind = 0;
        // Somebody else has put a plan into force, or taken this one away.
        if window.generation != session.link.generation {
            session.link.generation = window.generation;
            session.in_force = None;
            session.due = Some(Instant::now());
            return;
        }
        let kept = stored(&self.board.name, now, window);
        self.term.own.seen.window(&kept);
        self.term.keep(Record::Window(kept));
        let finding = now.watch.window(window);
        let (kept, breaks) = (now.watch.kept().min(KEPT_WINDOWS), now.watch.breaks());
        let (job, plans) = (now.order.job.clone(), now.made.plans.clone());
        let did_break = self.standing.borrow().breaks.is_some();
        if let Some(reason) = breaks.as_ref().filter(|_| !did_break) {
            self.note(&job, &format!("a budget is broken: {reason}"));
        }
        self.stand(|standing| (standing.kept, standing.breaks) = (kept, breaks));
        for fenced in &window.fenced {
            let what = format!("goes on without {}: {}", fenced.workload, fenced.reason);
            self.note(&job, &what);
        }
        for action in &window.guard_actions {
            self.note(&job, &format!("its guard stepped down: {}", action.reason));
        }
        let place = self.place(&session.link);
        match finding {
            None => {}
            Some(Finding::Rate { per_second }) => {
                let what = format!("requests arrive {per_second:.1} times a second: planned anew");
                self.note(&job, &what);
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
        self.term.own.seen.suspected(job, &self.board.name, suspected);
        self.note(job, &format!("{what}; {suspected} profiles are measured again"));
        if suspected > 0 {
            session.again += 1;
            session.due = Some(Instant::now());
        }
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
