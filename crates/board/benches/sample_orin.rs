//! What one whole sample of an AGX Orin costs, from a tree on disk.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use fulcrum_board::{Board as _, JetsonBoard, Rooted, SystemClock};

fn sample(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("fulcrum-sample-orin-{}", std::process::id()));
    let tree = fulcrum_fake_jetson::orin_agx_jp6();
    tree.write_to(&folder).expect("a folder for temporary files can be written");
    let files = Arc::new(Rooted::new(&folder));
    let mut board = JetsonBoard::probe(files, Arc::new(SystemClock::new())).expect("it is one");
    let sensors = board.sensors().len();
    criterion.bench_function(&format!("sample_orin/{sensors}_sensors"), |bencher| {
        bencher.iter(|| black_box(board.sense()));
    });
    let _ = std::fs::remove_dir_all(&folder);
}

criterion_group!(benches, sample);
criterion_main!(benches);
