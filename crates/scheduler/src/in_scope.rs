//! The scheduler for those who may see and act on some boards alone: what is outside of their scope
//! is refused, and left out of what is listed.
//!
//! A board is within a scope by its labels; a job, if it chooses its boards by all labels of the
//! scope, so that it cannot be given another.

use std::pin::Pin;

use fulcrum_access::{Identity, Labels, Refusal};
use fulcrum_api::v1::scheduler_service_server::SchedulerService;
use fulcrum_api::{because, reason, v1};
use fulcrum_service::of_store;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status};

use crate::service::Scheduler;

type Answer<T> = Result<Response<T>, Status>;

/// A scheduler that keeps everybody within their scope.
#[derive(Clone)]
pub(crate) struct InScope(pub(crate) Scheduler);

/// Whoever calls.
#[derive(Debug, Clone)]
struct Caller(Identity);

impl Caller {
    fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let who = request.extensions().get::<Identity>().cloned();
        who.map(Self).ok_or_else(|| Status::internal("nobody knows who calls"))
    }

    fn has(&self, labels: &Labels) -> bool {
        self.0.scope.holds(labels)
    }

    /// Whether a thing with these labels is within the scope; says what is not.
    fn keep_to(&self, thing: &str, labels: &Labels) -> Result<(), Status> {
        if self.has(labels) {
            return Ok(());
        }
        let refusal = Refusal::outside(&self.0, format!("{thing} is not within that"));
        Err(because(Code::PermissionDenied, reason::SCOPE, refusal.to_string()))
    }

    fn sees(&self, standing: &v1::BoardStanding) -> bool {
        standing.board.as_ref().is_some_and(|board| self.has(&board.labels))
    }

    /// A job that is within the scope.
    fn keep_to_job(&self, job: Option<&v1::Job>) -> Result<(), Status> {
        let nowhere = Labels::new();
        let boards = job.and_then(|job| job.spec.as_ref()).map_or(&nowhere, |spec| &spec.boards);
        self.keep_to(job.map_or("the job", |job| &job.name), boards)
    }
}

impl InScope {
    /// A board that is there already has to be within the scope too.
    async fn keep_to_board(&self, caller: &Caller, name: &str) -> Result<(), Status> {
        if caller.0.scope.is_whole() {
            return Ok(());
        }
        let boards = self.0.store.boards().await.map_err(|error| of_store(&error))?;
        let own = name.strip_prefix("boards/").unwrap_or(name);
        match boards.iter().find(|board| board.name == own) {
            Some(board) => caller.keep_to(name, &board.labels),
            None => Ok(()),
        }
    }

    /// So does a job.
    async fn keep_to_job(&self, caller: &Caller, name: &str) -> Result<(), Status> {
        if caller.0.scope.is_whole() {
            return Ok(());
        }
        let request = Request::new(v1::GetJobRequest { name: name.to_owned() });
        match self.0.get_job(request).await {
            Ok(answer) => caller.keep_to_job(answer.into_inner().job.as_ref()),
            Err(status) if status.code() == Code::NotFound => Ok(()),
            Err(status) => Err(status),
        }
    }
}

#[tonic::async_trait]
impl SchedulerService for InScope {
    async fn register_board(
        &self,
        request: Request<v1::RegisterBoardRequest>,
    ) -> Answer<v1::RegisterBoardResponse> {
        let caller = Caller::of(&request)?;
        if let Some(board) = &request.get_ref().board {
            caller.keep_to(&board.name, &board.labels)?;
            self.keep_to_board(&caller, &board.name).await?;
        }
        self.0.register_board(request).await
    }

    async fn remove_board(
        &self,
        request: Request<v1::RemoveBoardRequest>,
    ) -> Answer<v1::RemoveBoardResponse> {
        self.keep_to_board(&Caller::of(&request)?, &request.get_ref().name).await?;
        self.0.remove_board(request).await
    }

    async fn list_boards(
        &self,
        request: Request<v1::ListBoardsRequest>,
    ) -> Answer<v1::ListBoardsResponse> {
        let caller = Caller::of(&request)?;
        let mut answer = self.0.list_boards(request).await?;
        answer.get_mut().boards.retain(|standing| caller.sees(standing));
        Ok(answer)
    }

    async fn submit_job(
        &self,
        request: Request<v1::SubmitJobRequest>,
    ) -> Answer<v1::SubmitJobResponse> {
        let caller = Caller::of(&request)?;
        let wanted = request.get_ref();
        if let Some(spec) = &wanted.spec {
            caller.keep_to(&wanted.name, &spec.boards)?;
            self.keep_to_job(&caller, &wanted.name).await?;
        }
        self.0.submit_job(request).await
    }

    async fn get_job(&self, request: Request<v1::GetJobRequest>) -> Answer<v1::GetJobResponse> {
        let caller = Caller::of(&request)?;
        let mut answer = self.0.get_job(request).await?;
        caller.keep_to_job(answer.get_ref().job.as_ref())?;
        // Labels may have changed since a board was given to the job.
        let told = answer.get_mut();
        told.boards.retain(|standing| caller.sees(standing));
        let name = |standing: &v1::BoardStanding| standing.board.as_ref().map(|b| b.name.clone());
        let seen: Vec<String> = told.boards.iter().filter_map(name).collect();
        told.plans.retain(|plan| seen.contains(&plan.board));
        Ok(answer)
    }

    async fn list_jobs(
        &self,
        request: Request<v1::ListJobsRequest>,
    ) -> Answer<v1::ListJobsResponse> {
        let caller = Caller::of(&request)?;
        let mut answer = self.0.list_jobs(request).await?;
        answer.get_mut().jobs.retain(|job| caller.keep_to_job(Some(job)).is_ok());
        Ok(answer)
    }

    async fn cancel_job(
        &self,
        request: Request<v1::CancelJobRequest>,
    ) -> Answer<v1::CancelJobResponse> {
        self.keep_to_job(&Caller::of(&request)?, &request.get_ref().name).await?;
        self.0.cancel_job(request).await
    }

    type WatchJobStream = Pin<Box<dyn Stream<Item = Result<v1::WatchJobResponse, Status>> + Send>>;

    async fn watch_job(
        &self,
        request: Request<v1::WatchJobRequest>,
    ) -> Answer<Self::WatchJobStream> {
        let caller = Caller::of(&request)?;
        self.keep_to_job(&caller, &request.get_ref().name).await?;
        let told = self.0.watch_job(request).await?.into_inner();
        // A job may be changed, so that it leaves the scope; whoever watches it has to leave then.
        let kept = told.map(move |news| {
            let news = news?;
            caller.keep_to_job(news.job.as_ref())?;
            Ok(news)
        });
        Ok(Response::new(Box::pin(kept)))
    }

    async fn set_site_power(
        &self,
        request: Request<v1::SetSitePowerRequest>,
    ) -> Answer<v1::SetSitePowerResponse> {
        self.0.set_site_power(request).await
    }

    async fn get_site_power(
        &self,
        request: Request<v1::GetSitePowerRequest>,
    ) -> Answer<v1::GetSitePowerResponse> {
        self.0.get_site_power(request).await
    }
}
