//! What the readings so far foretell of every mode and batch size.

use fulcrum_domain::{BatchSize, Knob, ModeId, Profile, Role};

use crate::procedure::Probe;
use crate::task::Task;

use super::slopes::{Forecast, Slopes, Weight};

/// The time and the power of a minibatch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minibatch {
    pub(super) time: Forecast,
    pub(super) power: Forecast,
}

impl Minibatch {
    /// The most likely time and power.
    pub(super) const fn values(self) -> [f64; 2] {
        [self.time.value, self.power.value]
    }
}

/// The terms of a mode: one for what no knob changes and one a knob.
struct Terms {
    time: Vec<f64>,
    power: Vec<f64>,
}

/// A mode as the readings so far see it.
pub(super) struct View {
    terms: Terms,
    /// How near the modes are at which something was read, by their place among them: 1 is the
    /// same mode, 0 is far.
    near: Vec<f64>,
}

/// The slopes of one role at one batch size, and the readings that they were fitted to.
pub(super) struct Surface {
    batch: BatchSize,
    time: Slopes,
    power: Slopes,
    rough: Rough,
    /// Place of a mode among those that were read, and by how much its logarithmic readings differ
    /// from the sum of terms.
    strays: Vec<(usize, [f64; 2])>,
}

/// The slopes multiplied out, for a look at very many modes: what time and power take from each
/// level of each knob, one knob after the other, and from what no knob changes.
struct Rough {
    parts: Vec<[f64; 2]>,
    /// Where each knob's levels begin.
    starts: Vec<usize>,
    constant: [f64; 2],
    least: [f64; 2],
}

/// What the readings so far foretell.
pub(super) struct Outlook<'a> {
    task: &'a Task,
    /// By knob and place.
    levels: Vec<Vec<Level>>,
    /// The modes at which something was read.
    read: Vec<ModeId>,
    background: Vec<Surface>,
    urgent: Vec<Surface>,
}

/// What a level of a knob contributes: the terms of time and power, and the place as a share of
/// the knob's range.
#[derive(Clone, Copy)]
struct Level {
    time: f64,
    power: f64,
    place: f64,
}

/// Power grows faster than the clock, since the voltage grows with it.
const POWER_EXPONENT: f64 = 1.5;
/// By how much an unread mode may differ from the sum of its terms, as a share.
const STRAY: f64 = 0.08;
/// How far a stray reading is felt, as a share of a knob's range.
const REACH: f64 = 0.3;

impl<'a> Outlook<'a> {
    pub(super) fn new(task: &'a Task, probe: &Probe<'_>, batches: &[BatchSize]) -> Self {
        let levels = task.setting.space.knobs().iter().map(levels_of).collect();
        let read = probe.log().profiles().modes().collect();
        let mut outlook = Self { task, levels, read, background: Vec::new(), urgent: Vec::new() };
        for &role in task.problem.roles() {
            let own = [task.setting.background_batch];
            let of_role = if role == Role::Background { own.as_slice() } else { batches };
            let surfaces = outlook.fit(probe, role, of_role);
            match role {
                Role::Background => outlook.background = surfaces,
                Role::Urgent => outlook.urgent = surfaces,
            }
        }
        outlook
    }

    /// Looks at a mode.
    pub(super) fn view(&self, mode: ModeId) -> View {
        let levels = || self.levels_at(mode);
        let near = |other: &ModeId| {
            let gaps = levels().zip(self.levels_at(*other)).map(|(a, b)| a.place - b.place);
            (-gaps.map(|gap| gap * gap).sum::<f64>() / (2.0 * REACH * REACH)).exp()
        };
        View { terms: self.terms(mode), near: self.read.iter().map(near).collect() }
    }

    fn terms(&self, mode: ModeId) -> Terms {
        let levels = || self.levels_at(mode);
        Terms {
            time: std::iter::once(1.0).chain(levels().map(|level| level.time)).collect(),
            power: std::iter::once(1.0).chain(levels().map(|level| level.power)).collect(),
        }
    }

