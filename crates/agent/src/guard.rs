//! The guards: a board that gets too hot or draws too much has to step down.
//!
//! They look at what the sensors say, never at what a mode's name promises, and only ever step
//! down. A sensor without a value says nothing either way.

use std::time::Duration;

use fulcrum_board::{Moment, Quantity, Sample, Sensor};
use fulcrum_domain::{ModeId, ModeSpace};

/// What the guards step down for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardLimits {
    /// The hottest that any part may be, in degrees Celsius.
    pub temperature_celsius: Option<f64>,
    /// The most that the board may draw, in watts.
    pub power_watts: Option<f64>,
    /// How long it has to be over a limit.
    pub hold: Duration,
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self { temperature_celsius: Some(95.0), power_watts: None, hold: Duration::from_secs(1) }
    }
}

/// What a guard wants.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDown {
    /// The mode to set; the present one where there is none lower.
    pub mode: ModeId,
    /// Why.
    pub reason: String,
}

/// Looks at samples.
#[derive(Debug)]
pub struct Guard {
    limits: GuardLimits,
    /// Since when a limit has been broken.
    since: Option<Moment>,
    /// Whether it was said that there is no lower mode.
    at_the_end: bool,
}

impl Guard {
    /// Guards for these limits.
    pub fn new(limits: GuardLimits) -> Self {
        Self { limits, since: None, at_the_end: false }
    }

    /// Whether to step down from a mode, by a sample.
    pub fn look(
        &mut self,
        sensors: &[Sensor],
        sample: &Sample,
        space: &ModeSpace,
        mode: ModeId,
        now: Moment,
    ) -> Option<StepDown> {
        let Some(reason) = self.broken(sensors, sample) else {
            self.since = None;
            self.at_the_end = false;
            return None;
        };
        let since = *self.since.get_or_insert(now);
        if now.since(since) < self.limits.hold {
            return None;
        }
        // The next step waits as long again, so that this one can show.
        self.since = Some(now);
        match lower(space, mode) {
            Some(mode) => Some(StepDown { mode, reason }),
            None if self.at_the_end => None,
            None => {
                self.at_the_end = true;
                Some(StepDown { mode, reason: format!("{reason}, and there is no lower mode") })
            }
        }
    }

    /// Which limit is broken, in words.
    fn broken(&self, sensors: &[Sensor], sample: &Sample) -> Option<String> {
        let hottest = sensors
            .iter()
            .zip(&sample.values)
            .filter(|(sensor, _)| sensor.quantity == Quantity::Temperature)
            .filter_map(|(sensor, value)| Some((sensor, *value.as_ref().ok()?)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let (Some((sensor, celsius)), Some(limit)) = (hottest, self.limits.temperature_celsius)
            && celsius > limit
        {
            return Some(format!("{} at {celsius:.1}C is over {limit}C", sensor.part));
        }
        if let (Ok(watts), Some(limit)) = (&sample.total_power, self.limits.power_watts)
            && *watts > limit
        {
            return Some(format!("{watts:.1}W drawn is over {limit}W"));
        }
        None
    }
}

/// The next lower mode: every clock one level lower, or, where they are all at their lowest, every
/// other knob. In a space with holes, the highest of the modes that are nowhere higher than that.
fn lower(space: &ModeSpace, mode: ModeId) -> Option<ModeId> {
    let point = space.point(mode);
    let is_clock = |k: usize| space.knobs()[k].name().ends_with("_khz");
    let stepped = |clocks: bool| -> Vec<u16> {
        let step = |(k, &place): (usize, &u16)| {
            if is_clock(k) == clocks { place.saturating_sub(1) } else { place }
        };
        point.iter().enumerate().map(step).collect()
    };
    for target in [stepped(true), stepped(false)] {
        if target == point {
            continue;
        }
        if let Some(found) = space.find(&target) {
            return Some(found);
        }
        let within = |id: &ModeId| space.point(*id).iter().zip(&target).all(|(a, b)| a <= b);
        let height = |id: &ModeId| space.point(*id).iter().map(|&p| u32::from(p)).sum::<u32>();
        if let Some(found) = space.ids().filter(within).max_by_key(height) {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use fulcrum_board::Absence;
    use fulcrum_domain::Knob;
    use proptest::prelude::*;

    use super::*;

    fn space() -> ModeSpace {
        let knob = |name: &str| Knob::new(name, [1.0, 2.0, 3.0]).unwrap();
        ModeSpace::full_grid(vec![knob("cpu_cores"), knob("cpu_khz"), knob("gpu_khz")]).unwrap()
    }

    fn sensors() -> Vec<Sensor> {
        vec![Sensor { part: "tj".into(), quantity: Quantity::Temperature, refresh: None }]
    }

    fn sample(celsius: Result<f64, Absence>, watts: Result<f64, Absence>) -> Sample {
        Sample { at: Moment::START, values: vec![celsius], total_power: watts }
    }

    fn at(millis: u64) -> Moment {
        Moment::after(Duration::from_millis(millis))
    }

    #[test]
    fn a_spike_is_let_pass_and_heat_that_lasts_is_not() {
        let space = space();
        let mut guard = Guard::new(GuardLimits::default());
        let hot = sample(Ok(96.0), Err(Absence::Missing));
        let cool = sample(Ok(60.0), Err(Absence::Missing));
        let mut look =
            |sample: &Sample, now| guard.look(&sensors(), sample, &space, space.highest(), at(now));
        assert_eq!(look(&hot, 0), None);
        assert_eq!(look(&cool, 900), None);
        assert_eq!(look(&hot, 1_000), None);
        let step = look(&hot, 2_000).unwrap();
        assert_eq!(step.reason, "tj at 96.0C is over 95C");
        assert_eq!(space.point(step.mode), [2, 1, 1]);
        assert_eq!(look(&hot, 2_500), None);
        assert!(look(&hot, 3_000).is_some());
    }

    #[test]
    fn the_lowest_mode_says_so_once() {
        let space = space();
        let limits =
            GuardLimits { power_watts: Some(10.0), hold: Duration::ZERO, ..Default::default() };
        let mut guard = Guard::new(limits);
        let hungry = sample(Err(Absence::Gated), Ok(11.0));
        let mut look = |now| guard.look(&sensors(), &hungry, &space, space.lowest(), at(now));
        let said = look(0).unwrap();
        assert_eq!(said.mode, space.lowest());
        assert!(said.reason.ends_with("and there is no lower mode"), "{}", said.reason);
        assert_eq!(look(1), None);
    }

    proptest! {
        #[test]
        fn a_guard_never_steps_up_and_ends_at_the_lowest(start in 0..27usize) {
            let space = space();
            let mut mode = space.id(start).unwrap();
            let mut steps = 0;
            while let Some(next) = lower(&space, mode) {
                prop_assert!(space.at_most(next, mode) && next != mode);
                mode = next;
                steps += 1;
                prop_assert!(steps <= 4);
            }
            prop_assert_eq!(mode, space.lowest());
        }

        #[test]
        fn a_sensor_without_a_value_never_makes_a_step(times in prop::collection::vec(0..5_000u64, 1..20)) {
            let space = space();
            let mut guard = Guard::new(GuardLimits { power_watts: Some(1.0), ..Default::default() });
            let silent = sample(Err(Absence::Gated), Err(Absence::Denied));
            let mut now = 0;
            for time in times {
                now += time;
                prop_assert_eq!(guard.look(&sensors(), &silent, &space, space.highest(), at(now)), None);
            }
        }
    }
}
