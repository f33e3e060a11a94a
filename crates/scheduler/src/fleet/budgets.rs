//! What each board may draw.

use std::collections::BTreeMap;

use super::{Fleet, Work};
use crate::job;
use crate::planner::Place;
use crate::site_power::{Worth, on_the_way, share};

/// What a board's share of the site's power is chosen among: so many shares of its job's budget.
const CHOICES: u32 = 20;

impl Fleet {
    /// The power budget that each board with a job may have now: the job's, or its share of the
    /// site's; none where that leaves nothing for it.
    pub(super) async fn budgets(&self) -> BTreeMap<String, Option<f64>> {
        let mut names = Vec::new();
        let mut caps = Vec::new();
        // In the order of the jobs: what comes first is served first.
        for work in &self.work {
            let cap = work.spec.problem.as_ref().map_or(0.0, |problem| problem.power_watts);
            for name in self.members(&work.job.name) {
                names.push((name.to_owned(), work));
                caps.push(cap);
            }
        }
        let Some(site_watts) = self.site_watts else {
            let capped = names.into_iter().zip(caps);
            return capped.map(|((name, _), cap)| (name, Some(cap))).collect();
        };
        let mut choices = Vec::with_capacity(names.len());
        let mut in_force = Vec::with_capacity(names.len());
        for ((name, work), cap) in names.iter().zip(&caps) {
            choices.push(self.choices(name, work, *cap).await);
            let standing = self.seats.get(name).map(|seat| seat.standing.borrow().budget_watts);
            in_force.push(standing.flatten().unwrap_or(0.0));
        }
        let shares = share(site_watts, &choices);
        let granted = on_the_way(site_watts, &in_force, &shares);
        let boards = names.into_iter().zip(choices.iter().zip(caps).zip(granted));
        boards
            .map(|((name, _), ((choices, cap), granted))| {
                // What can do nothing within its own budget says so itself, and draws nothing.
                (name, if choices.is_empty() { Some(cap) } else { granted })
            })
            .collect()
    }

    /// What a board could do with less than its job's budget; all of it while that is not known.
    async fn choices(&self, name: &str, work: &Work, cap: f64) -> Vec<Worth> {
        let unknown = vec![Worth { watts: cap, worth: 1.0 }];
        let Some(seat) = self.seats.get(name) else { return unknown };
        let place = {
            let standing = seat.standing.borrow();
            if standing.model.is_empty() && seat.board.stand_in.is_empty() {
                return unknown;
            }
            Place {
                address: seat.board.address.clone(),
                stand_in: seat.board.stand_in.clone(),
                model: standing.model.clone(),
                software: standing.software.clone(),
                name: name.to_owned(),
            }
        };
        let budget = |n: u32| cap * f64::from(n) / f64::from(CHOICES);
        let problems = (1..=CHOICES).map(|n| job::problem(&work.spec, budget(n), None)).collect();
        let solved = self.term.planner.solve(&place, &work.spec.alternate, problems).await;
        let Ok(answers) = solved else { return unknown };
        if answers.iter().any(|answer| answer.origin.is_empty()) {
            return unknown;
        }
        let plans = answers.iter().filter_map(|answer| answer.outcome.as_ref()?.plan.as_ref());
        let most = plans.clone().map(|plan| plan.throughput_hertz).fold(0.0, f64::max);
        let mut choices: Vec<Worth> = Vec::new();
        for plan in plans {
            let worth = if most > 0.0 { plan.throughput_hertz / most } else { 1.0 };
            // What the plan draws is all that it needs; the same plan again adds no choice.
            if choices.last().is_none_or(|last| plan.peak_power_watts > last.watts) {
                choices.push(Worth { watts: plan.peak_power_watts, worth });
            }
        }
        choices
    }
}
