//! One table of every rpc: the role that it asks for, how far a scope reaches, what the audit
//! keeps of it, and its limits.

use std::time::Duration;

use crate::role::Role;

/// What the audit keeps of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// Nothing, unless it is refused.
    Nothing,
    /// A line, with the text at the end of this path of fields of the request: what it was on. An
    /// empty path is for a call that is on the board or the fleet itself.
    On(&'static [u32]),
}

/// How far somebody gets whose scope is not the whole fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoped {
    /// Nowhere: the call is about all boards, or about what has no labels.
    Refused,
    /// As far as the labels of the board that answers go.
    Board,
    /// As far as the service says, which looks at the boards and jobs that are asked for.
    Service,
    /// As far as anybody: it tells nothing of boards.
    Free,
}

/// What is known of an rpc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rpc {
    /// Its service without the package, and its name: `SchedulerService/SubmitJob`.
    pub name: &'static str,
    /// The role that it asks for; none where even strangers are answered.
    pub needs: Option<Role>,
    /// Whether programs that run on a board may call it as well.
    pub workload: bool,
    /// How far a scope reaches.
    pub scoped: Scoped,
    /// What the audit keeps.
    pub record: Record,
    /// The largest request, in bytes; for a stream of requests, the largest of them.
    pub largest: usize,
    /// How long it may take until the answer begins.
    pub within: Duration,
    /// Whether the caller sends a stream of requests.
    pub streams_in: bool,
}

const fn reads(name: &'static str, scoped: Scoped) -> Rpc {
    Rpc {
        name,
        needs: Some(Role::Viewer),
        workload: false,
        scoped,
        record: Record::Nothing,
        largest: 64 << 10,
        within: Duration::from_mins(1),
        streams_in: false,
    }
}

const fn controls(name: &'static str, needs: Role, scoped: Scoped, on: &'static [u32]) -> Rpc {
    Rpc { needs: Some(needs), record: Record::On(on), ..reads(name, scoped) }
}

impl Rpc {
    const fn for_workloads(self) -> Self {
        Self { workload: true, ..self }
    }

    const fn up_to(self, largest: usize) -> Self {
        Self { largest, ..self }
    }

    const fn slow(self) -> Self {
        Self { within: Duration::from_mins(10), ..self }
    }

    const fn with_stream(self) -> Self {
        Self { streams_in: true, ..self }
    }

    const fn unrecorded(self) -> Self {
        Self { record: Record::Nothing, ..self }
    }

    const fn for_strangers(self) -> Self {
        Self { needs: None, ..self }
    }

    /// Its name without the service: `SubmitJob`.
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit_once('/').map_or(self.name, |(_, name)| name)
    }
}

use Role::{Admin, Operator};
use Scoped::{Board, Free, Refused, Service};

/// So large may be what describes a job or many problems.
const LARGE: usize = 1 << 20;
/// So large may be ten thousand profiles.
const HUGE: usize = 16 << 20;

/// Every rpc there is.
pub static RPCS: &[Rpc] = &[
    reads("AgentService/GetBoard", Board).for_workloads(),
    reads("AgentService/GetSample", Board),
    reads("AgentService/WatchSamples", Board),
    reads("AgentService/GetStatus", Board),
    controls("AgentService/TakeLease", Operator, Board, &[1]),
    // It comes every few seconds, and changes nothing but the time.
    controls("AgentService/RenewLease", Operator, Board, &[]).unrecorded(),
    controls("AgentService/ReleaseLease", Operator, Board, &[]),
    controls("AgentService/SetPowerMode", Operator, Board, &[]),
    controls("AgentService/Measure", Operator, Board, &[2]),
    controls("TurnService/ApplyPlan", Operator, Board, &[]),
    reads("TurnService/GetTurns", Board).for_workloads(),
    reads("TurnService/WatchTurns", Board),
    reads("TurnService/WatchWindows", Board),
    // A search borrows a board by its address, which has no labels.
    controls("OptimizerService/CreateSearch", Operator, Refused, &[2, 1]).up_to(LARGE),
    reads("OptimizerService/GetSearch", Refused),
    reads("OptimizerService/ListSearches", Refused),
    reads("OptimizerService/WatchSearch", Refused),
    controls("OptimizerService/CancelSearch", Operator, Refused, &[1]),
    // It changes nothing, but makes the optimizer call an address that the caller chose.
    controls("OptimizerService/SolveProblems", Operator, Refused, &[])
        .unrecorded()
        .up_to(HUGE)
        .slow(),
    controls("OptimizerService/SuspectProfiles", Operator, Refused, &[1]).up_to(LARGE),
    reads("OptimizerService/ListProfiles", Refused),
    controls("OptimizerService/ImportProfiles", Admin, Refused, &[])
        .up_to(HUGE)
        .slow()
        .with_stream(),
    reads("OptimizerService/ListFronts", Refused),
    controls("SchedulerService/RegisterBoard", Admin, Service, &[1, 1]),
    controls("SchedulerService/RemoveBoard", Admin, Service, &[1]),
    reads("SchedulerService/ListBoards", Service),
    controls("SchedulerService/SubmitJob", Operator, Service, &[2]).up_to(LARGE),
    reads("SchedulerService/GetJob", Service),
    reads("SchedulerService/ListJobs", Service),
    controls("SchedulerService/CancelJob", Operator, Service, &[1]),
    reads("SchedulerService/WatchJob", Service),
    controls("SchedulerService/SetSitePower", Admin, Refused, &[]),
    reads("SchedulerService/GetSitePower", Refused),
    // Whoever balances loads asks this, and has no name.
    reads("Health/Check", Free).for_strangers(),
    reads("Health/Watch", Free),
    reads("Health/List", Free),
    reads("ServerReflection/ServerReflectionInfo", Free).with_stream(),
];

/// An rpc by the path of a request: `/fulcrum.v1.SchedulerService/SubmitJob`.
pub fn rpc(path: &str) -> Option<&'static Rpc> {
    let name = ["/fulcrum.v1.", "/grpc.health.v1.", "/grpc.reflection.v1."]
        .iter()
        .find_map(|package| path.strip_prefix(package))?;
    RPCS.iter().find(|rpc| rpc.name == name)
}
