//! How boards and jobs stand, kept for whoever asks.

use fulcrum_service::now_ms;
use fulcrum_store::{JobStanding, JobState, StoreError, StoredBoardState, StoredJob};

use super::{Fleet, Seat, Work};
use crate::job::{self, BoardState, Member};
use crate::leading::ROLE;
use crate::term::Wanted;

const LEFT_OUT: &str = "the site's power leaves nothing for it";

impl Fleet {
    /// Says how boards and jobs stand, where that has changed; whether this replica still leads.
    pub(super) async fn say(&mut self) -> Result<bool, StoreError> {
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
        let mut jobs = self.job_standings();
        jobs.retain(|now| self.said_of_jobs.get(&now.job) != Some(now));
        if changed.is_empty() && jobs.is_empty() {
            return Ok(true);
        }
        let term = (ROLE, self.term.number.cast_signed());
        if !self.term.store.set_standings(term, &changed, &jobs, now).await? {
            return Ok(false);
        }
        self.said_of_boards.extend(changed.into_iter().map(|state| (state.board.clone(), state)));
        self.said_of_boards.retain(|name, _| self.seats.contains_key(name));
        let has_ended = |job: &StoredJob| {
            jobs.iter().any(|now| now.job == job.name && now.state == JobState::Cancelled)
        };
        self.ending.retain(|job| !has_ended(job));
        self.said_of_jobs.extend(jobs.into_iter().map(|now| (now.job.clone(), now)));
        Ok(true)
    }

    /// Whether a board has a job and the site's power leaves nothing for it.
    fn left_out(&self, seat: &Seat) -> bool {
        self.site_watts.is_some() && seat.job.is_some() && *seat.wanted.borrow() == Wanted::Nothing
    }

    fn job_standings(&self) -> Vec<JobStanding> {
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
                    } else if standing.is_of_another_change(name, work.job.generation) {
                        (BoardState::Idle, "its last plan is still in force".to_owned())
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
            let (job, generation) = (name.clone(), work.job.generation);
            states.push(JobStanding { job, generation, state, message });
        }
        for job in &self.ending {
            // A board that is not there loses its lease by itself.
            let runs = |seat: &Seat| {
                let standing = seat.standing.borrow();
                standing.job == job.name && standing.state != BoardState::Unreachable
            };
            if !self.seats.values().any(runs) {
                let message = "cancelled; its boards were given back".to_owned();
                let (job, generation) = (job.name.clone(), job.generation);
                let state = JobState::Cancelled;
                states.push(JobStanding { job, generation, state, message });
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
