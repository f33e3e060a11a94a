//! The four problems: what has to run, and the budgets that must hold.

use crate::units::{Hertz, Seconds, Watts};
use crate::workload::{Role, Workload, WorkloadKind};

/// Requests that arrive for one inference workload, and how soon each must be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// The network that answers.
    pub workload: Workload,
    /// The arrival rate, α.
    pub rate: Hertz,
    /// The latency budget Λ: from the arrival of a request to its answer.
    pub latency: Seconds,
}

/// What has to run on the board, and the budgets that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    background: Option<Workload>,
    urgent: Option<Stream>,
    power: Watts,
    most_utilisation: f64,
}

/// Which of the four problems it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Train as fast as the power budget lets.
    Train,
    /// Answer requests as soon as the power budget lets.
    Infer,
    /// Answer requests in time and train in whatever time is left.
    Concurrent,
    /// Answer one stream in time and another network's requests in whatever time is left.
    TwoInfers,
}

impl ProblemKind {
    /// `train only`, `infer only`, `concurrent` or `two inferences`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train only",
            Self::Infer => "infer only",
            Self::Concurrent => "concurrent",
            Self::TwoInfers => "two inferences",
        }
    }
}

/// One of the budgets, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Budget {
    /// The power budget, P.
    Power,
    /// The latency budget, Λ.
    Latency,
    /// The arrival rate, α, that the device must keep up with.
    ArrivalRate,
}

impl Budget {
    /// `power budget`, `latency budget` or `arrival rate`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Power => "power budget",
            Self::Latency => "latency budget",
            Self::ArrivalRate => "arrival rate",
        }
    }
}

/// One of the budgets with its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BudgetValue {
    /// A power budget.
    Power(Watts),
    /// A latency budget.
    Latency(Seconds),
    /// An arrival rate.
    ArrivalRate(Hertz),
}

impl BudgetValue {
    /// Which budget it is.
    pub const fn budget(self) -> Budget {
        match self {
            Self::Power(_) => Budget::Power,
            Self::Latency(_) => Budget::Latency,
            Self::ArrivalRate(_) => Budget::ArrivalRate,
        }
    }
}

impl Problem {
    /// Train only: minimise the time of a training minibatch within a power budget.
    ///
    /// # Errors
    /// When the workload does not train, or the budget is not a positive number.
    pub fn train_only(train: Workload, power: Watts) -> Result<Self, ProblemError> {
        let train = Some(expect_kind(train, WorkloadKind::Train)?);
        Self::checked(train, None, power)
    }

    /// Infer only: minimise the latency within a latency and a power budget.
    ///
    /// # Errors
    /// When the workload does not infer, or the rate or a budget is not a positive number.
    pub fn infer_only(infer: Stream, power: Watts) -> Result<Self, ProblemError> {
        Self::checked(None, Some(infer), power)
    }

    /// Concurrent: maximise the throughput of training while the inference keeps its latency
    /// budget, within a power budget.
    ///
    /// # Errors
    /// When a workload is of the wrong kind, or the rate or a budget is not a positive number.
    pub fn concurrent(train: Workload, infer: Stream, power: Watts) -> Result<Self, ProblemError> {
        let train = Some(expect_kind(train, WorkloadKind::Train)?);
        Self::checked(train, Some(infer), power)
    }

    /// Two inferences: maximise the throughput of one while the urgent one keeps its latency
    /// budget, within a power budget.
    ///
    /// # Errors
    /// When a workload does not infer, or the rate or a budget is not a positive number.
    pub fn two_inferences(
        background: Workload,
        urgent: Stream,
        power: Watts,
    ) -> Result<Self, ProblemError> {
        let background = Some(expect_kind(background, WorkloadKind::Infer)?);
        Self::checked(background, Some(urgent), power)
    }

    fn checked(
        background: Option<Workload>,
        urgent: Option<Stream>,
        power: Watts,
    ) -> Result<Self, ProblemError> {
        if let Some(stream) = &urgent {
            expect_kind(stream.workload.clone(), WorkloadKind::Infer)?;
            positive("arrival rate", stream.rate.get())?;
            positive("latency budget", stream.latency.get())?;
        }
        positive("power budget", power.get())?;
        Ok(Self { background, urgent, power, most_utilisation: 1.0 })
    }

