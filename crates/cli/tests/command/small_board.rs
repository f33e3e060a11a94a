//! A small board's profile table, made by formulas: 2 core counts × 3 GPU clocks × 2 memory clocks.

use std::fmt::Write as _;
use std::path::Path;

const HEADER: &str =
    "device,workload,kind,batch_size,cpu_cores,gpu_khz,mem_khz,minibatch_ms,power_w\n";

/// Writes the tables of `net` (train) and `eye` (infer, batch sizes 1, 4, 16) into a folder.
pub(crate) fn write_tables(folder: &Path) {
    let mut train = HEADER.to_owned();
    let mut infer = HEADER.to_owned();
    for cores in [4, 8] {
        for gpu in [300_000, 600_000, 1_200_000] {
            for mem in [800_000, 3_200_000] {
                let speed = f64::from(gpu) / 1.2e6 * 0.7
                    + f64::from(cores) / 8.0 * 0.2
                    + f64::from(mem) / 3.2e6 * 0.1;
                let power = 8.0 + 32.0 * speed * speed;
                let mode = format!("{cores},{gpu},{mem}");
                let time = 60.0 / speed;
                writeln!(train, "small,net,train,16,{mode},{time:.4},{power:.4}").expect("text");
                for batch in [1, 4, 16] {
                    let time = (4.0 + 1.5 * f64::from(batch)) / speed;
                    let power = power * 0.8;
                    writeln!(infer, "small,eye,infer,{batch},{mode},{time:.4},{power:.4}")
                        .expect("text");
                }
            }
        }
    }
    std::fs::write(folder.join("net.train.csv"), train).expect("written");
    std::fs::write(folder.join("eye.infer.csv"), infer).expect("written");
}
