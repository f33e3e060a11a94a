//! The power mode that is asked for on the command line: a preset's name, or levels of knobs.

use fulcrum_api::BoardDescription;
use fulcrum_board::SensorValue;
use fulcrum_domain::{Knob, ModeId};

/// Finds the mode. Knobs that are not named stay as the board shows them.
///
/// # Errors
/// Says what is wrong and what would be right.
pub(super) fn wanted_mode(
    text: &str,
    board: &BoardDescription,
    shown: &[SensorValue],
) -> Result<ModeId, String> {
    if !text.contains('=') {
        return preset(text, board);
    }
    let knobs = board.space.knobs();
    let mut levels: Vec<Option<f64>> = vec![None; knobs.len()];
    for part in text.split(',') {
        let (name, level) = part
            .split_once('=')
            .ok_or_else(|| format!("`{part}` is no level; write it like cpu_cores=8"))?;
        let (name, level) = (name.trim(), level.trim());
        let place = knobs.iter().position(|knob| knob.name() == name).ok_or_else(|| {
            let names: Vec<&str> = knobs.iter().map(Knob::name).collect();
            format!("the board has no knob `{name}`; it has {}", names.join(", "))
        })?;
        let level = level.parse().ok().filter(|&level| knobs[place].index_of(level).is_some());
        let level = level.ok_or_else(|| not_a_level(part, &knobs[place]))?;
        if levels[place].replace(level).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    let whole: Vec<f64> = knobs
        .iter()
        .zip(levels.iter().zip(shown))
        .map(|(knob, (level, shown))| match (level, shown) {
            (Some(level), _) => Ok(*level),
            (None, Ok(shown)) if knob.index_of(*shown).is_some() => Ok(*shown),
            (None, Ok(shown)) => Err(format!(
                "{} shows {shown}, which is none of its levels; name a level for it too",
                knob.name()
            )),
            (None, Err(why)) => {
                Err(format!("{} shows nothing ({why}); name a level for it too", knob.name()))
            }
        })
        .collect::<Result<_, _>>()?;
    let missing = || "the board does not have these levels together; see `fulcrum board modes`";
    board.space.find_levels(&whole).ok_or_else(|| missing().into())
}

fn preset(name: &str, board: &BoardDescription) -> Result<ModeId, String> {
    let found = board.presets.iter().find(|preset| preset.name.eq_ignore_ascii_case(name.trim()));
    found.map(|preset| preset.mode).ok_or_else(|| {
        let names: Vec<&str> = board.presets.iter().map(|preset| preset.name.as_str()).collect();
        format!(
            "`{name}` is neither a preset ({}) nor levels like cpu_cores=8,gpu_khz=612000",
            if names.is_empty() { "the board has none".into() } else { names.join(", ") }
        )
    })
}

/// Says the levels next to the one that was typed.
fn not_a_level(part: &str, knob: &Knob) -> String {
    let typed = part.split_once('=').and_then(|(_, level)| level.trim().parse::<f64>().ok());
    let levels = knob.levels();
    let below = typed.map_or(0, |typed| levels.partition_point(|&level| level <= typed));
    let near = match below {
        0 => format!("the lowest is {}", levels[0]),
        n if n == levels.len() => format!("the highest is {}", levels[n - 1]),
        n => format!("next to it are {} and {}", levels[n - 1], levels[n]),
    };
    format!("`{}` is no level of {}; {near}", part.trim(), knob.name())
}

#[cfg(test)]
mod tests {
    use fulcrum_board::{Absence, Identity, Profiler as _, SimulatedOrin, TotalPower};

    use super::*;

    fn board() -> BoardDescription {
        let orin = SimulatedOrin::exact();
        BoardDescription {
            identity: Identity {
                kind: "simulated",
                model: "a board".into(),
                compatible: Vec::new(),
                software: String::new(),
            },
            space: orin.space().clone(),
            presets: orin.presets().to_vec(),
            sensors: Vec::new(),
            total_power: TotalPower::default(),
            offers: Vec::new(),
            generation: 0,
        }
    }

    fn find(text: &str) -> Result<String, String> {
        let board = board();
        let shown: Vec<SensorValue> = board.space.levels(board.space.highest()).map(Ok).collect();
        let mode = wanted_mode(text, &board, &shown)?;
        Ok(board.space.power_mode(mode).to_string())
    }

    #[test]
    fn a_preset_is_found_by_its_name() {
        assert_eq!(find("maxn"), find("MAXN"));
        assert!(find("MODE_X").unwrap_err().contains("MAXN"));
    }

    #[test]
    fn knobs_that_are_not_named_stay_as_the_board_shows_them() {
        let highest = find("MAXN").unwrap();
        let fewer = find("cpu_cores=4").unwrap();
        assert_eq!(fewer, highest.replace("cpu_cores=12", "cpu_cores=4"));
    }

    #[test]
    fn what_is_no_mode_is_refused_with_what_would_be_right() {
        for (text, said) in [
            ("cpu_cores=13", "the highest is 12"),
            ("cpu_cores=0", "the lowest is 1"),
            ("cpu_cores=1.5", "next to it are 1 and 2"),
            ("cpu_cores=x", "is no level of cpu_cores"),
            ("cores=4", "it has cpu_cores"),
            ("cpu_cores=4,cpu_cores=8", "given twice"),
            ("cpu_cores=4,8", "write it like cpu_cores=8"),
        ] {
            let error = find(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_knob_that_shows_nothing_has_to_be_named() {
        let board = board();
        let shown: Vec<SensorValue> =
            board.space.knobs().iter().map(|_| Err(Absence::Missing)).collect();
        let error = wanted_mode("cpu_cores=4", &board, &shown).unwrap_err();
        assert!(error.contains("name a level for it too"), "{error}");
    }
}
