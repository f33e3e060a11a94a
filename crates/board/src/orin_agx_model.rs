//! A smooth model of time and power on a Jetson AGX Orin, fitted to measured profiles.
//!
//! With the clocks and the cores as shares of their highest levels (c cores, u CPU, g GPU,
//! m memory), times in ms and power in W:
//!
//! ```text
//! t     = (t_gpu^q + t_cpu^q)^(1/q) + d
//! t_gpu = ((a/g)^s + (b/m)^s)^(1/s)       what the GPU needs to compute and to reach memory
//! t_cpu = k/u                             what the CPU needs
//! p     = P0 + km·m + kg·g + kf·(a/t)·((1−v) + v·g²) + kb·(b/t) + u^e·(kc·c + ku·min(t_cpu/t, 1))
//! ```

use fulcrum_domain::{BatchSize, Profile, Seconds, Watts, Workload, WorkloadKind};

/// The CPU clocks, in kHz.
pub(crate) const CPU_KHZ: [f64; 29] = [
    115_200.0,
    192_000.0,
    268_800.0,
    345_600.0,
    422_400.0,
    499_200.0,
    576_000.0,
    652_800.0,
    729_600.0,
    806_400.0,
    883_200.0,
    960_000.0,
    1_036_800.0,
    1_113_600.0,
    1_190_400.0,
    1_267_200.0,
    1_344_000.0,
    1_420_800.0,
    1_497_600.0,
    1_574_400.0,
    1_651_200.0,
    1_728_000.0,
    1_804_800.0,
    1_881_600.0,
    1_958_400.0,
    2_035_200.0,
    2_112_000.0,
    2_188_800.0,
    2_201_600.0,
];

/// The GPU clocks, in kHz.
pub(crate) const GPU_KHZ: [f64; 13] = [
    114_750.0,
    216_750.0,
    318_750.0,
    420_750.0,
    522_750.0,
    624_750.0,
    726_750.0,
    828_750.0,
    930_750.0,
    1_032_750.0,
    1_134_750.0,
    1_236_750.0,
    1_300_500.0,
];

/// The memory clocks, in kHz. The model was fitted to the upper three.
pub(crate) const MEM_KHZ: [f64; 4] = [204_000.0, 665_600.0, 2_133_000.0, 3_199_000.0];

/// How many CPU cores there are.
pub(crate) const CORES: u32 = 12;

/// Where the model is asked: one power mode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    pub(crate) cpu_cores: f64,
    pub(crate) cpu_khz: f64,
    pub(crate) gpu_khz: f64,
    pub(crate) mem_khz: f64,
}

/// The time of a minibatch, by what it takes at the highest clocks, in ms.
#[derive(Debug)]
pub(crate) struct TimeModel {
    /// Computing on the GPU.
    a: f64,
    /// Reaching memory.
    b: f64,
    /// Preparing on the CPU.
    k: f64,
    /// What no clock changes.
    d: f64,
    /// How far CPU and GPU overlap: 1 not at all, the larger the more.
    q: f64,
    /// How far computing and reaching memory overlap.
    s: f64,
}

/// The power drawn meanwhile, by what draws it, in W.
#[derive(Debug)]
pub(crate) struct PowerModel {
    /// Whatever the clocks.
    p0: f64,
    /// The memory clock.
    km: f64,
    /// The GPU clock.
    kg: f64,
    /// Computing on the GPU.
    kf: f64,
    /// The share of `kf` that grows with the square of the GPU clock.
    v: f64,
    /// Reaching memory.
    kb: f64,
    /// The exponent of the CPU clock.
    e: f64,
    /// The CPU cores.
    kc: f64,
    /// Preparing on the CPU.
    ku: f64,
}

/// The model of one workload at one batch size.
#[derive(Debug)]
pub(crate) struct WorkloadModel {
    pub(crate) name: &'static str,
    pub(crate) kind: WorkloadKind,
    pub(crate) batch_size: u32,
    time: TimeModel,
    power: PowerModel,
}

/// What draws the power, in W.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Draws {
    /// Whatever the clocks.
    pub(crate) base: f64,
    /// Memory.
    pub(crate) mem: f64,
    /// The GPU.
    pub(crate) gpu: f64,
    /// The CPU.
    pub(crate) cpu: f64,
}

impl Draws {
    /// All of it.
    pub(crate) fn total(self) -> f64 {
        self.base + self.mem + self.gpu + self.cpu
    }

    /// The same parts of so many times as much.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        let Self { base, mem, gpu, cpu } = self;
        Self { base: base * factor, mem: mem * factor, gpu: gpu * factor, cpu: cpu * factor }
    }
}

