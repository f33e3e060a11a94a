//! A plan, or that there is none, for programs. The field names are stable and carry their units;
//! README.md shows them.

use fulcrum_domain::{
    Assessment, Basis, BatchSize, Binding, Budget, BudgetValue, Hertz, Infeasibility, ModeId,
    ModeSpace, OperatingPoint, Outcome, Plan, Problem, Role, Seconds, WorkloadKind,
};
use serde::{Serialize, Serializer};

use crate::output::Answer;
use crate::output::words::basis_in_words;
use crate::verified::Verified;

/// The answer as one JSON object.
pub(crate) fn plan_json(answer: &Answer<'_>) -> serde_json::Result<String> {
    let (plan, why, infeasible) = match answer.outcome {
        Outcome::Solved(plan) => (Some(plan_view(answer, plan)), Some(why(answer, plan)), None),
        Outcome::Infeasible(why) | Outcome::Unsolved(why) => {
            (None, None, Some(infeasible(answer, why)))
        }
    };
    serde_json::to_string_pretty(&AnswerView {
        status: answer.outcome.status(),
        strategy: answer.strategy,
        seed: answer.seed,
        alternate: answer.alternate.as_str(),
        problem: problem_view(answer.problem),
        plan,
        why,
        infeasible,
        modes_profiled: answer.cost.modes(),
        measurements: answer.cost.measurements,
        failed_measurements: answer.cost.failures,
        solve_us: answer.cost.deciding.as_secs_f64() * 1e6,
        verified: answer.verified,
    })
}

#[derive(Serialize)]
struct AnswerView<'a> {
    status: &'static str,
    strategy: &'a str,
    seed: u64,
    alternate: &'static str,
    problem: ProblemView<'a>,
    plan: Option<PlanView<'a>>,
    why: Option<WhyView>,
    infeasible: Option<InfeasibleView>,
    modes_profiled: usize,
    measurements: usize,
    failed_measurements: usize,
    solve_us: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
}

#[derive(Serialize)]
struct ProblemView<'a> {
    kind: &'static str,
    train: Option<&'a str>,
    infer: Option<&'a str>,
    background_infer: Option<&'a str>,
    rate_hz: Option<f64>,
    latency_ms: Option<f64>,
    power_w: f64,
}

#[derive(Serialize)]
struct PlanView<'a> {
    mode: ModeView,
    batch_size: Option<u32>,
    #[serde(flatten)]
    promise: PromiseView,
    evidence: &'static str,
    profiles: Vec<ProfileView<'a>>,
}

#[derive(Serialize)]
struct PromiseView {
    minibatches_per_cycle: Option<f64>,
    throughput_hz: Option<f64>,
    peak_latency_ms: Option<f64>,
    peak_power_w: f64,
    utilisation_ratio: Option<f64>,
}

#[derive(Serialize)]
struct ProfileView<'a> {
    workload: &'a str,
    kind: &'static str,
    batch_size: Option<u32>,
    minibatch_ms: f64,
    power_w: f64,
    relative_error: f64,
}

#[derive(Serialize)]
struct WhyView {
    margins: Vec<MarginView>,
    binding: Option<BindingView>,
    runner_up: Option<PointView>,
    slack_aware: Option<PointView>,
}

#[derive(Serialize)]
struct MarginView {
    budget: &'static str,
    unused_ratio: f64,
}

#[derive(Serialize)]
struct BindingView {
    budget: &'static str,
    wider: BudgetsView,
    point: Option<PointView>,
    kept_out_modes: Option<usize>,
}

#[derive(Serialize)]
struct PointView {
    mode: ModeView,
    batch_size: Option<u32>,
    #[serde(flatten)]
    promise: PromiseView,
}

#[derive(Serialize)]
struct InfeasibleView {
    binding_budget: &'static str,
    basis: &'static str,
    probability: Option<f64>,
    because: String,
    remedies: Vec<RemedyView>,
}

#[derive(Serialize)]
struct RemedyView {
    #[serde(flatten)]
    budgets: BudgetsView,
    mode: ModeView,
    batch_size: Option<u32>,
}

#[derive(Serialize, Default)]
struct BudgetsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    power_w: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_hz: Option<f64>,
}

/// A power mode as an object, one field a knob in the knobs' order.
struct ModeView(Vec<(String, f64)>);

impl ModeView {
    fn new(space: &ModeSpace, mode: ModeId) -> Self {
        let named = space.knobs().iter().zip(space.levels(mode));
        Self(named.map(|(knob, level)| (knob.name().to_owned(), level)).collect())
    }
}

impl Serialize for ModeView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, level)| (name, Level(*level))))
    }
}

/// A level as a whole number where it is one: `8`, not `8.0`.
struct Level(f64);

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < 9e15 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

