//! The power modes that vendors ship under names.

use fulcrum_domain::{ModeId, ModeSpace};

use crate::profiler::Preset;

/// A vendor's power mode: for some knobs the highest level that it allows. What it does not name
/// is not capped.
struct Caps {
    name: &'static str,
    caps: &'static [(&'static str, f64)],
}

/// NVIDIA's power modes of the Jetson AGX Orin 64GB. GPU clocks are those of recent releases.
const ORIN_AGX: &[Caps] = &[
    Caps {
        name: "15W",
        caps: &[
            ("cpu_cores", 4.0),
            ("cpu_khz", 1_113_600.0),
            ("gpu_khz", 408_000.0),
            ("mem_khz", 2_133_000.0),
        ],
    },
    Caps {
        name: "30W",
        caps: &[("cpu_cores", 8.0), ("cpu_khz", 1_728_000.0), ("gpu_khz", 612_000.0)],
    },
    Caps {
        name: "50W",
        caps: &[("cpu_cores", 12.0), ("cpu_khz", 1_497_600.0), ("gpu_khz", 816_000.0)],
    },
    MAXN,
];

const MAXN: Caps = Caps { name: "MAXN", caps: &[] };

/// The vendor's power modes of a device, from the smallest to the largest, each as the highest
/// mode of the space within its caps, or the nearest where no mode is within them. Of a device
/// that is not known here there is just the highest mode, as MAXN.
pub fn presets(device: &str, space: &ModeSpace) -> Vec<Preset> {
    let known: &[Caps] = match device {
        "orin-agx" | "simulated-orin-agx" => ORIN_AGX,
        _ => &[MAXN],
    };
    known
        .iter()
        .map(|preset| Preset { name: preset.name.to_owned(), mode: highest_within(preset, space) })
        .collect()
}

fn highest_within(preset: &Caps, space: &ModeSpace) -> ModeId {
    let point: Vec<u16> = space
        .knobs()
        .iter()
        .map(|knob| {
            let cap = preset.caps.iter().find(|(name, _)| *name == knob.name());
            let cap = cap.map_or(f64::INFINITY, |(_, cap)| *cap);
            knob.levels().partition_point(|&level| level <= cap).saturating_sub(1) as u16
        })
        .collect();
    if let Some(mode) = space.find(&point) {
        return mode;
    }
    // The corner is a hole: the nearest to it, within the caps if there is one.
    let within = |mode: &ModeId| space.point(*mode).iter().zip(&point).all(|(a, b)| a <= b);
    let distance = |mode: ModeId| -> f64 {
        let places = space.knobs().iter().zip(space.point(mode).iter().zip(&point));
        places
            .map(|(knob, (&a, &b))| {
                ((f64::from(a) - f64::from(b)) / f64::from(knob.top().max(1))).powi(2)
            })
            .sum()
    };
    space
        .ids()
        .filter(within)
        .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
        .unwrap_or_else(|| space.nearest(&point))
}

#[cfg(test)]
mod tests {
    use fulcrum_domain::Knob;

    use super::*;

    fn levels_of(space: &ModeSpace, device: &str) -> Vec<(String, Vec<f64>)> {
        let presets = presets(device, space).into_iter();
        presets.map(|preset| (preset.name, space.levels(preset.mode).collect())).collect()
    }

    fn knob(name: &str, levels: &[f64]) -> Knob {
        Knob::new(name, levels.iter().copied()).unwrap()
    }

    #[test]
    fn a_preset_is_the_highest_mode_within_its_caps() {
        let space = ModeSpace::full_grid(vec![
            knob("gpu_khz", &[306_000.0, 408_000.0, 612_000.0, 1_300_500.0]),
            knob("cpu_cores", &[4.0, 8.0, 12.0]),
        ])
        .unwrap();
        let expected = [
            ("15W", [408_000.0, 4.0]),
            ("30W", [612_000.0, 8.0]),
            ("50W", [612_000.0, 12.0]),
            ("MAXN", [1_300_500.0, 12.0]),
        ];
        let expected = expected.map(|(name, levels)| (name.to_owned(), levels.to_vec()));
        assert_eq!(levels_of(&space, "orin-agx"), expected);
        assert_eq!(levels_of(&space, "another"), expected[3..]);
    }

    #[test]
    fn a_hole_is_answered_by_the_nearest_mode_within_the_caps() {
        let names = ["cpu_cores".to_owned(), "gpu_khz".to_owned()];
        let rows = [[4.0, 306_000.0], [8.0, 408_000.0], [12.0, 1_300_500.0]];
        let space = ModeSpace::from_modes(&names, &rows).unwrap();
        let presets = levels_of(&space, "orin-agx");
        assert_eq!(presets[0].1, rows[0], "four cores at 408 MHz is a hole");
    }

    #[test]
    fn where_nothing_is_within_the_caps_the_nearest_mode_stands_in() {
        let space = ModeSpace::full_grid(vec![knob("cpu_cores", &[10.0, 12.0])]).unwrap();
        assert_eq!(levels_of(&space, "orin-agx")[0].1, [10.0]);
    }
}