impl WorkloadModel {
    /// The model of a workload at a batch size, if there is one.
    pub(crate) fn of(workload: &Workload, batch_size: BatchSize) -> Option<&'static Self> {
        MODELS.iter().find(|model| {
            model.kind == workload.kind
                && model.batch_size == batch_size.get()
                && model.name == &*workload.name
        })
    }

    /// The profile at a power mode.
    pub(crate) fn profile(&self, clocks: Clocks) -> Profile {
        let (t, draws) = self.at(clocks);
        Profile::exact(Seconds::from_millis(t), Watts::new(draws.total()))
    }

    /// The time of a minibatch at a power mode, in ms, and what draws power meanwhile.
    pub(crate) fn at(&self, clocks: Clocks) -> (f64, Draws) {
        let c = clocks.cpu_cores / f64::from(CORES);
        let u = clocks.cpu_khz / CPU_KHZ[CPU_KHZ.len() - 1];
        let g = clocks.gpu_khz / GPU_KHZ[GPU_KHZ.len() - 1];
        let m = clocks.mem_khz / MEM_KHZ[MEM_KHZ.len() - 1];

        let TimeModel { a, b, k, d, q, s } = self.time;
        let t_gpu = norm(a / g, b / m, s);
        let t_cpu = k / u;
        let t = norm(t_gpu, t_cpu, q) + d;

        let PowerModel { p0, km, kg, kf, v, kb, e, kc, ku } = self.power;
        let gpu = kg * g + kf * (a / t) * ((1.0 - v) + v * g * g);
        let mem = km * m + kb * (b / t);
        let cpu = u.powf(e) * (kc * c + ku * (t_cpu / t).min(1.0));
        (t, Draws { base: p0, mem, gpu, cpu })
    }
}

/// The sum of two times that overlap in part: between their sum (1) and the larger of them (∞).
fn norm(x: f64, y: f64, exponent: f64) -> f64 {
    (x.powf(exponent) + y.powf(exponent)).powf(1.0 / exponent)
}

