//! What is on the screen. The drawing is a function of this and nothing else.

use std::collections::VecDeque;
use std::time::SystemTime;

use fulcrum_api::{BoardDescription, RemoteSample};

use crate::agents::Status;

/// So many samples are kept for the small graphs.
const HISTORY: usize = 240;

/// Something new of an agent.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// It answers, and this is its board.
    Board(Box<BoardDescription>),
    /// A sample.
    Sample(RemoteSample),
    /// The mode, the lease and the guards.
    Status(Status),
    /// It does not answer, and why.
    Lost(String),
}

/// What is known of one agent.
#[derive(Debug, Clone)]
pub(crate) struct AgentView {
    /// Where it listens.
    pub(crate) address: String,
    /// Its board, once it has answered.
    pub(crate) board: Option<BoardDescription>,
    /// The latest samples, the newest last.
    pub(crate) samples: VecDeque<RemoteSample>,
    /// The mode, the lease and the guards.
    pub(crate) status: Option<Status>,
    /// Why it does not answer, while it does not.
    pub(crate) problem: Option<String>,
}

impl AgentView {
    fn new(address: String) -> Self {
        Self { address, board: None, samples: VecDeque::new(), status: None, problem: None }
    }

    /// The newest sample.
    pub(crate) fn sample(&self) -> Option<&RemoteSample> {
        self.samples.back()
    }
}

/// Everything on the screen.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    agents: Vec<AgentView>,
    chosen: usize,
    /// The time, by this machine's wall clock.
    pub(crate) now: SystemTime,
    /// Whether colours may be used.
    pub(crate) colour: bool,
}

impl Screen {
    /// A screen for agents of which nothing is known yet.
    pub(crate) fn new(
        addresses: impl IntoIterator<Item = String>,
        now: SystemTime,
        colour: bool,
    ) -> Self {
        let agents = addresses.into_iter().map(AgentView::new).collect();
        Self { agents, chosen: 0, now, colour }
    }

    /// The agent that is looked at.
    pub(crate) fn agent(&self) -> Option<&AgentView> {
        self.agents.get(self.chosen)
    }

    /// Which of how many agents is looked at, from 1.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.chosen + 1, self.agents.len())
    }

    /// Looks at the next agent, or the one before.
    pub(crate) fn switch(&mut self, forward: bool) {
        let count = self.agents.len().max(1);
        let step = if forward { 1 } else { count - 1 };
        self.chosen = (self.chosen + step) % count;
    }

    /// Takes in something new of an agent.
    pub(crate) fn learn(&mut self, agent: usize, news: News) {
        let Some(agent) = self.agents.get_mut(agent) else { return };
        match news {
            News::Board(board) => {
                agent.board = Some(*board);
                agent.samples.clear();
                agent.problem = None;
            }
            News::Sample(sample) => {
                agent.samples.push_back(sample);
                while agent.samples.len() > HISTORY {
                    agent.samples.pop_front();
                }
            }
            News::Status(status) => agent.status = Some(status),
            // What was seen last stays on the screen, marked as old by the problem.
            News::Lost(problem) => agent.problem = Some(problem),
        }
    }
}
