//! The rpcs of turns.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fulcrum_api::v1::turn_service_server::TurnService;
use fulcrum_api::{
    Malformed, because, duration_to_wire, invalid, kind_to_wire, reason, turn_plan_from_wire, v1,
    workload_from_wire,
};
use fulcrum_board::SimulatedBoard;
use fulcrum_domain::{ModeSpace, WorkloadKind};
use fulcrum_interleave::simulate::Arrivals;
use fulcrum_trace::Span;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, Notify, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};

use crate::following::{Answer, Following};
use crate::requests::{mode, text, time};
use crate::sampled_turns::SampledTurns;
use crate::sampler::Account;
use crate::service::{Agent, changed};
use crate::turns::{
    Attribution, Happening, SimulatedJob, SimulatedWorkers, TurnsHandle, can_simulate, simulate,
};
use crate::windows::tell_windows;
use crate::workload_totals::WorkloadTotals;

/// How often watchers are told.
const TOLD: Duration = Duration::from_millis(200);
/// No plan has more answers for other arrival rates.
const MOST_ANSWERS: usize = 256;
/// No more of what happened goes into one message.
const MOST_TURNS: usize = 2048;

/// The shortest and the longest window.
const WINDOW_LENGTHS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_mins(1));

/// The turns and the plan that they keep.
pub(crate) struct Turns {
    pub(crate) handle: TurnsHandle,
    attribution: Mutex<Attribution>,
    totals: Mutex<WorkloadTotals>,
    sampled: Mutex<SampledTurns>,
    /// Where workers are simulated; elsewhere none are.
    pub(crate) simulated: Option<SimulatedBoard>,
    plan: AsyncMutex<InForce>,
    plan_changed: Notify,
}

#[derive(Default)]
pub(crate) struct InForce {
    generation: u64,
    simulated: Option<SimulatedWorkers>,
    /// Answers for other arrival rates, where the plan has some.
    pub(crate) following: Option<Following>,
}

impl InForce {
    /// The plan's generation; 0 where there is none yet.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }
}

impl Turns {
    pub(crate) fn new(handle: TurnsHandle, simulated: Option<SimulatedBoard>) -> Self {
        Self {
            handle,
            attribution: Mutex::default(),
            totals: Mutex::default(),
            sampled: Mutex::default(),
            simulated,
            plan: AsyncMutex::default(),
            plan_changed: Notify::new(),
        }
    }

    /// The plan in force.
    pub(crate) async fn plan(&self) -> AsyncMutexGuard<'_, InForce> {
        self.plan.lock().await
    }

    /// Returns when another plan has come into force, or at once if that was so since the last call.
    pub(crate) async fn plan_changed(&self) {
        self.plan_changed.notified().await;
    }

    pub(crate) fn attribution(&self) -> std::sync::MutexGuard<'_, Attribution> {
        self.attribution.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn totals(&self) -> std::sync::MutexGuard<'_, WorkloadTotals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sampled(&self) -> std::sync::MutexGuard<'_, SampledTurns> {
        self.sampled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the simulated workers and all turns, at once: nobody else uses the plan any more.
    pub(crate) fn stop(&self) {
        if let Ok(mut plan) = self.plan.try_lock() {
            plan.simulated = None;
        }
        self.handle.stop();
    }

    /// Whether these can be simulated, before anything is changed for them.
    fn check(&self, jobs: &[SimulatedJob]) -> Result<(), Status> {
        let wrong = |problem: String| invalid(&Malformed::new("simulate", problem));
        match &self.simulated {
            _ if jobs.is_empty() => Ok(()),
            Some(board) => can_simulate(board, jobs).map_err(wrong),
            None => {
                let problem = "is only possible on a simulated board that runs at --speed 1";
                Err(wrong(problem.to_owned()))
            }
        }
    }

    fn simulate(&self, jobs: &[SimulatedJob]) -> Result<Option<SimulatedWorkers>, Status> {
        let Some(board) = self.simulated.as_ref().filter(|_| !jobs.is_empty()) else {
            return Ok(None);
        };
        let started = simulate(board, self.handle.socket(), jobs);
        started.map(Some).map_err(Status::internal)
    }
}

/// Divides the energy of every sample among those who ran.
pub(crate) fn energy_account(turns: Arc<Turns>) -> Account {
    Box::new(move |reading| {
        let now = fulcrum_interleave::Moment::at_ns(fulcrum_worker::monotonic::now_ns());
        let watts = reading.sample.total_power.as_ref().ok().copied();
        turns.attribution().drawn(now, reading.joules, watts);
    })
}

