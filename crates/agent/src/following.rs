//! Following the arrival rate: a plan may carry the answers for other rates, and the agent then
//! changes among them by what it sees, though nobody else is there to tell it to.

use std::time::Duration;

use fulcrum_api::TurnPlan;
use fulcrum_domain::{ModeId, Workload};
use fulcrum_interleave::Moment;
use fulcrum_interleave::rate::{Answers, ArrivalRate};
use fulcrum_worker::monotonic::now_ns;
use tokio::sync::broadcast::error::RecvError;

use crate::service::Agent;
use crate::turns::Happening;

/// Over how long arrivals are counted.
const WINDOW: Duration = Duration::from_secs(20);
/// How often the rate is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// An answer for a lower rate waits so long: every change costs.
const DWELL: Duration = Duration::from_secs(20);
/// A change that was refused is tried again after this long.
const REST: Duration = Duration::from_secs(10);

/// The answer for one range of rates.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) plan: TurnPlan,
    pub(crate) mode: Option<ModeId>,
}

/// The answers of the plan in force, and what was seen of the rate.
pub(crate) struct Following {
    token: String,
    workload: Workload,
    rate: ArrivalRate,
    answers: Answers<Answer>,
    began: Moment,
    /// Nothing is changed before this: the last change was refused.
    rests_until: Moment,
}

impl Following {
    /// Follows the arrivals of the workload that the plan gives a latency budget. None where there
    /// is no such workload, or no answer.
    pub(crate) fn new(token: &str, plan: &TurnPlan, table: Vec<(f64, Answer)>) -> Option<Self> {
        let urgent = plan.agreement.terms.iter().find(|terms| terms.latency_budget.is_some())?;
        if table.is_empty() {
            return None;
        }
        let mut table = table;
        table.sort_by(|a, b| a.0.total_cmp(&b.0));
        let own = table.iter().position(|(_, answer)| answer.plan == *plan);
        let answers = Answers::new(table, DWELL);
        Some(Self {
            token: token.to_owned(),
            workload: urgent.workload.clone(),
            rate: ArrivalRate::over(WINDOW),
            answers: match own {
                Some(own) => answers.declared(own),
                // A plan that is none of the answers makes way for any that is needed.
                None => answers.beginning_with(0),
            },
            began: now(),
            rests_until: Moment::START,
        })
    }

    /// The highest rate that the answer in force holds for.
    pub(crate) fn holds_to(&self) -> Option<f64> {
        self.answers.holds_to()
    }

    fn arrived(&mut self, workload: &Workload, at: &[Moment]) {
        if self.workload == *workload {
            at.iter().filter(|&&at| at >= self.began).for_each(|&at| self.rate.arrived(at));
        }
    }

    /// The answers with another one in force, if it is time, and the rate that was seen.
    fn next(&mut self) -> Option<(Answers<Answer>, f64)> {
        let now = now();
        let seen = self.rate.now(now)?;
        // The plan was made for a rate; only a whole window says that it is another.
        if now.since(self.began) < WINDOW || now < self.rests_until {
            return None;
        }
        let mut answers = self.answers.clone();
        answers.follow(now, seen).then_some((answers, seen.per_second))
    }
}

fn now() -> Moment {
    Moment::at_ns(now_ns())
}

/// Follows the rate as long as the agent runs.
pub(crate) async fn follow(agent: Agent) {
    let mut happenings = agent.turns.handle.watch();
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        // Nothing is woken for while there is nothing to follow.
        if agent.turns.plan().await.following.is_none() {
            agent.turns.plan_changed().await;
            happenings = happenings.resubscribe();
            continue;
        }
        tokio::select! {
            happened = happenings.recv() => match happened.as_deref() {
                Ok(Happening::Arrived { workload, at }) => {
                    if let Some(following) = &mut agent.turns.plan().await.following {
                        following.arrived(workload, at);
                    }
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            _ = looks.tick() => change(&agent).await,
        }
    }
}

/// Changes to another answer, where it is time.
async fn change(agent: &Agent) {
    let mut in_force = agent.turns.plan().await;
    let Some(following) = &mut in_force.following else { return };
    let Some((answers, rate)) = following.next() else { return };
    let Some(answer) = answers.current().cloned() else { return };
    if let Some(mode) = answer.mode {
        let space = agent.described.now().space.clone();
        if let Err(error) = agent.control.set(&following.token, &space, mode).await {
            // Turns that count on another mode's times would promise what this one does not keep.
            following.rests_until = now() + REST;
            tracing::warn!(%error, "the power mode for another arrival rate could not be set");
            return;
        }
    }
    following.answers = answers;
    tracing::info!(rate, "changed to the plan for another arrival rate");
    agent.turns.attribution().expect(answer.plan.expected_watts);
    agent.turns.handle.agree(answer.plan.agreement);
}
