//! How long a table of a million rows takes to load.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

const HEADER: &str =
    "device,workload,kind,batch_size,cpu_cores,cpu_khz,gpu_khz,mem_khz,minibatch_ms,power_w\n";

/// Rows of 18,096 modes, one after another for each workload and batch size, until there are
/// enough.
fn table(rows: usize) -> String {
    let mut text = String::from(HEADER);
    for row in 0..rows {
        let (series, mode) = (row / 18_096, row % 18_096);
        let (cores, rest) = (1 + mode / 1508, mode % 1508);
        let (cpu, gpu, mem) = (rest / 52, rest / 4 % 13, rest % 4);
        let (workload, batch) = (series / 8, 1 << (series % 8));
        let (cpu, gpu) = (115_200 + 76_800 * cpu, 114_750 + 102_000 * gpu);
        let mem = [204_000, 665_600, 2_133_000, 3_199_000][mem];
        let millis = 20.0 + (row * 7919 % 1_000_003) as f64 / 1000.0;
        let power = 10.0 + (row * 104_729 % 50_021) as f64 / 1000.0;
        let _ = writeln!(
            text,
            "orin-agx,network_{workload},infer,{batch},{cores},{cpu},{gpu},{mem},{millis:.4},{power:.4}"
        );
    }
    text
}

/// Every row another mode.
fn table_of_modes(rows: usize) -> String {
    let mut text = String::from(HEADER);
    for row in 0..rows {
        let (a, b, c, d) = (row % 32, row / 32 % 32, row / 1024 % 32, row / 32768);
        let _ = writeln!(text, "orin-agx,resnet18,train,16,{a},{b},{c},{d},83.4,18.4");
    }
    text
}

fn load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load_table");
    group.sample_size(10);
    for (name, text) in
        [("1M_rows", table(1_000_000)), ("1M_rows_each_a_mode", table_of_modes(1_000_000))]
    {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let table = fulcrum_board::read_table("bench.csv", black_box(text.as_bytes()));
                assert_eq!(table.expect("the table is valid").len(), 1_000_000);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, load);
criterion_main!(benches);
