//! The clocks of each system-on-chip.

/// The steps from the first to the last.
fn steps(first: u64, step: u64, last: u64) -> Vec<u64> {
    (first..=last).step_by(step as usize).collect()
}

/// Steps of a CPU's table, with the top that is off the grid.
fn grid(top: u64) -> Vec<u64> {
    let mut table = steps(115_200, 76_800, top);
    if table.last() != Some(&top) {
        table.push(top);
    }
    table
}

/// AGX Orin, in kHz: 29 of them.
pub(crate) fn orin_agx_cpu() -> Vec<u64> {
    grid(2_201_600)
}

/// Orin Nano with the "super" modes, in kHz.
pub(crate) fn orin_nano_cpu() -> Vec<u64> {
    grid(1_728_000)
}

/// Xavier NX, in kHz: 25 of them.
pub(crate) fn xavier_nx_cpu() -> Vec<u64> {
    grid(1_907_200)
}

/// Thor, in kHz. Recorded are the top, an idle reading of 972000 and that there are 49; the steps
/// between are derived.
pub(crate) fn thor_cpu() -> Vec<u64> {
    let mut table = steps(54_000, 54_000, 2_592_000);
    table.push(2_601_000);
    table
}

/// AGX Orin since JetPack 5.1, in hertz.
pub(crate) fn orin_agx_gpu() -> Vec<u64> {
    let mut table = steps(306_000_000, 102_000_000, 1_224_000_000);
    table.push(1_300_500_000);
    table
}

/// Orin Nano with the "super" modes, in hertz.
pub(crate) fn orin_nano_gpu() -> Vec<u64> {
    steps(306_000_000, 102_000_000, 1_020_000_000)
}

/// Xavier NX, in hertz.
pub(crate) fn xavier_nx_gpu() -> Vec<u64> {
    vec![
        114_750_000,
        204_000_000,
        306_000_000,
        408_000_000,
        510_000_000,
        599_250_000,
        701_250_000,
        752_250_000,
        803_250_000,
        854_250_000,
        905_250_000,
        956_250_000,
        1_007_250_000,
        1_058_250_000,
        1_109_250_000,
    ]
}

/// Thor's `gpu-gpc-0`, in hertz: 170 of them.
pub(crate) fn thor_gpu() -> Vec<u64> {
    steps(54_000_000, 9_000_000, 1_575_000_000)
}

/// Thor's `gpu-nvd-0`, in hertz. Only the top is recorded.
pub(crate) fn thor_gpu_video() -> Vec<u64> {
    steps(54_000_000, 9_000_000, 1_692_000_000)
}

/// The memory of Orin, in hertz.
pub(crate) fn orin_emc() -> Vec<u64> {
    vec![204_000_000, 665_600_000, 2_133_000_000, 3_199_000_000]
}

/// The memory of Xavier NX, in hertz: the caps of its modes, and the lowest; not recorded whole.
pub(crate) fn xavier_nx_emc() -> Vec<u64> {
    vec![204_000_000, 1_331_200_000, 1_600_000_000, 1_866_000_000]
}

/// The memory of Thor, in hertz. Recorded are both ends and one reading.
pub(crate) fn thor_emc() -> Vec<u64> {
    vec![665_600_000, 2_750_000_000, 4_266_000_000]
}
