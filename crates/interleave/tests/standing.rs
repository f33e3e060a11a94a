//! Turns that stand.

use std::time::Duration;

use fulcrum_domain::{Alternate, Workload, WorkloadKind};
use fulcrum_interleave::{Action, Agreement, Event, Minibatch, Moment, Terms, Turns, WorkerId};

fn at(ms: u64) -> Moment {
    Moment::at_ns(ms * 1_000_000)
}

const TRAIN: WorkerId = 1;
const INFER: WorkerId = 2;
const OTHER: WorkerId = 3;

/// Turns of preemptible training and of inference that may answer by itself.
struct Floor {
    turns: Turns,
}

impl Floor {
    fn new(alternate: Alternate) -> Self {
        let terms = vec![
            Terms::background(Workload::train("a"), 1).expecting(Duration::from_millis(30)),
            Terms::urgent(&"b".into(), 2, Duration::from_millis(50))
                .expecting(Duration::from_millis(10)),
        ];
        let agreement =
            Agreement { alternate, minibatches_per_cycle: 1, terms, ..Agreement::default() };
        let mut floor = Self { turns: Turns::new() };
        floor.says(0, Event::Agreed(&agreement));
        floor.attaches(0, TRAIN, &Workload::train("a"), true);
        floor
    }

    fn says(&mut self, ms: u64, event: Event<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.turns.handle(at(ms), event, &mut actions);
        actions
    }

    fn attaches(
        &mut self,
        ms: u64,
        worker: WorkerId,
        workload: &Workload,
        unasked: bool,
    ) -> Vec<Action> {
        let (preemptible, stands) = (unasked, unasked);
        let event = Event::Attached { worker, workload, batch_sizes: &[1, 2], preemptible, stands };
        self.says(ms, event)
    }

    fn infers(&mut self, ms: u64) -> Vec<Action> {
        self.attaches(ms, INFER, &Workload::infer("b"), true)
    }

    fn ran(
        &mut self,
        ms: u64,
        worker: WorkerId,
        grant: u64,
        (began, ended, requests): (u64, u64, u32),
        done: bool,
    ) -> Vec<Action> {
        let minibatches = [Minibatch { began: at(began), ended: at(ended), requests }];
        self.says(ms, Event::Ran { worker, grant, minibatches: &minibatches, done })
    }

    fn arrives(&mut self, ms: u64) -> Vec<Action> {
        self.says(ms, Event::Arrived { worker: INFER, at: &[at(ms)] })
    }
}

/// The turn that stands from now on, if one does.
fn stands(actions: &[Action]) -> Option<u64> {
    actions.iter().find_map(|action| match action {
        Action::Stand { worker: INFER, grant, .. } => Some(*grant),
        _ => None,
    })
}

fn fenced(actions: &[Action]) -> Option<&str> {
    actions.iter().find_map(|action| match action {
        Action::Fence { worker: INFER, reason } => Some(reason.as_str()),
        _ => None,
    })
}

/// How long minibatches of training ran that are told of, in milliseconds.
fn trained(actions: &[Action]) -> Vec<u64> {
    let ran = actions.iter().filter_map(|action| match action {
        Action::Ran(ran) if ran.worker == TRAIN => Some(ran.ran_for().as_millis() as u64),
        _ => None,
    });
    ran.collect()
}

#[test]
fn training_is_counted_when_it_is_known_what_preempted_it() {
    let mut floor = Floor::new(Alternate::SlackAware);
    let turn = stands(&floor.infers(5)).unwrap();
    assert_eq!(trained(&floor.ran(30, TRAIN, 1, (0, 30, 0), false)), [30], "nothing waited");
    floor.arrives(40);
    floor.arrives(41);
    assert_eq!(trained(&floor.ran(75, TRAIN, 1, (30, 70, 0), false)), [], "what waits may run");
    assert_eq!(trained(&floor.ran(110, TRAIN, 1, (70, 105, 0), false)), []);
    let actions = floor.ran(111, INFER, turn, (41, 51, 1), false);
    assert_eq!(trained(&actions), [], "one still waits");
    let actions = floor.ran(112, INFER, turn, (80, 85, 1), false);
    assert_eq!(trained(&actions), [30, 30]);
}

#[test]
fn a_trainer_that_goes_takes_its_last_minibatches_along() {
    let mut floor = Floor::new(Alternate::SlackAware);
    floor.infers(5);
    floor.arrives(10);
    assert_eq!(trained(&floor.ran(30, TRAIN, 1, (0, 30, 0), false)), []);
    assert_eq!(trained(&floor.says(31, Event::Detached { worker: TRAIN })), [30]);
}

