//! The best of many operating points for a problem, fast: what `Problem::best` finds, with the
//! points sorted once and most of them ruled out by a bound before they are assessed.

use std::collections::BTreeMap;

use fulcrum_domain::{
    Alternate, Assessment, BatchSize, Hertz, OperatingPoint, Problem, Role, Seconds, Watts,
};

/// Operating points to choose from, each as it is planned with.
pub(crate) struct Choices {
    /// One list a batch size; the hungriest first, which tend to be the fastest, so that a good
    /// plan is found early.
    by_batch: Vec<(Option<BatchSize>, Vec<Candidate>)>,
}

struct Candidate {
    power: Watts,
    background: Seconds,
    urgent: Seconds,
    guarded: OperatingPoint,
}

impl Choices {
    /// The points, planned with as if their readings were too good by `sigmas` standard errors.
    pub(crate) fn new(points: impl IntoIterator<Item = OperatingPoint>, sigmas: f64) -> Self {
        let mut by_batch: BTreeMap<Option<BatchSize>, Vec<Candidate>> = BTreeMap::new();
        for point in points {
            let guarded = point.guarded(sigmas);
            let time = |role| guarded.profile(role).map_or(Seconds::ZERO, |p| p.minibatch);
            let power = |role| guarded.profile(role).map_or(Watts::ZERO, |p| p.power);
            by_batch.entry(guarded.batch_size()).or_default().push(Candidate {
                power: power(Role::Background).max(power(Role::Urgent)),
                background: time(Role::Background),
                urgent: time(Role::Urgent),
                guarded,
            });
        }
        let mut by_batch: Vec<_> = by_batch.into_iter().collect();
        for (_, candidates) in &mut by_batch {
            candidates.sort_by(|a, b| b.power.total_cmp(&a.power));
        }
        Self { by_batch }
    }

    /// The best that meets every budget, with what it promises.
    pub(crate) fn best(
        &self,
        problem: &Problem,
        alternate: Alternate,
    ) -> Option<(OperatingPoint, Assessment)> {
        let mut best: Option<(OperatingPoint, Assessment)> = None;
        for candidate in self.in_budget(problem) {
            if let Some((_, found)) = &best
                && !candidate.may_beat(found, problem, alternate)
            {
                continue;
            }
            let Some(found) = problem.assess(alternate, &candidate.guarded) else { continue };
            let better = best.as_ref().is_none_or(|(_, b)| found.by_objective(b).is_lt());
            if better && found.feasible() {
                best = Some((candidate.guarded, found));
            }
        }
        best
    }

    /// Whether any meets every budget.
    pub(crate) fn any(&self, problem: &Problem) -> bool {
        // Feasibility is the same for both ways to alternate.
        self.in_budget(problem).any(|candidate| {
            let found = problem.assess(Alternate::Strict, &candidate.guarded);
            found.is_some_and(|found| found.feasible())
        })
    }

    /// Those that meet the power budget and, as far as a comparison tells, the others.
    fn in_budget<'a>(&'a self, problem: &'a Problem) -> impl Iterator<Item = &'a Candidate> {
        let stream = problem.urgent();
        self.by_batch.iter().flat_map(move |(batch, candidates)| {
            let cycle = stream.map(|s| s.rate.period() * batch.map_or(1.0, BatchSize::as_f64));
            let longest = match (stream, cycle) {
                (Some(stream), Some(cycle)) => {
                    problem.longest_urgent(cycle).min(stream.latency - cycle + ROUNDING)
                }
                _ => Seconds::INFINITY,
            };
            let within = candidates.partition_point(|c| c.power > problem.power());
            let possible = if longest < Seconds::ZERO { &[] } else { &candidates[within..] };
            possible.iter().filter(move |c| c.urgent <= longest)
        })
    }
}

/// More than a sum of seconds is off by rounding.
const ROUNDING: Seconds = Seconds::new(1e-9);

impl Candidate {
    /// Whether it could come before `best`: what it promises at most, without the turns being
    /// followed.
    fn may_beat(&self, best: &Assessment, problem: &Problem, alternate: Alternate) -> bool {
        let Some(stream) = problem.urgent() else { return true };
        let batch = self.guarded.batch_size().map_or(1.0, BatchSize::as_f64);
        let cycle = stream.rate.period() * batch;
        match best.throughput {
            None => best.latency.is_none_or(|latency| cycle + self.urgent <= latency),
            Some(throughput) => {
                let share = (cycle - self.urgent) / self.background;
                let most = match alternate {
                    Alternate::Strict => share.floor(),
                    Alternate::SlackAware => share,
                };
                Hertz::new((most + 1e-9) / cycle.get()) >= throughput
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fulcrum_domain::{Knob, ModeSpace, Profile, Stream, Workload};
    use proptest::prelude::*;

    use super::*;

    fn profile() -> impl Strategy<Value = Profile> {
        (0.001f64..0.5, 5.0f64..60.0, prop_oneof![Just(0.0), Just(0.02)]).prop_map(
            |(t, p, error)| Profile { error, ..Profile::exact(Seconds::new(t), Watts::new(p)) },
        )
    }

    proptest! {
        #[test]
        fn the_same_is_chosen_as_by_looking_at_every_point(
            profiles in prop::collection::vec((profile(), profile(), 1u32..5), 1..60),
            rate in 1.0f64..100.0, latency in 0.01f64..2.0, power in 5.0f64..70.0,
            slack_aware: bool, kind in 0..3,
        ) {
            let knob = Knob::new("level", (0..60).map(f64::from)).expect("finite levels");
            let space = ModeSpace::full_grid(vec![knob]).expect("a small space");
            let points: Vec<OperatingPoint> = space
                .ids()
                .zip(profiles)
                .map(|(mode, (background, urgent, batch))| OperatingPoint {
                    mode,
                    background: (kind != 1).then_some(background),
                    urgent: BatchSize::new(batch).filter(|_| kind != 0).map(|b| (b, urgent)),
                })
                .collect();
            let stream = Stream {
                workload: Workload::infer("i"),
                rate: Hertz::new(rate),
                latency: Seconds::new(latency),
            };
            let (train, power) = (Workload::train("t"), Watts::new(power));
            let problem = match kind {
                0 => Problem::train_only(train, power),
                1 => Problem::infer_only(stream, power),
                _ => Problem::concurrent(train, stream, power),
            }
            .expect("positive budgets");
            let alternate = if slack_aware { Alternate::SlackAware } else { Alternate::Strict };
            let choices = Choices::new(points.iter().copied(), 2.0);
            let slow = problem.best(alternate, 2.0, &points);
            let fast = choices.best(&problem, alternate);
            prop_assert_eq!(fast.map(|(_, a)| a), slow.map(|(_, a)| a));
            prop_assert_eq!(choices.any(&problem), fast.is_some());
        }
    }
}
