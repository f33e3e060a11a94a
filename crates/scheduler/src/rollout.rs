//! Changing a job on its boards step by step.

/// A board has kept its budgets after this many windows in a row.
pub const KEPT_WINDOWS: u32 = 5;

/// How far a board is with the latest change of its job.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Whether it was told to change.
    pub told: bool,
    /// For how many windows it has kept its budgets since.
    pub kept: u32,
    /// How it breaks them, if it does.
    pub breaks: Option<String>,
}

/// What may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// For each board, whether it may have the change.
    pub may: Vec<bool>,
    /// Why no further board is changed, if that is so.
    pub halted: Option<String>,
}

/// The next step: one board first, then `at_a_time`, each only after those before have kept their
/// budgets for [`KEPT_WINDOWS`]; none any more as soon as one breaks them. All at once where
/// `at_a_time` is 0.
pub fn next(boards: &[Progress], at_a_time: usize) -> Step {
    if at_a_time == 0 {
        return Step { may: vec![true; boards.len()], halted: None };
    }
    let mut may: Vec<bool> = boards.iter().map(|board| board.told).collect();
    if let Some(reason) = boards.iter().filter(|board| board.told).find_map(|b| b.breaks.clone()) {
        return Step { may, halted: Some(reason) };
    }
    let has_kept = |board: &&Progress| board.told && board.kept >= KEPT_WINDOWS;
    let kept = boards.iter().filter(has_kept).count();
    let changing = boards.iter().filter(|board| board.told).count() - kept;
    let limit = if kept == 0 { 1 } else { at_a_time };
    let mut more = limit.saturating_sub(changing);
    for may in &mut may {
        if !*may && more > 0 {
            *may = true;
            more -= 1;
        }
    }
    Step { may, halted: None }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn progress() -> impl Strategy<Value = Progress> {
        (any::<bool>(), 0..8u32).prop_map(|(told, kept)| Progress {
            told,
            kept: if told { kept } else { 0 },
            breaks: None,
        })
    }

    proptest! {
        #[test]
        fn no_more_change_at_a_time_than_may(boards in vec(progress(), 0..12), most in 1..5usize) {
            let changing = |b: &Progress| b.told && b.kept < KEPT_WINDOWS;
            let before = boards.iter().filter(|b| changing(b)).count();
            let step = next(&boards, most);
            let new = boards.iter().zip(&step.may).filter(|(b, may)| !b.told && **may).count();
            prop_assert!(new == 0 || before + new <= most);
            let none_kept = !boards.iter().any(|b| b.kept >= KEPT_WINDOWS);
            prop_assert!(!none_kept || before + new <= 1 || new == 0);
        }

        #[test]
        fn whoever_was_told_stays_told(boards in vec(progress(), 0..12), most in 0..5usize) {
            let step = next(&boards, most);
            prop_assert!(boards.iter().zip(&step.may).all(|(b, may)| !b.told || *may));
        }

        #[test]
        fn where_all_keep_their_budgets_all_are_changed(count in 0..12usize, most in 0..5usize) {
            let mut boards = vec![Progress::default(); count];
            for _ in 0..=count {
                let step = next(&boards, most);
                for (board, may) in boards.iter_mut().zip(step.may) {
                    *board = Progress { told: may, kept: KEPT_WINDOWS, breaks: None };
                }
            }
            prop_assert!(boards.iter().all(|board| board.told));
        }

        #[test]
        fn one_that_breaks_its_budgets_stops_it(
            boards in vec(progress(), 1..12), place in 0..12usize, most in 1..5usize)
        {
            let mut boards = boards;
            let place = place % boards.len();
            boards[place] = Progress { told: true, kept: 0, breaks: Some("late".into()) };
            let step = next(&boards, most);
            prop_assert_eq!(step.halted.as_deref(), Some("late"));
            prop_assert!(boards.iter().zip(&step.may).all(|(b, may)| b.told == *may));
        }
    }
}
