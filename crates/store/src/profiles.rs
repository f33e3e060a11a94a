//! Profiles: what was measured, once for every fleet.

use std::collections::HashSet;

use fulcrum_domain::{ModeId, ModeSpace};
use serde::{Deserialize, Serialize};
use sqlx::QueryBuilder;

use crate::database::{Store, with_database};
use crate::error::StoreError;
use crate::requests::{Asked, is_new};
use crate::revisions::PROFILES_CHANGED;

/// A profile, or that there is none, with where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct StoredProfile {
    /// What tells equal boards: `p3701-0005`.
    pub board_model: String,
    /// The software that decides how it behaves: `L4T 36.4.3`.
    pub software: String,
    /// The network's name.
    pub workload: String,
    /// `train` or `infer`.
    pub kind: String,
    /// What tells one version of a workload from another; empty where nothing does.
    #[serde(default)]
    pub fingerprint: String,
    /// The power mode: levels by knob, as [`mode_text`] writes them.
    pub mode: String,
    /// Samples or requests in a minibatch.
    pub batch_size: i64,
    /// Median time of a minibatch, in seconds; none where it failed.
    pub minibatch_seconds: Option<f64>,
    /// Mean power meanwhile, in watts; none where it failed.
    pub power_watts: Option<f64>,
    /// By how far, as a share, another measurement may differ.
    #[serde(default)]
    pub relative_error: f64,
    /// Why there is no time and no power.
    #[serde(default)]
    pub failure: Option<String>,
    /// The hottest part meanwhile, in degrees Celsius, where it is known.
    #[serde(default)]
    pub peak_temperature_celsius: Option<f64>,
    /// Who measured it: a board's name, or a file's.
    #[serde(default)]
    pub measured_by: String,
    /// When, in milliseconds since 1970.
    #[serde(default)]
    pub measured_at_ms: i64,
    /// Whether something seen since contradicts it.
    #[serde(default)]
    pub suspect: bool,
}

/// Which profiles. What is left out takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFilter {
    /// Of this kind of board.
    pub board_model: Option<String>,
    /// Under this software.
    pub software: Option<String>,
    /// Of this workload.
    pub workload: Option<String>,
    /// `train` or `infer`.
    pub kind: Option<String>,
    /// Of this version of the workload.
    pub fingerprint: Option<String>,
}

const COLUMNS: &str = "board_model, software, workload, kind, fingerprint, mode, batch_size, \
    minibatch_seconds, power_watts, relative_error, failure, peak_temperature_celsius, \
    measured_by, measured_at_ms, suspect";
/// SQLite takes 32,766 values in one statement, Postgres 65,535; a profile has 15.
const ROWS_A_STATEMENT: usize = 2000;

