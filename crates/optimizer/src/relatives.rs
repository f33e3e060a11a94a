//! What is stored of other workloads, and of the same on other boards: a search expects its own to
//! be like them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulcrum_domain::{Measurement, ModeId, ModeSpace, Problem, Role, Setting};
use fulcrum_search::Relative;
use fulcrum_store::{ProfileFilter, Store, StoreError, StoredProfile, mode_from_text};

use crate::known_board::KnownBoard;
use crate::profiles::measured;

/// So many profiles are looked at for a role.
const LOOKED_AT: i64 = 5000;
/// Of one workload on one board so many are taken: more would add little.
const OF_ONE: usize = 60;
/// With fewer its curve is hardly known.
const AT_LEAST: usize = 6;
/// So many workloads are taken for a role, the nearest first.
const MOST: usize = 8;

/// A workload on a board: how far it is from what is searched for, then what it is.
///
/// The distance is 0 on a board of the same model and software, 1 with other software, and 2 on
/// another model.
type Whose = (u8, String, String, String);

/// What is known of others for a problem on a board, and of whom, in words.
pub(crate) async fn relatives(
    store: &Store,
    board: &KnownBoard,
    setting: &Setting,
    problem: &Problem,
) -> Result<(Arc<[Relative]>, Vec<String>), StoreError> {
    let (mut found, mut of_whom) = (Vec::new(), Vec::new());
    for &role in problem.roles() {
        let Some(workload) = problem.workload(role) else { continue };
        let filter =
            ProfileFilter { kind: Some(workload.kind.as_str().to_owned()), ..Default::default() };
        let (profiles, _) = store.profiles(&filter, 0, LOOKED_AT).await?;
        let highest = highest_levels(&profiles);
        let mut known: BTreeMap<Whose, Vec<_>> = BTreeMap::new();
        for profile in &profiles {
            let is_of_model = profile.board_model == board.model;
            let is_of_software = is_of_model && profile.software == board.software;
            if profile.suspect || (is_of_software && profile.workload == *workload.name) {
                continue;
            }
            let taken = if is_of_model {
                measured(setting, role, profile)
            } else {
                elsewhere(setting, role, profile, &highest)
            };
            let Some((measurement, Ok(reading))) = taken else { continue };
            let distance = if is_of_software { 0 } else { 1 + u8::from(!is_of_model) };
            let StoredProfile { board_model, software, workload, .. } = profile.clone();
            let of = known.entry((distance, board_model, software, workload)).or_default();
            if of.len() < OF_ONE {
                of.push((measurement, reading));
            }
        }
        let enough = known.into_iter().filter(|(_, profiles)| profiles.len() >= AT_LEAST);
        for ((distance, model, _, name), profiles) in enough.take(MOST) {
            let count = profiles.len();
            of_whom.push(format!("{name} on {model}: {count} profiles at distance {distance}"));
            found.push(Relative { role, profiles });
        }
    }
    Ok((found.into(), of_whom))
}

/// The levels of a mode's text.
fn levels(text: &str) -> impl Iterator<Item = (&str, f64)> {
    text.split_whitespace().filter_map(|pair| {
        let (knob, level) = pair.split_once('=')?;
        Some((knob, level.parse().ok()?))
    })
}

/// The highest level of each knob that was measured on each model of boards. A search begins with
/// the highest mode, so these are the highest that there are.
fn highest_levels(profiles: &[StoredProfile]) -> BTreeMap<(&str, &str), f64> {
    let mut highest = BTreeMap::new();
    for profile in profiles {
        for (knob, level) in levels(&profile.mode) {
            let most = highest.entry((profile.board_model.as_str(), knob)).or_insert(level);
            *most = level.max(*most);
        }
    }
    highest
}

/// A profile of another model of boards: taken at the mode here whose levels are the nearest to the
/// same shares of the highest ones.
fn elsewhere(
    setting: &Setting,
    role: Role,
    profile: &StoredProfile,
    highest: &BTreeMap<(&str, &str), f64>,
) -> Option<(Measurement, fulcrum_domain::Reading)> {
    let shares: BTreeMap<&str, f64> = levels(&profile.mode)
        .map(|(knob, level)| {
            let most = highest.get(&(profile.board_model.as_str(), knob))?;
            Some((knob, level / most))
        })
        .collect::<Option<_>>()?;
    let mode = at_shares(&setting.space, &shares)?;
    let here =
        StoredProfile { mode: fulcrum_store::mode_text(&setting.space, mode), ..profile.clone() };
    let (measurement, reading) = measured(setting, role, &here)?;
    debug_assert_eq!(mode_from_text(&setting.space, &here.mode), Some(measurement.mode));
    Some((measurement, reading))
}

/// The mode whose levels are the nearest to these shares of the highest; none where the knobs have
/// other names, or there is a hole.
fn at_shares(space: &ModeSpace, shares: &BTreeMap<&str, f64>) -> Option<ModeId> {
    let point: Vec<u16> = space
        .knobs()
        .iter()
        .map(|knob| {
            let share = shares.get(knob.name())?;
            let wanted = share * knob.levels().last()?;
            let off = |level: f64| (level - wanted).abs();
            let nearest = (0..knob.levels().len())
                .min_by(|&a, &b| off(knob.levels()[a]).total_cmp(&off(knob.levels()[b])));
            u16::try_from(nearest?).ok()
        })
        .collect::<Option<_>>()?;
    space.find(&point).filter(|_| shares.len() == space.knobs().len())
}