/// Every workload and batch size that the model was fitted to.
#[rustfmt::skip]
pub(crate) const MODELS: [WorkloadModel; 18] = [
    WorkloadModel {
        name: "mobilenet_v3", kind: WorkloadKind::Train, batch_size: 16,
        time: TimeModel { a: 66.54, b: 53.81, k: 60.46, d: 11.08, q: 3.651, s: 2.122 },
        power: PowerModel { p0: 12.2, km: 2.13, kg: 3.52, kf: 25.9, v: 0.485, kb: 1.01, e: 2.49, kc: 1.66, ku: 8.66 },
    },
    WorkloadModel {
        name: "resnet18", kind: WorkloadKind::Train, batch_size: 16,
        time: TimeModel { a: 40.34, b: 39.15, k: 21.96, d: 3.519, q: 2.221, s: 2.43 },
        power: PowerModel { p0: 12.2, km: 2.36, kg: 4.32, kf: 14.3, v: 1.0, kb: 0.001, e: 1.31, kc: 1.25, ku: 50.5 },
    },
    WorkloadModel {
        name: "yolov8n", kind: WorkloadKind::Train, batch_size: 16,
        time: TimeModel { a: 71.19, b: 65.71, k: 142.4, d: 25.64, q: 2.105, s: 2.418 },
        power: PowerModel { p0: 12.5, km: 1.54, kg: 1.17, kf: 11.0, v: 1.0, kb: 0.001, e: 2.39, kc: 2.44, ku: 4.34 },
    },
    WorkloadModel {
        name: "mobilenet_v3", kind: WorkloadKind::Infer, batch_size: 1,
        time: TimeModel { a: 0.9138, b: 2.109, k: 13.85, d: 4.92, q: 1.477, s: 2.509 },
        power: PowerModel { p0: 11.6, km: 1.85, kg: 1.37, kf: 63.0, v: 0.735, kb: 0.716, e: 4.0, kc: 0.947, ku: 2.72 },
    },
    WorkloadModel {
        name: "mobilenet_v3", kind: WorkloadKind::Infer, batch_size: 4,
        time: TimeModel { a: 5.323, b: 5.564, k: 16.2, d: 5.959, q: 3.883, s: 3.882 },
        power: PowerModel { p0: 11.5, km: 2.0, kg: 1.82, kf: 25.9, v: 0.46, kb: 4.78, e: 3.92, kc: 2.07, ku: 3.0 },
    },
    WorkloadModel {
        name: "mobilenet_v3", kind: WorkloadKind::Infer, batch_size: 16,
        time: TimeModel { a: 17.73, b: 18.54, k: 24.51, d: 2.963, q: 2.555, s: 2.419 },
        power: PowerModel { p0: 12.5, km: 1.57, kg: 3.94, kf: 1.14, v: 1.0, kb: 0.001, e: 1.76, kc: 2.74, ku: 20.4 },
    },
    WorkloadModel {
        name: "mobilenet_v3", kind: WorkloadKind::Infer, batch_size: 32,
        time: TimeModel { a: 31.49, b: 36.0, k: 37.69, d: 10.97, q: 2.594, s: 2.761 },
        power: PowerModel { p0: 13.0, km: 1.44, kg: 4.28, kf: 0.001, v: 0.01, kb: 0.001, e: 2.01, kc: 2.66, ku: 26.7 },
    },
    WorkloadModel {
        name: "mobilenet_v3", kind: WorkloadKind::Infer, batch_size: 64,
        time: TimeModel { a: 61.73, b: 70.52, k: 45.3, d: 13.88, q: 1.737, s: 2.864 },
        power: PowerModel { p0: 13.0, km: 1.21, kg: 4.19, kf: 0.001, v: 0.01, kb: 0.001, e: 2.04, kc: 3.49, ku: 42.4 },
    },
    WorkloadModel {
        name: "resnet50", kind: WorkloadKind::Infer, batch_size: 1,
        time: TimeModel { a: 3.902, b: 3.685, k: 12.75, d: 4.141, q: 3.693, s: 3.688 },
        power: PowerModel { p0: 12.3, km: 2.09, kg: 1.64, kf: 17.1, v: 1.0, kb: 0.001, e: 1.7, kc: 1.79, ku: 5.5 },
    },
    WorkloadModel {
        name: "resnet50", kind: WorkloadKind::Infer, batch_size: 4,
        time: TimeModel { a: 13.35, b: 10.91, k: 14.57, d: 2.792, q: 4.655, s: 2.266 },
        power: PowerModel { p0: 12.2, km: 2.12, kg: 4.64, kf: 20.0, v: 0.386, kb: 1.18, e: 2.66, kc: 0.967, ku: 9.3 },
    },
    WorkloadModel {
        name: "resnet50", kind: WorkloadKind::Infer, batch_size: 16,
        time: TimeModel { a: 35.03, b: 37.42, k: 11.05, d: 2.741, q: 1.517, s: 2.731 },
        power: PowerModel { p0: 12.4, km: 2.53, kg: 5.43, kf: 18.9, v: 0.509, kb: 1.02, e: 2.06, kc: 1.8, ku: 60.0 },
    },
    WorkloadModel {
        name: "resnet50", kind: WorkloadKind::Infer, batch_size: 32,
        time: TimeModel { a: 68.95, b: 75.85, k: 8.365, d: 4.075, q: 1.031, s: 3.271 },
        power: PowerModel { p0: 12.0, km: 2.73, kg: 4.97, kf: 28.4, v: 0.428, kb: 5.97, e: 2.62, kc: 1.57, ku: 60.0 },
    },
    WorkloadModel {
        name: "resnet50", kind: WorkloadKind::Infer, batch_size: 64,
        time: TimeModel { a: 132.1, b: 151.6, k: 41.15, d: 6.696, q: 1.652, s: 3.538 },
        power: PowerModel { p0: 12.4, km: 2.65, kg: 5.16, kf: 20.3, v: 0.496, kb: 4.77, e: 2.02, kc: 0.256, ku: 60.0 },
    },
    WorkloadModel {
        name: "yolov8n", kind: WorkloadKind::Infer, batch_size: 1,
        time: TimeModel { a: 5.216, b: 4.904, k: 13.34, d: 5.901, q: 3.434, s: 4.352 },
        power: PowerModel { p0: 11.8, km: 2.18, kg: 1.64, kf: 22.3, v: 0.664, kb: 0.531, e: 3.18, kc: 2.56, ku: 2.4 },
    },
    WorkloadModel {
        name: "yolov8n", kind: WorkloadKind::Infer, batch_size: 4,
        time: TimeModel { a: 16.39, b: 16.08, k: 18.71, d: 5.748, q: 2.607, s: 2.571 },
        power: PowerModel { p0: 12.4, km: 2.24, kg: 3.44, kf: 14.9, v: 0.574, kb: 1.46, e: 2.08, kc: 1.57, ku: 12.1 },
    },
    WorkloadModel {
        name: "yolov8n", kind: WorkloadKind::Infer, batch_size: 16,
        time: TimeModel { a: 57.92, b: 62.99, k: 28.1, d: 15.55, q: 1.158, s: 3.328 },
        power: PowerModel { p0: 12.6, km: 2.47, kg: 4.23, kf: 16.3, v: 0.61, kb: 0.673, e: 1.85, kc: 1.08, ku: 41.8 },
    },
    WorkloadModel {
        name: "yolov8n", kind: WorkloadKind::Infer, batch_size: 32,
        time: TimeModel { a: 116.1, b: 127.6, k: 57.24, d: 29.81, q: 1.177, s: 3.403 },
        power: PowerModel { p0: 12.8, km: 2.56, kg: 3.92, kf: 19.9, v: 0.577, kb: 2.12, e: 2.13, kc: 0.912, ku: 37.8 },
    },
    WorkloadModel {
        name: "yolov8n", kind: WorkloadKind::Infer, batch_size: 64,
        time: TimeModel { a: 235.7, b: 253.5, k: 111.2, d: 65.59, q: 1.168, s: 3.327 },
        power: PowerModel { p0: 12.9, km: 2.41, kg: 4.37, kf: 11.2, v: 0.808, kb: 0.408, e: 1.63, kc: 0.592, ku: 60.0 },
    },
];