impl Store {
    /// Keeps profiles, all of them or none. A later one of the same workload, mode and batch size
    /// replaces the earlier, and is not suspect.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn add_profiles(&self, profiles: &[StoredProfile]) -> Result<(), StoreError> {
        // One statement must not name a row twice.
        let mut named = HashSet::new();
        let latest = profiles.iter().rev().filter(|profile| named.insert(profile.key()));
        let mut rows: Vec<&StoredProfile> = latest.collect();
        rows.reverse();
        with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            for chunk in rows.chunks(ROWS_A_STATEMENT) {
                let mut query =
                    QueryBuilder::new(format!("INSERT INTO profiles ({COLUMNS}) "));
                query.push_values(chunk, |mut row, profile| {
                    row.push_bind(&profile.board_model)
                        .push_bind(&profile.software)
                        .push_bind(&profile.workload)
                        .push_bind(&profile.kind)
                        .push_bind(&profile.fingerprint)
                        .push_bind(&profile.mode)
                        .push_bind(profile.batch_size)
                        .push_bind(profile.minibatch_seconds)
                        .push_bind(profile.power_watts)
                        .push_bind(profile.relative_error)
                        .push_bind(&profile.failure)
                        .push_bind(profile.peak_temperature_celsius)
                        .push_bind(&profile.measured_by)
                        .push_bind(profile.measured_at_ms)
                        .push_bind(profile.suspect);
                });
                query.push(
                    " ON CONFLICT (board_model, software, workload, kind, fingerprint, mode, \
                     batch_size) DO UPDATE SET minibatch_seconds = excluded.minibatch_seconds, \
                     power_watts = excluded.power_watts, \
                     relative_error = excluded.relative_error, failure = excluded.failure, \
                     peak_temperature_celsius = excluded.peak_temperature_celsius, \
                     measured_by = excluded.measured_by, \
                     measured_at_ms = excluded.measured_at_ms, suspect = excluded.suspect",
                );
                query.build().execute(&mut *transaction).await?;
            }
            sqlx::query(PROFILES_CHANGED).execute(&mut *transaction).await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Profiles in the order in which they were first kept, after the one with this id; gives the id
    /// of the last, to go on from.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn profiles(
        &self,
        filter: &ProfileFilter,
        after: i64,
        most: i64,
    ) -> Result<(Vec<StoredProfile>, Option<i64>), StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: i64,
            #[sqlx(flatten)]
            profile: StoredProfile,
        }
        let rows: Vec<Row> = with_database!(self, pool => {
            let mut query = QueryBuilder::new(format!("SELECT id, {COLUMNS} FROM profiles WHERE id > "));
            query.push_bind(after);
            let wanted = [
                ("board_model", &filter.board_model),
                ("software", &filter.software),
                ("workload", &filter.workload),
                ("kind", &filter.kind),
                ("fingerprint", &filter.fingerprint),
            ];
            for (column, value) in wanted {
                if let Some(value) = value {
                    query.push(format!(" AND {column} = ")).push_bind(value);
                }
            }
            query.push(" ORDER BY id LIMIT ").push_bind(most);
            query.build_query_as().fetch_all(pool).await?
        });
        let last = rows.last().filter(|_| i64::try_from(rows.len()) == Ok(most)).map(|row| row.id);
        Ok((rows.into_iter().map(|row| row.profile).collect(), last))
    }

    /// All profiles of a kind.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn all_profiles(
        &self,
        filter: &ProfileFilter,
    ) -> Result<Vec<StoredProfile>, StoreError> {
        Ok(self.profiles(filter, 0, i64::from(i32::MAX)).await?.0)
    }

    /// Something seen contradicts the profiles of a workload at a mode, or at all modes where it is
    /// empty: they are not believed until they were measured again, and the fronts that were built
    /// of them are gone. Gives how many there are. A request that was taken before changes nothing:
    /// they may have been measured since.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn suspect_profiles(
        &self,
        board_model: &str,
        (workload, kind): (&str, &str),
        mode: &str,
        asked: Asked<'_>,
    ) -> Result<u64, StoreError> {
        let suspect = "UPDATE profiles SET suspect = $1 \
                       WHERE board_model = $2 AND workload = $3 AND kind = $4 \
                       AND (mode = $5 OR $5 = '')";
        let forget =
            "DELETE FROM fronts WHERE board_model = $1 AND (background = $2 OR urgent = $3)";
        // As fronts are kept by: background with its kind, urgent inference by its name.
        let background = format!("{workload} {kind}");
        // No workload has that name: an empty one would be that of fronts without an urgent inference.
        let urgent = if kind == "infer" { workload } else { "\u{1}" };
        Ok(with_database!(self, pool => {
            let mut transaction = pool.begin().await?;
            if !is_new!(transaction, asked, workload) {
                return Ok(0);
            }
            let query = sqlx::query(suspect).bind(true).bind(board_model).bind(workload);
            let query = query.bind(kind).bind(mode);
            let suspected = query.execute(&mut *transaction).await?.rows_affected();
            if suspected > 0 {
                let query = sqlx::query(forget).bind(board_model).bind(background);
                query.bind(urgent).execute(&mut *transaction).await?;
                sqlx::query(PROFILES_CHANGED).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            suspected
        }))
    }
}

impl StoredProfile {
    fn key(&self) -> (&str, &str, &str, &str, &str, &str, i64) {
        (
            &self.board_model,
            &self.software,
            &self.workload,
            &self.kind,
            &self.fingerprint,
            &self.mode,
            self.batch_size,
        )
    }
}

/// A power mode as it is kept: `cpu_cores=8 cpu_khz=1420800`.
pub fn mode_text(space: &ModeSpace, mode: ModeId) -> String {
    space.power_mode(mode).to_string()
}

/// The mode of a space that a text names; none where the space has no such mode.
pub fn mode_from_text(space: &ModeSpace, text: &str) -> Option<ModeId> {
    let named: Vec<(&str, f64)> = text
        .split_whitespace()
        .map(|pair| {
            let (name, level) = pair.split_once('=')?;
            Some((name, level.parse().ok()?))
        })
        .collect::<Option<_>>()?;
    let level = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, l)| *l);
    let levels: Option<Vec<f64>> = space.knobs().iter().map(|knob| level(knob.name())).collect();
    space.find_levels(&levels?).filter(|_| named.len() == space.knobs().len())
}