#[test]
fn whoever_has_to_be_asked_ends_a_turn_that_stands() {
    for other in [Workload::train("c"), Workload::infer("c")] {
        let mut floor = Floor::new(Alternate::SlackAware);
        let turn = stands(&floor.infers(5)).unwrap();
        let actions = floor.attaches(10, OTHER, &other, false);
        assert!(actions.contains(&Action::Revoke { worker: INFER, grant: turn }), "{actions:?}");
        // Until it is over, nobody else begins.
        let comes = match other.kind {
            WorkloadKind::Train => Event::Ready { worker: OTHER, work: true },
            WorkloadKind::Infer => Event::Arrived { worker: OTHER, at: &[at(11)] },
        };
        let actions = floor.says(11, comes);
        assert!(!actions.iter().any(|a| matches!(a, Action::Grant { .. })), "{actions:?}");
        let over = Event::Ran { worker: INFER, grant: turn, minibatches: &[], done: true };
        floor.says(20, over);
        let actions = floor.says(21, Event::Detached { worker: OTHER });
        assert!(stands(&actions).unwrap() > turn);
    }
}

#[test]
fn a_turn_stands_only_where_nothing_is_counted_and_nobody_is_measured() {
    let mut strict = Floor::new(Alternate::Strict);
    assert_eq!(stands(&strict.infers(5)), None);
    let mut floor = Floor::new(Alternate::SlackAware);
    let turn = stands(&floor.infers(5)).unwrap();
    let actions = floor.says(10, Event::Reserved { worker: TRAIN, batch_size: 1 });
    assert!(actions.contains(&Action::Revoke { worker: INFER, grant: turn }), "{actions:?}");
}

#[test]
fn who_neither_answers_nor_gives_its_turn_back_is_fenced() {
    let mut floor = Floor::new(Alternate::SlackAware);
    let turn = stands(&floor.infers(5)).unwrap();
    floor.arrives(10);
    floor.ran(20, INFER, turn, (10, 20, 1), false);
    assert_eq!(floor.turns.wake_at(), Moment::NEVER, "nothing waits");
    floor.arrives(1000);
    // It bears 39 ms less the guard; a minibatch takes 10.
    let due = floor.turns.wake_at();
    assert!((at(1250)..at(1300)).contains(&due), "{due:?}");
    let mut actions = Vec::new();
    floor.turns.handle(due, Event::Tick, &mut actions);
    assert!(fenced(&actions).unwrap().contains("answered no request"), "{actions:?}");
    assert!(floor.turns.worker(TRAIN).is_some());

    let mut floor = Floor::new(Alternate::SlackAware);
    let turn = stands(&floor.infers(5)).unwrap();
    floor.arrives(10);
    let actions = floor.ran(20, INFER, turn, (10, 20, 2), false);
    assert_eq!(fenced(&actions), Some("answered 2 requests where 1 wait"));
}

#[test]
fn training_is_not_blamed_for_standing_still() {
    let mut floor = Floor::new(Alternate::SlackAware);
    let turn = stands(&floor.infers(5)).unwrap();
    floor.ran(30, TRAIN, 1, (0, 30, 0), false);
    floor.arrives(31);
    floor.ran(41, INFER, turn, (31, 41, 1), false);
    // Measured, it has to give its turn back; but a minibatch of a second stands in its way.
    floor.arrives(50);
    floor.says(51, Event::Reserved { worker: INFER, batch_size: 1 });
    let mut ms = 51;
    while ms < 280 {
        ms += 10;
        let actions = floor.says(ms, Event::Tick);
        assert!(!actions.iter().any(|a| matches!(a, Action::Fence { .. })), "{ms}: {actions:?}");
    }
    floor.ran(290, INFER, turn, (50, 290, 1), true);
    let actions = floor.says(400, Event::Tick);
    assert!(!actions.iter().any(|a| matches!(a, Action::Fence { .. })), "{actions:?}");
}

#[test]
fn what_minibatches_are_seen_to_take_changes_how_long_requests_may_wait() {
    let mut floor = Floor::new(Alternate::SlackAware);
    let actions = floor.infers(5);
    let turn = stands(&actions).unwrap();
    let hold = |actions: &[Action]| {
        actions.iter().find_map(|action| match action {
            Action::Stand { sizes, .. } => Some((sizes[0].requests, sizes[0].hold.as_millis())),
            _ => None,
        })
    };
    assert_eq!(hold(&actions), Some((2, 40)));
    let mut last = None;
    for place in 0..20 {
        let began = 100 * (place + 1);
        floor.arrives(began);
        floor.arrives(began);
        let actions = floor.ran(began + 30, INFER, turn, (began, began + 30, 2), false);
        assert_eq!(stands(&actions).unwrap_or(turn), turn, "the same turn goes on");
        last = hold(&actions).or(last);
    }
    assert_eq!(last, Some((2, 20)));
}
