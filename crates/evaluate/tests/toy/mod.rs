//! A small board and plain strategies to evaluate.

use std::sync::Arc;

use fulcrum_board::ProfileTable;
use fulcrum_domain::{
    BatchSize, Evidence, Front, Hertz, Knob, Measurement, ModeSpace, Problem, Profile, Profiles,
    Reading, Role, Seconds, Stream, Watts, Workload,
};
use fulcrum_search::{
    Allowance, ByProcedure, FrontBuilder, FrontTask, Halt, Method, Probe, Recipe, Task,
};

pub(crate) fn batch(size: u32) -> BatchSize {
    BatchSize::new(size).expect("not zero")
}

/// Two knobs with `levels` levels each; time and power follow a smooth law.
pub(crate) fn table(levels: u32) -> Arc<ProfileTable> {
    let knob = |name: &str| Knob::new(name, (1..=levels).map(f64::from)).expect("finite levels");
    let knobs = vec![knob("cores"), knob("clock_khz")];
    let space = Arc::new(ModeSpace::full_grid(knobs).expect("a small space"));
    let mut rows = Vec::new();
    for mode in space.ids() {
        let (cores, clock) = (space.level(mode, 0), space.level(mode, 1));
        let speed = cores.powf(0.4) * clock.powf(0.7);
        let profile = |millis: f64, watts: f64| {
            Profile::exact(Seconds::from_millis(millis / speed), Watts::new(watts + 2.0 * speed))
        };
        rows.push((Workload::train("net"), mode, batch(16), profile(400.0, 8.0)));
        for (size, millis) in [(1, 30.0), (4, 60.0), (16, 180.0)] {
            rows.push((Workload::infer("eye"), mode, batch(size), profile(millis, 7.0)));
        }
    }
    Arc::new(ProfileTable::new("toy", space, rows))
}

pub(crate) fn train(power: f64) -> Problem {
    Problem::train_only(Workload::train("net"), Watts::new(power)).expect("a positive budget")
}

pub(crate) fn stream(rate: f64, millis: f64) -> Stream {
    Stream {
        workload: Workload::infer("eye"),
        rate: Hertz::new(rate),
        latency: Seconds::from_millis(millis),
    }
}

pub(crate) fn infer(rate: f64, millis: f64, power: f64) -> Problem {
    Problem::infer_only(stream(rate, millis), Watts::new(power)).expect("positive budgets")
}

pub(crate) fn concurrent(rate: f64, millis: f64, power: f64) -> Problem {
    Problem::concurrent(Workload::train("net"), stream(rate, millis), Watts::new(power))
        .expect("positive budgets")
}

/// Measures everything.
pub(crate) fn everything() -> Recipe {
    fn procedure(task: &Task, probe: &Probe<'_>) -> Result<(), Halt> {
        for mode in task.setting.space.ids() {
            measure_all(task, probe, mode)?;
        }
        Ok(())
    }
    search("everything", |task| Box::new(ByProcedure::new(task, procedure)))
}

/// Measures the highest mode alone.
pub(crate) fn highest() -> Recipe {
    fn procedure(task: &Task, probe: &Probe<'_>) -> Result<(), Halt> {
        measure_all(task, probe, task.setting.space.highest())
    }
    search("highest", |task| Box::new(ByProcedure::new(task, procedure)))
}

fn measure_all(task: &Task, probe: &Probe<'_>, mode: fulcrum_domain::ModeId) -> Result<(), Halt> {
    for measurement in task.setting.measurements_at(mode, task.problem.roles()) {
        probe.measure(mode, measurement.role, measurement.batch_size)?;
    }
    Ok(())
}

fn search(name: &str, start: fn(Task) -> Box<dyn fulcrum_search::Strategy>) -> Recipe {
    let allowance = [Allowance::modes(usize::MAX); 2];
    Recipe { name: name.into(), summary: "", method: Method::Search(start), allowance }
}

/// Measures every third mode from a place that the seed says on.
pub(crate) fn every_third() -> Recipe {
    let method = Method::Front(|task| Box::new(EveryThird::new(&task)));
    let allowance = [Allowance::modes(usize::MAX); 2];
    Recipe { name: "random-third".into(), summary: "", method, allowance }
}

struct EveryThird {
    wanted: Vec<Measurement>,
    roles: &'static [Role],
    profiles: Profiles,
}

impl EveryThird {
    fn new(task: &FrontTask) -> Self {
        let modes = task.setting.space.ids().skip(task.seed as usize % 3).step_by(3);
        let of_mode = |mode| task.setting.measurements_at(mode, task.roles).collect::<Vec<_>>();
        let wanted = modes.flat_map(of_mode).collect();
        Self { wanted, roles: task.roles, profiles: Profiles::new() }
    }
}

impl FrontBuilder for EveryThird {
    fn ask(&mut self) -> Option<Measurement> {
        self.wanted.last().copied()
    }

    fn tell(&mut self, measurement: Measurement, reading: Reading) {
        self.wanted.retain(|wanted| *wanted != measurement);
        if let Ok(profile) = reading {
            self.profiles.insert(measurement, profile);
        }
    }

    fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    fn front(&self) -> Front {
        Front::new(self.profiles.operating_points(self.roles), Evidence::Measured)
    }
}