    /// Which of the four it is.
    pub fn kind(&self) -> ProblemKind {
        match (&self.background, &self.urgent) {
            (Some(Workload { kind: WorkloadKind::Infer, .. }), _) => ProblemKind::TwoInfers,
            (Some(_), Some(_)) => ProblemKind::Concurrent,
            (Some(_), None) => ProblemKind::Train,
            (None, _) => ProblemKind::Infer,
        }
    }

    /// What runs in whatever time is left.
    pub fn background(&self) -> Option<&Workload> {
        self.background.as_ref()
    }

    /// The requests that must be answered in time.
    pub fn urgent(&self) -> Option<&Stream> {
        self.urgent.as_ref()
    }

    /// The power budget, P: for the larger of the two workloads' draws.
    pub fn power(&self) -> Watts {
        self.power
    }

    /// The largest share of time that the urgent workload may take, α·t/β: 1 where requests come
    /// evenly spaced.
    pub fn most_utilisation(&self) -> f64 {
        self.most_utilisation
    }

    /// The same problem where the urgent workload may take at most this share of the time, above 0
    /// and at most 1. Requests that come irregularly queue up where it takes nearly all of it.
    #[must_use]
    pub fn with_most_utilisation(mut self, share: f64) -> Self {
        self.most_utilisation = share.clamp(f64::MIN_POSITIVE, 1.0);
        self
    }

    /// The longest that an urgent minibatch may take to keep up, in a cycle of this length.
    pub fn longest_urgent(&self, cycle: Seconds) -> Seconds {
        cycle * self.most_utilisation
    }

    /// The workload that takes a role.
    pub fn workload(&self, role: Role) -> Option<&Workload> {
        match role {
            Role::Background => self.background.as_ref(),
            Role::Urgent => self.urgent.as_ref().map(|stream| &stream.workload),
        }
    }

    /// The roles that are taken.
    pub fn roles(&self) -> &'static [Role] {
        match (&self.background, &self.urgent) {
            (Some(_), Some(_)) => &[Role::Background, Role::Urgent],
            (Some(_), None) => &[Role::Background],
            (None, _) => &[Role::Urgent],
        }
    }

    /// The budgets that there are, with their values.
    pub fn budgets(&self) -> impl Iterator<Item = BudgetValue> + use<> {
        let stream = self.urgent.as_ref().map(|s| (s.latency, s.rate));
        std::iter::once(BudgetValue::Power(self.power)).chain(
            stream
                .into_iter()
                .flat_map(|(l, r)| [BudgetValue::Latency(l), BudgetValue::ArrivalRate(r)]),
        )
    }

    /// The same problem with one budget changed; a budget that it does not have changes nothing.
    #[must_use]
    pub fn with(&self, value: BudgetValue) -> Self {
        let mut changed = self.clone();
        match (value, &mut changed.urgent) {
            (BudgetValue::Power(power), _) => changed.power = power,
            (BudgetValue::Latency(latency), Some(stream)) => stream.latency = latency,
            (BudgetValue::ArrivalRate(rate), Some(stream)) => stream.rate = rate,
            (_, None) => {}
        }
        changed
    }
}

fn expect_kind(workload: Workload, kind: WorkloadKind) -> Result<Workload, ProblemError> {
    if workload.kind == kind {
        Ok(workload)
    } else {
        Err(ProblemError::WrongKind { workload, expected: kind })
    }
}

fn positive(what: &'static str, value: f64) -> Result<(), ProblemError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(ProblemError::NotPositive { what, value })
    }
}

/// Why there is no such problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProblemError {
    /// A workload that infers stands where one must train, or the other way round.
    #[error("the workload `{workload}` stands where one that can {expected} is needed")]
    WrongKind {
        /// The workload.
        workload: Workload,
        /// The kind that was needed.
        expected: WorkloadKind,
    },
    /// A rate or a budget that cannot be.
    #[error("the {what} is {value}; it must be a finite number greater than zero")]
    NotPositive {
        /// Which one.
        what: &'static str,
        /// Its value, in the base unit.
        value: f64,
    },
}
