//! How long workers wait for their turns.

use std::time::Duration;

use fulcrum_domain::Workload;
use fulcrum_interleave::{Action, Event, Minibatch, Moment, Turns, WorkerId};

fn at(ms: u64) -> Moment {
    Moment::at_ns(ms * 1_000_000)
}

fn handle(turns: &mut Turns, ms: u64, event: Event<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    turns.handle(at(ms), event, &mut actions);
    actions
}

fn ran(worker: WorkerId, grant: u64, minibatches: &[Minibatch], done: bool) -> Event<'_> {
    Event::Ran { worker, grant, minibatches, done }
}

fn granted(actions: &[Action]) -> Option<(WorkerId, u64)> {
    actions.iter().find_map(|action| match action {
        Action::Grant { worker, grant, .. } => Some((*worker, *grant)),
        _ => None,
    })
}

fn waited(actions: &[Action]) -> Vec<Option<u64>> {
    let waited = actions.iter().filter_map(|action| match action {
        Action::Ran(ran) => Some(ran.waited.map(|waited| waited.as_millis() as u64)),
        _ => None,
    });
    waited.collect()
}

/// Two that train share the device: each waits while the other has it, and says so once a turn.
#[test]
fn a_worker_waits_while_another_has_the_device_and_only_then() {
    let mut turns = Turns::new();
    let (a, b) = (Workload::train("a"), Workload::train("b"));
    let attach = |worker, workload| Event::Attached {
        worker,
        workload,
        batch_sizes: &[16],
        preemptible: false,
        stands: false,
    };
    let minibatch = |began, ended| Minibatch { began: at(began), ended: at(ended), requests: 0 };

    let (worker, first) = granted(&handle(&mut turns, 0, attach(1, &a))).unwrap();
    assert_eq!(worker, 1);
    assert_eq!(granted(&handle(&mut turns, 100, attach(2, &b))), None);
    let two = [minibatch(0, 200), minibatch(200, 500)];
    let actions = handle(&mut turns, 500, ran(1, first, &two, false));
    assert_eq!(waited(&actions), [Some(0), None]);
    let actions = handle(&mut turns, 510, ran(1, first, &[minibatch(500, 510)], true));
    assert_eq!(waited(&actions), [None]);
    let (worker, second) = granted(&actions).unwrap();
    assert_eq!(worker, 2);
    // One that has nothing to run does not wait.
    handle(&mut turns, 550, Event::Ready { worker: 1, work: false });
    handle(&mut turns, 590, Event::Ready { worker: 1, work: true });
    let actions = handle(&mut turns, 600, ran(2, second, &[minibatch(510, 600)], true));
    assert_eq!(waited(&actions), [Some(410)]);
    let (worker, third) = granted(&actions).unwrap();
    assert_eq!(worker, 2, "the one that had the device for less time");
    handle(&mut turns, 600, Event::Detached { worker: 2 });
    let (worker, fourth) = (turns.holder().unwrap(), third + 1);
    assert_eq!(worker, 1);
    let actions = handle(&mut turns, 650, ran(1, fourth, &[minibatch(600, 650)], true));
    assert_eq!(waited(&actions), [Some(10)]);
}

#[test]
fn requests_that_find_the_device_free_do_not_have_their_worker_wait() {
    let mut turns = Turns::new();
    let infer = Workload::infer("b");
    handle(
        &mut turns,
        0,
        Event::Attached {
            worker: 1,
            workload: &infer,
            batch_sizes: &[1],
            preemptible: false,
            stands: false,
        },
    );
    let actions = handle(&mut turns, 40, Event::Arrived { worker: 1, at: &[at(40)] });
    let (_, grant) = granted(&actions).unwrap();
    let minibatches = [Minibatch { began: at(40), ended: at(60), requests: 1 }];
    assert_eq!(waited(&handle(&mut turns, 60, ran(1, grant, &minibatches, true))), [Some(0)]);
    assert_eq!(turns.worker(1).unwrap().totals.busy, Duration::from_millis(20));
}