fn problem_view(problem: &Problem) -> ProblemView<'_> {
    let stream = problem.urgent();
    let background =
        |kind| problem.background().filter(|workload| workload.kind == kind).map(|w| &*w.name);
    ProblemView {
        kind: problem.kind().as_str(),
        train: background(WorkloadKind::Train),
        infer: stream.map(|stream| &*stream.workload.name),
        background_infer: background(WorkloadKind::Infer),
        rate_hz: stream.map(|stream| stream.rate.get()),
        latency_ms: stream.map(|stream| stream.latency.as_millis()),
        power_w: problem.power().get(),
    }
}

fn promise_view(promise: &Assessment) -> PromiseView {
    PromiseView {
        minibatches_per_cycle: promise.minibatches_per_cycle,
        throughput_hz: promise.throughput.map(Hertz::get),
        peak_latency_ms: promise.latency.map(Seconds::as_millis),
        peak_power_w: promise.power.get(),
        utilisation_ratio: promise.utilisation,
    }
}

fn plan_view<'a>(answer: &Answer<'a>, plan: &Plan) -> PlanView<'a> {
    let profile = |role: Role| {
        let workload = answer.problem.workload(role)?;
        let profile = plan.point.profile(role)?;
        let batch = match role {
            Role::Background => Some(answer.background_batch),
            Role::Urgent => plan.point.batch_size(),
        };
        Some(ProfileView {
            workload: &workload.name,
            kind: workload.kind.as_str(),
            batch_size: batch.map(BatchSize::get),
            minibatch_ms: profile.minibatch.as_millis(),
            power_w: profile.power.get(),
            relative_error: profile.error,
        })
    };
    PlanView {
        mode: ModeView::new(answer.space, plan.point.mode),
        batch_size: plan.point.batch_size().map(BatchSize::get),
        promise: promise_view(&plan.promise),
        evidence: plan.evidence.as_str(),
        profiles: answer.problem.roles().iter().filter_map(|&role| profile(role)).collect(),
    }
}

fn point_view(space: &ModeSpace, point: &OperatingPoint, promise: &Assessment) -> PointView {
    PointView {
        mode: ModeView::new(space, point.mode),
        batch_size: point.batch_size().map(BatchSize::get),
        promise: promise_view(promise),
    }
}

fn why(answer: &Answer<'_>, plan: &Plan) -> WhyView {
    let why = answer.explanation(plan);
    let binding = |binding: Binding| {
        let (wider, point, kept_out_modes) = match binding {
            Binding::Better { wider, point, promise } => {
                (wider, Some(point_view(answer.space, &point, &promise)), None)
            }
            Binding::KeepsOut { modes, nearest } => (nearest, None, Some(modes)),
        };
        let (budget, wider) = (budget_name(wider.budget()), budgets_view(&[wider]));
        BindingView { budget, wider, point, kept_out_modes }
    };
    let margins = why.margins.iter().map(|margin| MarginView {
        budget: budget_name(margin.budget),
        unused_ratio: margin.share,
    });
    WhyView {
        margins: margins.collect(),
        binding: why.binding.map(binding),
        runner_up: why.runner_up.map(|(point, promise)| point_view(answer.space, &point, &promise)),
        slack_aware: why
            .slack_aware
            .map(|(point, promise)| point_view(answer.space, &point, &promise)),
    }
}

fn infeasible(answer: &Answer<'_>, why: &Infeasibility) -> InfeasibleView {
    let (basis, probability) = match why.basis {
        Basis::Exhausted => ("exhausted", None),
        Basis::Monotone => ("monotone", None),
        Basis::Believed { probability } => ("believed", Some(probability)),
        Basis::Measured => ("measured", None),
    };
    let remedies = why.remedies.iter().map(|remedy| RemedyView {
        budgets: budgets_view(&remedy.budgets),
        mode: ModeView::new(answer.space, remedy.mode),
        batch_size: remedy.batch_size.map(BatchSize::get),
    });
    InfeasibleView {
        binding_budget: budget_name(why.binding),
        basis,
        probability,
        because: basis_in_words(why.basis),
        remedies: remedies.collect(),
    }
}

fn budget_name(budget: Budget) -> &'static str {
    match budget {
        Budget::Power => "power",
        Budget::Latency => "latency",
        Budget::ArrivalRate => "rate",
    }
}

fn budgets_view(values: &[BudgetValue]) -> BudgetsView {
    let mut view = BudgetsView::default();
    for value in values {
        match value {
            BudgetValue::Power(power) => view.power_w = Some(power.get()),
            BudgetValue::Latency(latency) => view.latency_ms = Some(latency.as_millis()),
            BudgetValue::ArrivalRate(rate) => view.rate_hz = Some(rate.get()),
        }
    }
    view
}
