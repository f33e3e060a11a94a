//! A table that is small and has everything: both kinds, several batch sizes, several knobs.

#![allow(dead_code, reason = "not every test wants all of it")]

use fulcrum_board::{ProfileTable, read_table};

/// The table as text.
pub(crate) fn small_table_text() -> String {
    let mut text =
        String::from("device,workload,kind,batch_size,cpu_khz,gpu_khz,minibatch_ms,power_w\n");
    let workloads = [("a", "train", [16].as_slice()), ("b", "infer", &[1, 4, 16])];
    for (name, kind, batches) in workloads {
        for batch in batches {
            for cpu in [400_000, 800_000] {
                for gpu in [300_000, 600_000, 900_000] {
                    let time = 50.0 + f64::from(*batch) * 1e6 / f64::from(gpu + cpu);
                    let power = 10.0 + f64::from(gpu + cpu) / 1e5;
                    let fields = format!("board,{name},{kind},{batch},{cpu},{gpu},{time},{power}");
                    text.push_str(&fields);
                    text.push('\n');
                }
            }
        }
    }
    text
}

/// The table.
pub(crate) fn small_table() -> ProfileTable {
    read_table("small.csv", small_table_text().as_bytes()).expect("the table is valid")
}
