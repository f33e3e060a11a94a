//! Sharing a site's power out over its boards, by what each gains from it.

/// What a board can do within a power budget: the budget in watts, and what it is worth, which is
/// the share of the throughput that the board has without a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// The budget, in watts.
    pub watts: f64,
    /// What is reached with it, from 0 to 1.
    pub worth: f64,
}

/// Shares power out: for each board, given as the plans that it may have with their budgets
/// ascending, its budget; none where not even its smallest plan fits any more.
///
/// Boards get their smallest plans first, in their order. What is left goes where the next watt
/// gains most: along the upper concave hull of each board's plans, steepest first; and what is left
/// then, to whoever can use it.
pub fn share(site_watts: f64, boards: &[Vec<Worth>]) -> Vec<Option<f64>> {
    let mut left = site_watts;
    let mut at: Vec<Option<Worth>> = Vec::with_capacity(boards.len());
    for plans in boards {
        let least = plans.first().copied().filter(|least| least.watts <= left);
        left -= least.map_or(0.0, |least| least.watts);
        at.push(least);
    }
    let mut steps: Vec<(f64, usize, Worth)> = Vec::new();
    for (board, plans) in boards.iter().enumerate().filter(|(board, _)| at[*board].is_some()) {
        for pair in hull(plans).windows(2) {
            let slope = (pair[1].worth - pair[0].worth) / (pair[1].watts - pair[0].watts);
            steps.push((slope, board, pair[1]));
        }
    }
    // Of one board the steps stay in their order, since a hull's slopes fall.
    steps.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, board, to) in steps {
        raise(&mut at[board], to, &mut left);
    }
    for (board, plans) in boards.iter().enumerate() {
        for &to in plans.iter().rev() {
            raise(&mut at[board], to, &mut left);
        }
    }
    at.into_iter().map(|at| at.map(|at| at.watts)).collect()
}

/// Raises a board to a better plan where what is left is enough.
fn raise(at: &mut Option<Worth>, to: Worth, left: &mut f64) {
    let Some(now) = at else { return };
    let more = to.watts - now.watts;
    if to.worth > now.worth && more <= *left {
        *left -= more;
        *now = to;
    }
}

/// The plans that no mixture of two others outdoes.
fn hull(plans: &[Worth]) -> Vec<Worth> {
    let mut hull: Vec<Worth> = Vec::new();
    for &plan in plans {
        if hull.last().is_some_and(|last| plan.worth <= last.worth || plan.watts <= last.watts) {
            continue;
        }
        while let [.., before, last] = hull.as_slice() {
            let slope =
                |from: &Worth, to: &Worth| (to.worth - from.worth) / (to.watts - from.watts);
            if slope(last, &plan) < slope(before, last) {
                break;
            }
            hull.pop();
        }
        hull.push(plan);
    }
    hull
}

/// The budgets that boards may have now, on the way from those in force to their shares: whoever
/// gets less changes at once, whoever gets more waits until what the others still have in force and
/// what they were told leaves room. So the sum is never above the site's power on the way, where it
/// was not before. A board without a plan in force has 0 there; a share of none takes the plan away.
pub fn on_the_way(site_watts: f64, in_force: &[f64], shares: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut drawn: f64 = in_force.iter().sum();
    let mut granted = Vec::with_capacity(shares.len());
    for (&now, &share) in in_force.iter().zip(shares) {
        let Some(wanted) = share else {
            granted.push(None);
            continue;
        };
        let more = (wanted - now).max(0.0);
        if drawn + more <= site_watts + 1e-9 || more == 0.0 {
            drawn += more;
            granted.push(Some(wanted));
        } else {
            granted.push(Some(now).filter(|&now| now > 0.0));
        }
    }
    granted
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn plans() -> impl Strategy<Value = Vec<Worth>> {
        vec((1.0..20.0f64, 0.01..1.0f64), 0..6).prop_map(|steps| {
            let mut at = Worth { watts: 5.0, worth: 0.0 };
            let total: f64 = steps.iter().map(|step| step.1).sum();
            steps
                .into_iter()
                .map(|(watts, worth)| {
                    at = Worth { watts: at.watts + watts, worth: at.worth + worth / total };
                    at
                })
                .collect()
        })
    }

    fn worth(plans: &[Worth], watts: Option<f64>) -> f64 {
        let at = |watts| plans.iter().find(|plan| plan.watts == watts).map(|plan| plan.worth);
        watts.and_then(at).unwrap_or(0.0)
    }

    proptest! {
        #[test]
        fn shares_are_plans_and_never_more_than_there_is(
            site in 0.0..300.0f64, boards in vec(plans(), 0..8))
        {
            let shares = share(site, &boards);
            prop_assert!(shares.iter().flatten().sum::<f64>() <= site + 1e-6);
            for (plans, share) in boards.iter().zip(&shares) {
                prop_assert!(share.is_none_or(|w| plans.iter().any(|plan| plan.watts == w)));
            }
        }

        #[test]
        fn nothing_is_left_that_one_board_could_use(
            site in 0.0..300.0f64, boards in vec(plans(), 0..8))
        {
            let shares = share(site, &boards);
            let left = site - shares.iter().flatten().sum::<f64>();
            for (plans, share) in boards.iter().zip(&shares) {
                let Some(watts) = share else { continue };
                let better = plans.iter().any(|plan| {
                    plan.worth > worth(plans, *share) && plan.watts - watts < left - 1e-6
                });
                prop_assert!(!better);
            }
        }

        #[test]
        fn the_sum_is_never_above_the_site_on_the_way(
            site in 50.0..300.0f64, from in vec(plans(), 1..8), to in vec(plans(), 8..9),
            later in 20.0..300.0f64)
        {
            let in_force: Vec<f64> =
                share(site, &from).into_iter().map(Option::unwrap_or_default).collect();
            let count = in_force.len();
            // Another site budget, and other plans.
            let boards: Vec<_> = (0..count).map(|_| to[0].clone()).collect();
            let shares = share(later, &boards);
            let mut now = in_force;
            for _ in 0..=2 * count {
                let granted = on_the_way(later, &now, &shares);
                let bound = now.iter().sum::<f64>().max(later) + 1e-6;
                // In whichever order boards change: the worst is whoever rises before who falls.
                let worst: f64 =
                    now.iter().zip(&granted).map(|(now, to)| now.max(to.unwrap_or(0.0))).sum();
                prop_assert!(worst <= bound, "{worst} over {bound}");
                now = granted.into_iter().map(Option::unwrap_or_default).collect();
            }
            let wanted: Vec<f64> = shares.into_iter().map(Option::unwrap_or_default).collect();
            prop_assert_eq!(now, wanted, "and it arrives");
        }
    }

    #[test]
    fn the_next_watt_goes_where_it_gains_most() {
        let plan = |watts, worth| Worth { watts, worth };
        let steep = vec![plan(10.0, 0.2), plan(15.0, 0.9), plan(30.0, 1.0)];
        let flat = vec![plan(10.0, 0.7), plan(20.0, 0.8), plan(40.0, 1.0)];
        let boards = [flat, steep];
        assert_eq!(share(25.0, &boards), [Some(10.0), Some(15.0)]);
        assert_eq!(share(35.0, &boards), [Some(20.0), Some(15.0)]);
        assert_eq!(share(19.0, &boards), [Some(10.0), None], "the first in order");
        assert_eq!(share(5.0, &boards), [None, None]);
        assert_eq!(share(500.0, &boards), [Some(40.0), Some(30.0)]);
    }
}
