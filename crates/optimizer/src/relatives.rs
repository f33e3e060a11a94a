//! What is stored of other workloads, and of the same on other boards: a search expects its own to
//! be like them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulcrum_api::v1;
use fulcrum_domain::{Measurement, ModeId, ModeSpace, Problem, Role, Setting};
use fulcrum_search::Relative;
use fulcrum_store::{
    ProfileFilter, Store, StoreError, StoredProfile, WorkloadVersion, mode_from_text,
};

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

/// A version of a workload on a kind of board: how far it is from what is searched for, then what it
/// is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Whose {
    distance: u32,
    board_model: String,
    software: String,
    workload: String,
    fingerprint: String,
}

impl Whose {
    /// Whose a profile is, seen from a workload on a board; none where it is that workload's own.
    fn seen(
        profile: &StoredProfile,
        board: &KnownBoard,
        workload: WorkloadVersion<'_>,
    ) -> Option<Self> {
        let of_workload = match () {
            () if profile.workload != workload.name => 2,
            () if profile.fingerprint != workload.fingerprint => 1,
            () => 0,
        };
        let of_board = match () {
            () if profile.board_model != board.model => 2,
            () if profile.software != board.software => 1,
            () => 0,
        };
        let distance = of_workload + of_board;
        (distance > 0).then(|| Self {
            distance,
            board_model: profile.board_model.clone(),
            software: profile.software.clone(),
            workload: profile.workload.clone(),
            fingerprint: profile.fingerprint.clone(),
        })
    }

    fn into_wire(self, kind: &str, profiles: usize) -> v1::Relative {
        v1::Relative {
            workload: self.workload,
            kind: kind.to_owned(),
            fingerprint: self.fingerprint,
            board_model: self.board_model,
            software: self.software,
            profiles: u32::try_from(profiles).unwrap_or(u32::MAX),
            distance: self.distance,
        }
    }
}

/// What is known of others for a problem on a board, and of whom.
pub(crate) async fn relatives(
    store: &Store,
    board: &KnownBoard,
    setting: &Setting,
    problem: &Problem,
) -> Result<(Arc<[Relative]>, Vec<v1::Relative>), StoreError> {
    let (mut found, mut of_whom) = (Vec::new(), Vec::new());
    for &role in problem.roles() {
        let Some(workload) = problem.workload(role) else { continue };
        let own = board.version(workload);
        let filter = ProfileFilter { kind: Some(own.kind.to_owned()), ..Default::default() };
        let (profiles, _) = store.profiles(&filter, 0, LOOKED_AT).await?;
        let highest = highest_levels(&profiles);
        let mut known: BTreeMap<Whose, Vec<_>> = BTreeMap::new();
        for profile in profiles.iter().filter(|profile| !profile.suspect) {
            let Some(whose) = Whose::seen(profile, board, own) else { continue };
            let taken = if profile.board_model == board.model {
                measured(setting, role, profile)
            } else {
                elsewhere(setting, role, profile, &highest)
            };
            let Some((measurement, Ok(reading))) = taken else { continue };
            let of = known.entry(whose).or_default();
            if of.len() < OF_ONE {
                of.push((measurement, reading));
            }
        }
        let enough = known.into_iter().filter(|(_, profiles)| profiles.len() >= AT_LEAST);
        for (whose, profiles) in enough.take(MOST) {
            of_whom.push(whose.into_wire(own.kind, profiles.len()));
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
