//! What tests ask of a scheduler.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fulcrum_api::{SchedulerClient, connect_scheduler, v1};
use tonic::Status;

use crate::House;

/// A client that panics when it is refused what a test needs.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client behind it, for what may be refused.
    pub scheduler: SchedulerClient,
}

/// `ResNet-18` trains while `MobileNetV3` answers requests, each within 800 ms.
pub fn pair(power_watts: f64, rate_hertz: f64) -> v1::Problem {
    v1::Problem {
        train: "resnet18".into(),
        infer: "mobilenet_v3".into(),
        rate_hertz,
        latency_seconds: 0.8,
        power_watts,
        ..Default::default()
    }
}

/// A job on all boards with a label `for` of this value.
pub fn job_spec(label: &str, problem: v1::Problem) -> v1::JobSpec {
    v1::JobSpec {
        boards: [("for".to_owned(), label.to_owned())].into(),
        problem: Some(problem),
        arrivals: "constant".into(),
        ..Default::default()
    }
}

/// What no other request of this process has.
pub fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[expect(clippy::expect_used, reason = "for tests alone")]
impl Client {
    /// Reaches a scheduler.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn of(house: &House, scheduler: &str) -> Self {
        let address = house.address(scheduler).parse().expect("an address");
        Self { scheduler: connect_scheduler(&address).await.expect("a scheduler") }
    }

    /// Registers a simulated board, with a label `for`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn register(&mut self, house: &House, agent: &str, label: &str) {
        self.register_at(agent, house.address(agent), label).await;
    }

    /// Registers a simulated board that is reached at an address, with a label `for`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn register_at(&mut self, agent: &str, address: String, label: &str) {
        let board = v1::FleetBoard {
            name: format!("boards/{agent}"),
            address,
            labels: [("for".to_owned(), label.to_owned())].into(),
            stand_in: "simulated-orin-agx".into(),
            simulate: true,
            metrics: String::new(),
        };
        let request_id = request_id();
        let request =
            v1::RegisterBoardRequest { board: Some(board), request_id, validate_only: false };
        self.scheduler.register_board(request).await.expect("it is registered");
    }

    /// Submits a job.
    ///
    /// # Errors
    /// When it is refused.
    ///
    /// # Panics
    /// When it is neither taken nor refused.
    pub async fn submit(&mut self, name: &str, spec: v1::JobSpec) -> Result<v1::Job, Status> {
        let request = v1::SubmitJobRequest {
            name: format!("jobs/{name}"),
            spec: Some(spec),
            request_id: request_id(),
            ..Default::default()
        };
        Ok(self.scheduler.submit_job(request).await?.into_inner().job.expect("a job"))
    }

    /// A job, with its plans and boards.
    ///
    /// # Panics
    /// When there is none.
    pub async fn job(&mut self, name: &str) -> v1::GetJobResponse {
        let request = v1::GetJobRequest { name: format!("jobs/{name}") };
        self.scheduler.get_job(request).await.expect("a job").into_inner()
    }

    /// Waits until a job is as it should be.
    ///
    /// # Panics
    /// When that takes longer than `patience`.
    pub async fn until(
        &mut self,
        name: &str,
        patience: Duration,
        is_so: impl Fn(&v1::GetJobResponse) -> bool,
    ) -> v1::GetJobResponse {
        let began = Instant::now();
        loop {
            let request = v1::GetJobRequest { name: format!("jobs/{name}") };
            let answer = self.scheduler.get_job(request).await.map(tonic::Response::into_inner);
            if let Ok(job) = &answer
                && is_so(job)
            {
                return job.clone();
            }
            assert!(began.elapsed() < patience, "{name} is not as it should be: {answer:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a job runs on so many boards by its latest spec.
    ///
    /// # Panics
    /// When that takes longer than `patience`.
    pub async fn until_runs(
        &mut self,
        name: &str,
        boards: usize,
        patience: Duration,
    ) -> v1::GetJobResponse {
        self.until(name, patience, |answer| {
            let job = answer.job.clone().unwrap_or_default();
            let running = answer.boards.iter().filter(|board| board.state == "running").count();
            let planned =
                answer.plans.iter().filter(|plan| plan.generation == job.generation).count();
            job.state == "running" && running == boards && planned == boards
        })
        .await
    }

    /// Everything that happened to a job.
    ///
    /// # Panics
    /// When it cannot be watched.
    pub async fn events(&mut self, name: &str) -> Vec<v1::JobEvent> {
        let request = v1::WatchJobRequest { name: format!("jobs/{name}"), after_event: 0 };
        let stream = self.scheduler.watch_job(request).await.expect("it can be watched");
        let first = stream.into_inner().message().await.expect("it is told of");
        first.expect("there is something").events
    }

    /// A board by its name.
    ///
    /// # Panics
    /// When there is none.
    pub async fn board(&mut self, name: &str) -> v1::BoardStanding {
        let request = v1::ListBoardsRequest { page_size: 10_000, ..Default::default() };
        let boards = self.scheduler.list_boards(request).await.expect("boards").into_inner().boards;
        let name = format!("boards/{name}");
        let found = boards.into_iter().find(|b| b.board.as_ref().is_some_and(|b| b.name == name));
        found.expect("the board")
    }
}