/// Tells of everything that happens to whoever keeps account of it: who ran, and where processes run.
pub(crate) async fn keep_account(agent: Agent) {
    let mut happenings = agent.turns.handle.watch();
    loop {
        let happened = happenings.recv().await;
        if let Ok(happened) = &happened {
            agent.turns.totals().happened(happened);
        }
        match happened.as_deref() {
            Ok(Happening::Ran(turn)) => {
                agent.turns.attribution().ran(&turn.workload, &turn.ran);
                agent.turns.sampled().ran(turn);
            }
            Ok(Happening::Attached { process }) => {
                let process = *process;
                let _ = agent.board.run(move |board| board.place(process)).await;
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// The answers for other arrival rates.
fn answers(given: &[v1::RateAnswer], space: &ModeSpace) -> Result<Vec<(f64, Answer)>, Status> {
    let answer = |(place, given): (usize, &v1::RateAnswer)| {
        let within = |field: &str, problem: &str| {
            invalid(&Malformed::new(format!("plan.by_rate[{place}].{field}"), problem))
        };
        let rate = given.up_to_hertz;
        if !(rate.is_finite() && rate > 0.0) {
            return Err(within("up_to_hertz", "is not above zero"));
        }
        let wire = given.plan.as_ref().ok_or_else(|| within("plan", "is missing"))?;
        if !wire.by_rate.is_empty() {
            return Err(within("plan.by_rate", "has answers of its own, which nobody follows"));
        }
        let plan = turn_plan_from_wire(wire)
            .map_err(|malformed| within(&malformed.field, &malformed.problem))?;
        let mode = wire.mode.as_ref().map(|_| mode(space, wire.mode.as_ref())).transpose()?;
        Ok((rate, Answer { plan, mode }))
    };
    if given.len() > MOST_ANSWERS {
        let problem = format!("has {} answers; at most {MOST_ANSWERS} are taken", given.len());
        return Err(invalid(&Malformed::new("plan.by_rate", problem)));
    }
    given.iter().enumerate().map(answer).collect()
}

fn job(place: usize, worker: &v1::SimulatedWorker) -> Result<SimulatedJob, Status> {
    let within = |malformed: Malformed| {
        invalid(&Malformed::new(
            format!("simulate[{place}].{}", malformed.field),
            malformed.problem,
        ))
    };
    let workload = workload_from_wire(&worker.workload, worker.kind).map_err(within)?;
    if workload.kind == WorkloadKind::Train {
        return Ok(SimulatedJob { workload, arrivals: None });
    }
    let rate = worker.arrivals_per_second;
    if !(rate > 0.0 && rate <= 100_000.0) {
        let problem = format!("is {rate}; it is above zero and at most 100000");
        return Err(within(Malformed::new("arrivals_per_second", problem)));
    }
    let arrivals = match worker.arrivals.as_str() {
        "constant" | "" => Arrivals::constant(rate),
        "poisson" => Arrivals::poisson(rate),
        "bursty" => Arrivals::bursty(rate),
        other => {
            let problem = format!("is `{other}`; it is `constant`, `poisson` or `bursty`");
            return Err(within(Malformed::new("arrivals", problem)));
        }
    };
    Ok(SimulatedJob { workload, arrivals: Some(arrivals) })
}

#[tonic::async_trait]
impl TurnService for Agent {
    async fn apply_plan(
        &self,
        request: Request<v1::ApplyPlanRequest>,
    ) -> Result<Response<v1::ApplyPlanResponse>, Status> {
        let request = request.into_inner();
        let token = text("lease_token", &request.lease_token, 128, true)?;
        let wire = request.plan.as_ref().ok_or_else(|| invalid(&Malformed::missing("plan")))?;
        let plan = turn_plan_from_wire(wire).map_err(|malformed| invalid(&malformed))?;
        let jobs: Result<Vec<_>, _> =
            request.simulate.iter().enumerate().map(|(place, w)| job(place, w)).collect();
        let jobs = jobs?;
        self.turns.check(&jobs)?;
        let description = self.described.now();
        let space = &description.space;
        let wanted = wire.mode.as_ref().map(|_| mode(space, wire.mode.as_ref())).transpose()?;
        let answers = answers(&wire.by_rate, space)?;

        let mut in_force = self.turns.plan.lock().await;
        if request.generation <= in_force.generation {
            let message = format!(
                "a plan of generation {} is in force; one of generation {} comes too late",
                in_force.generation, request.generation
            );
            return Err(because(Code::Aborted, reason::STALE_GENERATION, message));
        }
        self.control.renew(token).await?;
        let change = match wanted {
            Some(mode) => Some(self.control.set(token, space, mode).await?),
            None => None,
        };
        // Those simulated before end first, so that none is attached twice for long.
        in_force.simulated = None;
        in_force.following = Following::new(token, &plan, answers);
        self.turns.attribution().expect(plan.expected_watts);
        self.turns.handle.agree(plan.agreement);
        self.turns.sampled().begin(Span::here().kept());
        self.turns.plan_changed.notify_one();
        in_force.simulated = self.turns.simulate(&jobs)?;
        in_force.generation = request.generation;
        tracing::info!(generation = request.generation, "a plan is in force");
        let mode = change.map(|change| changed(space, &change));
        Ok(Response::new(v1::ApplyPlanResponse { mode }))
    }

    async fn get_turns(
        &self,
        _: Request<v1::GetTurnsRequest>,
    ) -> Result<Response<v1::GetTurnsResponse>, Status> {
        let generation = self.turns.plan.lock().await.generation;
        let standing = self.turns.handle.standing().clone();
        let attribution = self.turns.attribution();
        let workers = standing.into_iter().map(|(worker, standing)| v1::WorkerStanding {
            worker,
            workload: standing.workload.name.to_string(),
            kind: kind_to_wire(standing.workload.kind).into(),
            process: standing.process,
            has_turn: standing.has_turn,
            waiting: standing.waiting,
            turns: standing.totals.turns,
            minibatches: standing.totals.minibatches,
            requests: standing.totals.requests,
            late_requests: standing.totals.late,
            busy: Some(duration_to_wire(standing.totals.busy)),
            joules: attribution.joules(worker),
        });
        Ok(Response::new(v1::GetTurnsResponse {
            generation,
            workers: workers.collect(),
            idle_joules: attribution.idle_joules(),
        }))
    }

    type WatchTurnsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchTurnsResponse, Status>> + Send>>;

    async fn watch_turns(
        &self,
        _: Request<v1::WatchTurnsRequest>,
    ) -> Result<Response<Self::WatchTurnsStream>, Status> {
        let mut happenings = self.turns.handle.watch();
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TOLD);
            let mut batch = v1::WatchTurnsResponse::default();
            loop {
                tokio::select! {
                    happened = happenings.recv() => match happened {
                        Ok(happened) => add(&mut batch, &happened),
                        Err(RecvError::Lagged(missed)) => batch.missed += missed,
                        Err(RecvError::Closed) => return,
                    },
                    _ = ticks.tick() => {
                        if batch == v1::WatchTurnsResponse::default() {
                            if sender.is_closed() {
                                return;
                            }
                            continue;
                        }
                        if sender.send(Ok(std::mem::take(&mut batch))).await.is_err() {
                            return;
                        }
                    }
                }
                if batch.turns.len() >= MOST_TURNS
                    && sender.send(Ok(std::mem::take(&mut batch))).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    type WatchWindowsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchWindowsResponse, Status>> + Send>>;

    async fn watch_windows(
        &self,
        request: Request<v1::WatchWindowsRequest>,
    ) -> Result<Response<Self::WatchWindowsStream>, Status> {
        let length = request.into_inner().length;
        let length = time("length", length.as_ref(), Duration::from_secs(1), WINDOW_LENGTHS)?;
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(tell_windows(self.clone(), length, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

fn add(batch: &mut v1::WatchTurnsResponse, happened: &Arc<Happening>) {
    match &**happened {
        Happening::Ran(turn) => batch.turns.push(v1::Turn {
            worker: turn.ran.worker,
            workload: turn.workload.name.to_string(),
            kind: kind_to_wire(turn.workload.kind).into(),
            began_ns: turn.ran.minibatch.began.ns(),
            ended_ns: turn.ran.minibatch.ended.ns(),
            latencies_seconds: turn.ran.latencies.iter().map(Duration::as_secs_f64).collect(),
            late_requests: turn.ran.late,
            preemptions: turn
                .ran
                .preemptions
                .iter()
                .map(|of| v1::Preemption { began_ns: of.began.ns(), ended_ns: of.ended.ns() })
                .collect(),
        }),
        Happening::Fenced { worker, workload, reason } => batch.fenced.push(v1::Fenced {
            worker: *worker,
            workload: workload.name.to_string(),
            reason: reason.clone(),
        }),
        Happening::Attached { .. } | Happening::Left { .. } | Happening::Arrived { .. } => {}
    }
}