    fn levels_at(&self, mode: ModeId) -> impl Iterator<Item = Level> + '_ {
        let point = self.task.setting.space.point(mode);
        self.levels.iter().zip(point).map(|(levels, &place)| levels[usize::from(place)])
    }

    fn fit(&self, probe: &Probe<'_>, role: Role, batches: &[BatchSize]) -> Vec<Surface> {
        let middle = batches[batches.len() / 2].as_f64();
        let ratio = |batch: BatchSize| [batch.as_f64() / middle, (batch.as_f64() / middle).ln()];
        let terms: Vec<Terms> = self.read.iter().map(|&mode| self.terms(mode)).collect();
        let readings: Vec<(usize, BatchSize, Profile)> = probe
            .log()
            .profiles()
            .iter()
            .filter(|(m, _)| m.role == role)
            .filter_map(|(m, profile)| {
                Some((self.read.binary_search(&m.mode).ok()?, m.batch_size, profile))
            })
            .collect();
        let several = batches.len() > 1;
        let [time_prior, power_prior] = self.priors(several);
        let (mut time_terms, mut power_terms) = (Vec::new(), Vec::new());
        for (i, batch, _) in &readings {
            let add = |rows: &mut Vec<f64>, own: &[f64], factor: f64| {
                rows.extend(own);
                if several {
                    rows.extend(own.iter().map(|term| term * factor));
                }
            };
            let factors = ratio(*batch);
            add(&mut time_terms, &terms[*i].time, factors[0]);
            add(&mut power_terms, &terms[*i].power, factors[1]);
        }
        let times: Vec<f64> = readings.iter().map(|(.., read)| read.minibatch.get()).collect();
        let powers: Vec<f64> = readings.iter().map(|(.., read)| read.power.get()).collect();
        let time = Slopes::fit(&time_prior, &time_terms, &times);
        let power = Slopes::fit(&power_prior, &power_terms, &powers);
        let surface = |&batch: &BatchSize| {
            let factors = ratio(batch);
            let at = |slopes: &Slopes, f: f64| if several { slopes.at(f) } else { slopes.clone() };
            let (time, power) = (at(&time, factors[0]), at(&power, factors[1]));
            let stray = |slopes: &Slopes, terms: &[f64], value: f64| {
                (value / slopes.value(terms)).ln().clamp(-0.5, 0.5)
            };
            let strays = readings.iter().filter(|(_, own, _)| *own == batch).map(|(i, _, read)| {
                let by_time = stray(&time, &terms[*i].time, read.minibatch.get());
                let by_power = stray(&power, &terms[*i].power, read.power.get());
                (*i, [by_time, by_power])
            });
            let strays = strays.collect();
            let rough = self.rough(&time, &power);
            Surface { batch, time, power, rough, strays }
        };
        batches.iter().map(surface).collect()
    }

    /// What is held of the weights of time and power before anything was read. Time splits evenly
    /// over the knobs, power leaves half to what no knob changes. A batch doubles about half of
    /// the time and hardly moves power.
    fn priors(&self, several: bool) -> [Vec<Weight>; 2] {
        let knobs = self.levels.len();
        let split = |constant: f64, share: f64, deviation: f64| {
            let rest = (1.0 - constant) / knobs as f64;
            let means = std::iter::once(constant).chain(std::iter::repeat_n(rest, knobs));
            means.map(move |mean| Weight { mean: mean * share, deviation })
        };
        if several {
            let halves = |constant, [one, each]: [(f64, f64); 2]| {
                split(constant, one.0, one.1).chain(split(constant, each.0, each.1)).collect()
            };
            [halves(0.2, [(0.5, 0.25); 2]), halves(0.4, [(1.0, 0.15), (0.0, 0.05)])]
        } else {
            [split(0.2, 1.0, 0.35).collect(), split(0.4, 1.0, 0.15).collect()]
        }
    }

    fn rough(&self, time: &Slopes, power: &Slopes) -> Rough {
        let part = |i: usize, by_time, by_power| [time.part(i, by_time), power.part(i, by_power)];
        let (mut parts, mut starts) = (Vec::new(), Vec::new());
        for (knob, levels) in self.levels.iter().enumerate() {
            starts.push(parts.len());
            parts.extend(levels.iter().map(|level| part(knob + 1, level.time, level.power)));
        }
        let (constant, least) = (part(0, 1.0, 1.0), [time.least(), power.least()]);
        Rough { parts, starts, constant, least }
    }

    /// The surfaces of a role, one a batch size.
    pub(super) fn surfaces(&self, role: Role) -> &[Surface] {
        match role {
            Role::Background => &self.background,
            Role::Urgent => &self.urgent,
        }
    }

    /// What a minibatch of a role would take and draw.
    pub(super) fn minibatch(&self, role: Role, batch: BatchSize, view: &View) -> Option<Minibatch> {
        let surface = self.surfaces(role).iter().find(|surface| surface.batch == batch)?;
        let mut time = surface.time.forecast(&view.terms.time);
        let mut power = surface.power.forecast(&view.terms.power);
        let (mut weights, mut closest) = (0.0, 0.0f64);
        let mut shift = [0.0; 2];
        for (other, strays) in &surface.strays {
            let near = view.near[*other];
            weights += near;
            closest = closest.max(near);
            shift[0] += near * strays[0];
            shift[1] += near * strays[1];
        }
        // One reading next door is believed; far from all of them the terms stand alone.
        let denominator = weights + (1.0 - closest);
        let open = STRAY * STRAY * (1.0 - closest * closest);
        for (forecast, shift) in [(&mut time, shift[0]), (&mut power, shift[1])] {
            forecast.value *= (shift / denominator.max(1e-9)).exp();
            forecast.error = (forecast.error.powi(2) + open).sqrt();
        }
        Some(Minibatch { time, power })
    }
}

impl Surface {
    /// Time and power of a minibatch by the slopes alone, without what they do not explain, at a
    /// mode given by its place on every knob.
    pub(super) fn rough(&self, point: &[u16]) -> [f64; 2] {
        let Rough { parts, starts, constant, least } = &self.rough;
        let mut sum = *constant;
        for (start, &place) in starts.iter().zip(point) {
            let part = parts[start + usize::from(place)];
            sum = [sum[0] + part[0], sum[1] + part[1]];
        }
        [sum[0].max(least[0]), sum[1].max(least[1])]
    }
}

/// What each level of a knob contributes; the middle one's terms are 1.
fn levels_of(knob: &Knob) -> Vec<Level> {
    let middle = usize::from(knob.top() / 2);
    let levels = knob.levels();
    let amount = |i: usize| {
        if levels[0] > 0.0 {
            levels[i] / levels[middle]
        } else {
            // Levels that are no amounts count by their places.
            (i + 1) as f64 / (middle + 1) as f64
        }
    };
    let level = |i: usize| Level {
        time: 1.0 / amount(i),
        power: amount(i).powf(POWER_EXPONENT),
        place: i as f64 / f64::from(knob.top().max(1)),
    };
    (0..levels.len()).map(level).collect()
}
