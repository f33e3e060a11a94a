//! The rows of profile tables as they are read: names and levels told apart once, and then
//! numbers.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use fulcrum_domain::{BatchSize, Profile, Workload, WorkloadKind};

use crate::profile_table::ProfileTable;
use crate::table_error::{TableError, TableProblem, shown};
use crate::table_levels::{Levels, Ranking};

/// One profile.
#[derive(Debug, Clone, Copy)]
struct Row {
    workload: u32,
    /// Where its mode stands among all combinations of the knobs' levels; known at the end.
    rank: u32,
    batch_size: BatchSize,
    file: u32,
    line: u64,
    profile: Profile,
}

impl Row {
    fn key(&self) -> (u32, u32, BatchSize) {
        (self.workload, self.rank, self.batch_size)
    }

    fn place(&self) -> (u32, u64) {
        (self.file, self.line)
    }
}

/// All rows so far, of all files.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    all: Vec<Row>,
    /// The numbers of each row's levels, one after another.
    levels: Vec<u16>,
    files: Vec<String>,
    workloads: Vec<Workload>,
    workload_numbers: HashMap<(WorkloadKind, Arc<str>), u32>,
}

impl Rows {
    /// Room for so many rows more.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.all.reserve(rows);
    }

    /// Begins a file; the rows that follow are its.
    pub(crate) fn begin_file(&mut self, name: &str) {
        self.files.push(name.to_owned());
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The number of a workload, by the texts of its two columns; none if the kind is unknown.
    pub(crate) fn workload(&mut self, name: &str, kind: &str) -> Option<u32> {
        // Rows of one workload mostly follow one another.
        if let Some(last) = self.all.last() {
            let workload = &self.workloads[last.workload as usize];
            if &*workload.name == name && workload.kind.as_str() == kind {
                return Some(last.workload);
            }
        }
        let kind = WorkloadKind::from_str(kind).ok()?;
        let name: Arc<str> = name.into();
        let next = self.workloads.len() as u32;
        let number = *self.workload_numbers.entry((kind, name.clone())).or_insert(next);
        if number == next {
            self.workloads.push(Workload { name, kind });
        }
        Some(number)
    }

    /// Adds a row of the file begun last; its mode by the numbers of its levels.
    pub(crate) fn push(
        &mut self,
        line: u64,
        workload: u32,
        levels: &[u16],
        batch_size: BatchSize,
        profile: Profile,
    ) {
        let file = self.files.len().saturating_sub(1) as u32;
        self.levels.extend_from_slice(levels);
        self.all.push(Row { workload, rank: 0, batch_size, file, line, profile });
    }

    /// The table of all rows.
    ///
    /// # Errors
    /// When two rows are of the same measurement, or the knobs span too many modes.
    pub(crate) fn into_table(
        mut self,
        device: &str,
        names: &[String],
        levels: &[Levels],
    ) -> Result<ProfileTable, TableError> {
        let too_many = || {
            let file = self.files.first().map_or("", String::as_str);
            TableError::in_line(file, 1, TableProblem::TooManyModes)
        };
        let ranking = Ranking::of(levels).ok_or_else(too_many)?;
        for (row, levels) in self.all.iter_mut().zip(self.levels.chunks_exact(names.len())) {
            row.rank = ranking.rank(levels);
        }
        self.levels = Vec::new();
        // Stable, so that of two rows with the same key the one read first stays first.
        self.all.sort_by_key(Row::key);
        let repeated = self.all.windows(2).filter(|pair| pair[0].key() == pair[1].key());
        if let Some(pair) = repeated.min_by_key(|pair| pair[1].place()) {
            let file = |row: &Row| self.files[row.file as usize].as_str();
            let first = TableProblem::Duplicate { file: shown(file(&pair[0])), line: pair[0].line };
            return Err(TableError::in_line(file(&pair[1]), pair[1].line, first));
        }
        let mut ranks: Vec<u32> = self.all.iter().map(|row| row.rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let space = ranking.space(names, &ranks).map_err(|_| too_many())?;
        let groups = self.all.chunk_by(|a, b| a.workload == b.workload).map(|rows| {
            let workload = self.workloads[rows[0].workload as usize].clone();
            let mut place = 0;
            let profiles = rows.iter().filter_map(|row| {
                // The rows are sorted: mostly it is the same mode again, or the next.
                let near = (place..place + 2).find(|&near| ranks.get(near) == Some(&row.rank));
                place = near.or_else(|| ranks.binary_search(&row.rank).ok())?;
                // Modes are numbered in the order of their ranks.
                let mode = space.id(place)?;
                Some(((mode, row.batch_size), row.profile))
            });
            let mut all = Vec::with_capacity(rows.len());
            all.extend(profiles);
            (workload, all)
        });
        let groups = groups.collect();
        Ok(ProfileTable::of_sorted(device, Arc::new(space), groups))
    }
}
