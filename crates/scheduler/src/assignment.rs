//! Which board has which job.

use std::collections::{BTreeMap, HashMap};

/// What boards are chosen by.
pub type Labels = BTreeMap<String, String>;

/// A board that may have a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its labels.
    pub labels: Labels,
    /// The job that it has, by its place among the jobs.
    pub has: Option<usize>,
}

/// What a job asks of boards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Its boards have all of these.
    pub labels: Labels,
    /// It wants at most so many; all where there is none.
    pub count: Option<usize>,
}

/// Gives boards to jobs: for each board the place of its job, if it gets one.
///
/// A board has one job at most, and each job's boards have all of its labels. A board stays with the
/// job that it has as long as that job wants it, so that nothing moves without need; what is left
/// goes to the jobs in their order. A job that comes later takes no board from an earlier one, nor
/// the other way round.
pub fn assign(boards: &[Candidate], jobs: &[Need]) -> Vec<Option<usize>> {
    let mut given: Vec<Option<usize>> = vec![None; boards.len()];
    let mut open: Vec<usize> = jobs.iter().map(|job| job.count.unwrap_or(usize::MAX)).collect();
    for (place, board) in boards.iter().enumerate() {
        let Some(job) = board.has.filter(|&job| job < jobs.len()) else { continue };
        if open[job] > 0 && matches(board, &jobs[job]) {
            given[place] = Some(job);
            open[job] -= 1;
        }
    }
    let with_label = by_label(boards);
    let all: Vec<usize> = (0..boards.len()).collect();
    for (job, need) in jobs.iter().enumerate() {
        // The label that the fewest boards have leaves the fewest to look at.
        let of_label = |label| with_label.get(&label).map_or(&[][..], Vec::as_slice);
        let fewest = need.labels.iter().map(of_label).min_by_key(|boards| boards.len());
        for &place in fewest.unwrap_or(&all) {
            if open[job] == 0 {
                break;
            }
            if given[place].is_none() && matches(&boards[place], need) {
                given[place] = Some(job);
                open[job] -= 1;
            }
        }
    }
    given
}

fn matches(board: &Candidate, job: &Need) -> bool {
    job.labels.iter().all(|(name, value)| board.labels.get(name) == Some(value))
}

fn by_label(boards: &[Candidate]) -> HashMap<(&String, &String), Vec<usize>> {
    let mut found: HashMap<_, Vec<usize>> = HashMap::new();
    for (place, board) in boards.iter().enumerate() {
        for label in &board.labels {
            found.entry(label).or_default().push(place);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn labels() -> impl Strategy<Value = Labels> {
        btree_map("[ab]", "[xy]", 0..3)
    }

    fn fleet() -> impl Strategy<Value = (Vec<Candidate>, Vec<Need>)> {
        let board = (labels(), option::of(0usize..5));
        let board = board.prop_map(|(labels, has)| Candidate { labels, has });
        let job = (labels(), option::of(0usize..4));
        let job = job.prop_map(|(labels, count)| Need { labels, count });
        (vec(board, 0..12), vec(job, 0..5))
    }

    proptest! {
        #[test]
        fn boards_fit_their_jobs_and_no_job_has_too_many((boards, jobs) in fleet()) {
            let given = assign(&boards, &jobs);
            for (job, need) in jobs.iter().enumerate() {
                let own: Vec<_> = boards.iter().zip(&given).filter(|(_, g)| **g == Some(job)).collect();
                prop_assert!(own.iter().all(|(board, _)| matches(board, need)));
                prop_assert!(need.count.is_none_or(|count| own.len() <= count));
            }
        }

        #[test]
        fn no_board_idles_that_a_job_wants((boards, jobs) in fleet()) {
            let given = assign(&boards, &jobs);
            for (job, need) in jobs.iter().enumerate() {
                let has = given.iter().filter(|g| **g == Some(job)).count();
                let wants_more = need.count.is_none_or(|count| has < count);
                let free = boards.iter().zip(&given).any(|(b, g)| g.is_none() && matches(b, need));
                prop_assert!(!(wants_more && free));
            }
        }

        #[test]
        fn what_was_given_stays((boards, jobs) in fleet()) {
            let given = assign(&boards, &jobs);
            let then: Vec<_> = boards
                .iter()
                .zip(&given)
                .map(|(board, has)| Candidate { has: *has, ..board.clone() })
                .collect();
            prop_assert_eq!(assign(&then, &jobs), given);
        }

        #[test]
        fn a_new_job_takes_nothing_away((boards, jobs) in fleet(), (labels, count) in
            (labels(), option::of(0usize..4)))
        {
            let before = assign(&boards, &jobs);
            let then: Vec<_> = boards
                .iter()
                .zip(&before)
                .map(|(board, has)| Candidate { has: *has, ..board.clone() })
                .collect();
            let mut more = jobs;
            more.push(Need { labels, count });
            let after = assign(&then, &more);
            for (before, after) in before.iter().zip(after) {
                prop_assert!(before.is_none() || *before == after);
            }
        }
    }
}
