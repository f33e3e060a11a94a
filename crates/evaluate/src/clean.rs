//! A table without the rows that cannot be right.
//!
//! Raising a knob by a level hardly ever slows a minibatch or saves power. Two neighbouring rows of
//! a workload and batch size contradict each other where it does so by more than the curve's own
//! noise allows: by more than a factor of [`FACTOR`] and by more than [`SIGMAS`] times the spread
//! of all its steps that go the wrong way (which are noise where a knob does nothing, and honest
//! where a workload is not monotone). Which of the two is wrong, the other neighbours tell: the row
//! with the largest sum of contradictions is taken out first, and so on until none is left.
//!
//! So a power reading of another moment goes because it lies below all its lower neighbours, and a
//! row whose GPU ran faster than it was told because it beats the rows with more cores and with
//! faster memory. Rows that are wrong within the monotone are not seen.

use std::collections::BTreeMap;

use fulcrum_board::ProfileTable;
use fulcrum_domain::{BatchSize, ModeId, ModeSpace, Profile, Workload};

const SIGMAS: f64 = 5.0;
const FACTOR: f64 = 1.2;

/// A row that cannot be right.
#[derive(Debug, Clone, PartialEq)]
pub struct Implausible {
    /// The workload.
    pub workload: Workload,
    /// The power mode.
    pub mode: ModeId,
    /// The batch size.
    pub batch_size: BatchSize,
    /// What was recorded.
    pub profile: Profile,
    /// The time as a multiple of that of the neighbour which it contradicts most; 1 if none.
    pub time_factor: f64,
    /// The power as a multiple of that of the neighbour which it contradicts most; 1 if none.
    pub power_factor: f64,
}

/// The table without its implausible rows, and these; the mode space stays whole.
pub fn without_implausible_rows(table: &ProfileTable) -> (ProfileTable, Vec<Implausible>) {
    let neighbours = neighbours(table.space());
    let mut removed = Vec::new();
    let mut kept = Vec::with_capacity(table.len());
    for offer in table.offers() {
        let mut curves: BTreeMap<BatchSize, Curve> = BTreeMap::new();
        for ((mode, batch), profile) in table.rows(&offer.workload) {
            let whole = || vec![None; table.space().len()];
            curves.entry(*batch).or_insert_with(whole)[mode.index()] = Some(*profile);
        }
        for (batch_size, mut curve) in curves {
            for (mode, [time_factor, power_factor]) in contradicting(&curve, &neighbours) {
                let profile = curve[mode.index()].take();
                removed.extend(profile.map(|profile| Implausible {
                    workload: offer.workload.clone(),
                    mode,
                    batch_size,
                    profile,
                    time_factor,
                    power_factor,
                }));
            }
            let rows = table.space().ids().zip(curve);
            kept.extend(rows.filter_map(|(mode, profile)| {
                Some((offer.workload.clone(), mode, batch_size, profile?))
            }));
        }
    }
    (ProfileTable::new(table.device(), table.space().clone(), kept), removed)
}

/// The profiles of a workload at a batch size, by mode.
type Curve = Vec<Option<Profile>>;

/// All pairs of modes of which the second has one knob one level higher.
fn neighbours(space: &ModeSpace) -> Vec<(ModeId, ModeId)> {
    let above = |mode: ModeId| {
        (0..space.knobs().len()).filter_map(move |knob| {
            let mut point = space.point(mode).to_vec();
            point[knob] = point[knob].checked_add(1)?;
            Some((mode, space.find(&point)?))
        })
    };
    space.ids().flat_map(above).collect()
}

/// Two neighbours of which one reads wrong.
struct Contradiction {
    modes: [ModeId; 2],
    /// 0 for the time, 1 for the power.
    reading: usize,
    /// The logarithm of the upper mode's reading over the lower's.
    step: f64,
}

/// The modes whose rows go, in order of the modes, with their time and power factors.
fn contradicting(curve: &Curve, neighbours: &[(ModeId, ModeId)]) -> BTreeMap<ModeId, [f64; 2]> {
    let mut left = contradictions(curve, neighbours);
    let mut gone = BTreeMap::new();
    loop {
        let mut sums: BTreeMap<ModeId, f64> = BTreeMap::new();
        for contradiction in &left {
            for mode in contradiction.modes {
                *sums.entry(mode).or_default() += contradiction.step.abs();
            }
        }
        let Some((&worst, _)) = sums.iter().max_by(|a, b| a.1.total_cmp(b.1)) else { return gone };
        let mut factors = [0.0f64; 2];
        left.retain(|Contradiction { modes, reading, step }| {
            let own = if modes[1] == worst { *step } else { -*step };
            if modes.contains(&worst) && own.abs() > factors[*reading].abs() {
                factors[*reading] = own;
            }
            !modes.contains(&worst)
        });
        gone.insert(worst, factors.map(f64::exp));
    }
}

fn contradictions(curve: &Curve, neighbours: &[(ModeId, ModeId)]) -> Vec<Contradiction> {
    // By how much a step goes the wrong way: a time that rises, a power that falls.
    let wrong_way: [fn(&Contradiction) -> f64; 2] = [|c| c.step, |c| -c.step];
    let mut found = Vec::new();
    for (reading, wrong_way) in wrong_way.into_iter().enumerate() {
        let steps = neighbours.iter().filter_map(|&(lower, upper)| {
            let value = |mode: ModeId| {
                let profile = curve[mode.index()]?;
                Some([profile.minibatch.get(), profile.power.get()][reading])
            };
            let step = (value(upper)? / value(lower)?).ln();
            Some(Contradiction { modes: [lower, upper], reading, step })
        });
        let steps: Vec<_> = steps.collect();
        let few = steps.len() / 10;
        let wrong: Vec<_> = steps.into_iter().filter(|step| wrong_way(step) > 0.0).collect();
        // Where hardly any step goes the wrong way, those that do are no measure of the noise.
        let quiet = std::iter::repeat_n(0.0, few.saturating_sub(wrong.len()));
        let spread = median(wrong.iter().map(wrong_way).chain(quiet)) * TO_SIGMA;
        let least = (SIGMAS * spread).max(FACTOR.ln());
        found.extend(wrong.into_iter().filter(|step| wrong_way(step) > least));
    }
    found
}

/// The standard deviation of a normal distribution over the median of its absolute values.
const TO_SIGMA: f64 = 1.4826;

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}
