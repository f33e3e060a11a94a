//! The agent's metrics for Prometheus, made from what is known when they are asked for: a sensor
//! that says nothing exports no sample.

use std::fmt::Write as _;

use fulcrum_board::{Quantity, Sensor};
use fulcrum_edge::{EDGE, Edge};
use fulcrum_telemetry::{Metric, PROCESS, Process, Snapshot};

use crate::service::Agent;

/// This process, as it is told.
pub(crate) const THIS: Process = Process { name: "agent", version: env!("CARGO_PKG_VERSION") };

static INFO: Metric = Metric::gauge(
    "fulcrum_board_info",
    &["kind", "model", "software"],
    "What the board is; always 1",
);
static POWER: Metric = Metric::gauge("fulcrum_board_power_watts", &["rail"], "Power of a rail");
static VOLTAGE: Metric =
    Metric::gauge("fulcrum_board_voltage_volts", &["rail"], "Voltage of a rail");
static CURRENT: Metric =
    Metric::gauge("fulcrum_board_current_amperes", &["rail"], "Current of a rail");
static TEMPERATURE: Metric =
    Metric::gauge("fulcrum_board_temperature_celsius", &["zone"], "Temperature of a zone");
static CLOCK: Metric = Metric::gauge("fulcrum_board_clock_hertz", &["domain"], "Clock of a part");
static LOAD: Metric =
    Metric::gauge("fulcrum_board_load_ratio", &["part"], "How busy a part is, 0 to 1");
static FAN_DRIVE: Metric =
    Metric::gauge("fulcrum_board_fan_drive_ratio", &["fan"], "How hard a fan is driven, 0 to 1");
static FAN_SPEED: Metric = Metric::gauge("fulcrum_board_fan_speed_rpm", &["fan"], "Speed of a fan");
static MEMORY: Metric = Metric::gauge("fulcrum_board_memory_bytes", &["kind"], "Memory");
static EVENTS: Metric = Metric::counter(
    "fulcrum_board_events",
    &["event"],
    "Events that the board counts, as over-current throttling",
);
static ABSENT: Metric = Metric::gauge(
    "fulcrum_board_sensor_absent",
    &["sensor", "reason"],
    "Sensors that have no value, and why; always 1",
);
static TOTAL_POWER: Metric = Metric::gauge(
    "fulcrum_board_total_power_watts",
    &[],
    "Total power, by the board's own rule of what adds up",
);
static ENERGY: Metric = Metric::counter(
    "fulcrum_board_energy_joules",
    &[],
    "Energy drawn since the agent started, while there was a power reading",
);

static LEASE_HELD: Metric =
    Metric::gauge("fulcrum_agent_lease_held", &[], "Whether somebody holds the board");
static MODE_LEVEL: Metric = Metric::gauge(
    "fulcrum_agent_mode_level",
    &["knob"],
    "Levels of the power mode that is set, in each knob's own unit; absent while none is",
);
static OVERRIDES: Metric =
    Metric::gauge("fulcrum_agent_mode_overrides", &[], "Knobs that do not show what was set");
static PENDING: Metric = Metric::gauge(
    "fulcrum_agent_restore_pending",
    &[],
    "Whether the board could not be put back yet",
);
static MODE_CHANGES: Metric =
    Metric::counter("fulcrum_agent_mode_changes", &[], "Changes of the power mode");
static FAILED_CHANGES: Metric = Metric::counter(
    "fulcrum_agent_mode_change_failures",
    &[],
    "Changes of the power mode that failed",
);
static RESTORES: Metric =
    Metric::counter("fulcrum_agent_restores", &[], "Times that the board was put back");
static FAILED_RESTORES: Metric =
    Metric::counter("fulcrum_agent_restore_failures", &[], "Times that it could not be");
static GUARD_ACTIONS: Metric =
    Metric::counter("fulcrum_agent_guard_actions", &[], "Times that a guard stepped down");
static LEASES: Metric = Metric::counter("fulcrum_agent_leases", &[], "Leases taken");
static EXPIRED_LEASES: Metric = Metric::counter(
    "fulcrum_agent_expired_leases",
    &[],
    "Leases that ended without being released",
);

const OF_WORKLOAD: &[&str] = &["workload", "kind"];
static MINIBATCHES: Metric =
    Metric::counter("fulcrum_workload_minibatches", OF_WORKLOAD, "Minibatches that ran");
static TURNS: Metric = Metric::counter(
    "fulcrum_workload_turns",
    OF_WORKLOAD,
    "Turns in which it had the device, without those in which it was measured",
);
static WAITED: Metric = Metric::counter(
    "fulcrum_workload_waited_seconds",
    OF_WORKLOAD,
    "Time for which it had something to run and waited for those turns; requests may wait for others",
);
static BUSY: Metric = Metric::counter(
    "fulcrum_workload_busy_seconds",
    OF_WORKLOAD,
    "Time for which its minibatches had the device",
);
static WORKLOAD_ENERGY: Metric = Metric::counter(
    "fulcrum_workload_energy_joules",
    OF_WORKLOAD,
    "Energy drawn while its minibatches had the device",
);
static IDLE_ENERGY: Metric = Metric::counter(
    "fulcrum_agent_idle_energy_joules",
    &[],
    "Energy drawn while no minibatch had the device",
);
static ARRIVED: Metric =
    Metric::counter("fulcrum_workload_arrived_requests", OF_WORKLOAD, "Requests that arrived");
static LATE: Metric = Metric::counter(
    "fulcrum_workload_late_requests",
    OF_WORKLOAD,
    "Requests that were answered later than their latency budget",
);
static LATENCY: Metric = Metric::histogram(
    "fulcrum_workload_latency_seconds",
    OF_WORKLOAD,
    "From the arrival of a request to its answer",
);
static WAITING: Metric = Metric::gauge(
    "fulcrum_workload_waiting_requests",
    OF_WORKLOAD,
    "Requests that wait to be answered",
);
static FENCED: Metric = Metric::counter(
    "fulcrum_workload_fenced",
    OF_WORKLOAD,
    "Times that the others went on without a worker that hung or died",
);
static ATTACHED: Metric =
    Metric::gauge("fulcrum_workload_workers", OF_WORKLOAD, "Workers that are attached");

/// All metrics of an agent, in the order of the document.
pub static METRICS: &[&[&Metric]] = &[
    &[
        &INFO,
        &TOTAL_POWER,
        &ENERGY,
        &POWER,
        &VOLTAGE,
        &CURRENT,
        &TEMPERATURE,
        &CLOCK,
        &LOAD,
        &MEMORY,
        &FAN_DRIVE,
        &FAN_SPEED,
        &EVENTS,
        &ABSENT,
    ],
    &[
        &LEASE_HELD,
        &MODE_LEVEL,
        &OVERRIDES,
        &PENDING,
        &MODE_CHANGES,
        &FAILED_CHANGES,
        &RESTORES,
        &FAILED_RESTORES,
        &GUARD_ACTIONS,
        &LEASES,
        &EXPIRED_LEASES,
        &IDLE_ENERGY,
    ],
    &[
        &TURNS,
        &WAITED,
        &MINIBATCHES,
        &BUSY,
        &WORKLOAD_ENERGY,
        &ARRIVED,
        &LATE,
        &LATENCY,
        &WAITING,
        &FENCED,
        &ATTACHED,
    ],
    EDGE,
    PROCESS,
];

/// The metric of each kind of sensor.
const GAUGES: [(Quantity, &Metric); 9] = [
    (Quantity::Power, &POWER),
    (Quantity::Voltage, &VOLTAGE),
    (Quantity::Current, &CURRENT),
    (Quantity::Temperature, &TEMPERATURE),
    (Quantity::Clock, &CLOCK),
    (Quantity::Load, &LOAD),
    (Quantity::FanDrive, &FAN_DRIVE),
    (Quantity::FanSpeed, &FAN_SPEED),
    (Quantity::Memory, &MEMORY),
];

/// Tells the metrics.
#[derive(Clone)]
pub(crate) struct Metrics {
    agent: Agent,
    edge: Edge,
}

impl Metrics {
    pub(crate) fn new(agent: Agent, edge: Edge) -> Self {
        Self { agent, edge }
    }

    /// All metrics now.
    pub(crate) async fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        self.sensors(&mut snapshot);
        self.control(&mut snapshot).await;
        self.workloads(&mut snapshot);
        self.edge.tell(&mut snapshot);
        snapshot.process(THIS);
        snapshot
    }

    fn sensors(&self, snapshot: &mut Snapshot) {
        let description = self.agent.described.now();
        let identity = &description.identity;
        snapshot.set(&INFO, [identity.kind, &identity.model, &identity.software], 1.0);
        let Some(reading) = self.agent.sampler.watch().borrow().clone() else { return };
        for (sensor, value) in description.sensors.iter().zip(&reading.sample.values) {
            match value {
                Err(reason) => {
                    snapshot.set(&ABSENT, [&sensor.to_string(), reason.as_str()], 1.0);
                }
                Ok(value) if sensor.quantity == Quantity::Count => {
                    snapshot.set(&EVENTS, [&sensor.part], *value);
                }
                Ok(value) => {
                    for (_, metric) in GAUGES.iter().filter(|(of, _)| *of == sensor.quantity) {
                        snapshot.set(metric, [&sensor.part], *value);
                    }
                }
            }
        }
        snapshot.set_known(&TOTAL_POWER, [], reading.sample.total_power.as_ref().ok().copied());
        snapshot.set(&ENERGY, [], reading.joules);
    }

    async fn control(&self, snapshot: &mut Snapshot) {
        let standing = self.agent.control.standing().await;
        let yes = |is: bool| if is { 1.0 } else { 0.0 };
        snapshot.set(&LEASE_HELD, [], yes(standing.lease.is_some()));
        if let Some(mode) = standing.wanted {
            let space = &self.agent.described.now().space;
            for (knob, level) in space.knobs().iter().zip(space.levels(mode)) {
                snapshot.set(&MODE_LEVEL, [knob.name()], level);
            }
        }
        snapshot.set(&OVERRIDES, [], standing.overrides.len() as f64);
        snapshot.set(&PENDING, [], yes(standing.unrestored.is_some()));
        let counts = standing.counts;
        for (metric, count) in [
            (&MODE_CHANGES, counts.mode_changes),
            (&FAILED_CHANGES, counts.failed_mode_changes),
            (&RESTORES, counts.restores),
            (&FAILED_RESTORES, counts.failed_restores),
            (&GUARD_ACTIONS, counts.guard_actions),
            (&LEASES, counts.leases),
            (&EXPIRED_LEASES, counts.expired_leases),
        ] {
            snapshot.set(metric, [], count as f64);
        }
    }

    fn workloads(&self, snapshot: &mut Snapshot) {
        let turns = &self.agent.turns;
        for (workload, total) in turns.totals().iter() {
            let of = [&*workload.name, workload.kind.as_str()];
            snapshot.set(&TURNS, of, total.turns as f64);
            snapshot.set(&WAITED, of, total.waited.as_secs_f64());
            snapshot.set(&MINIBATCHES, of, total.minibatches as f64);
            snapshot.set(&BUSY, of, total.busy.as_secs_f64());
            snapshot.set(&FENCED, of, total.fenced as f64);
            if workload.kind == fulcrum_domain::WorkloadKind::Infer {
                snapshot.set(&ARRIVED, of, total.arrived as f64);
                snapshot.set(&LATE, of, total.late as f64);
                snapshot.set_histogram(&LATENCY, of, &total.latencies);
            }
        }
        let mut attached = std::collections::BTreeMap::<_, (u32, u32)>::new();
        for worker in turns.handle.standing().values() {
            let entry = attached.entry(worker.workload.clone()).or_default();
            *entry = (entry.0 + 1, entry.1 + worker.waiting);
        }
        for (workload, (workers, waiting)) in attached {
            let of = [&*workload.name, workload.kind.as_str()];
            snapshot.set(&ATTACHED, of, f64::from(workers));
            if workload.kind == fulcrum_domain::WorkloadKind::Infer {
                snapshot.set(&WAITING, of, f64::from(waiting));
            }
        }
        let attribution = turns.attribution();
        for (workload, joules) in attribution.joules_of_workloads() {
            let of = [&*workload.name, workload.kind.as_str()];
            snapshot.set(&WORKLOAD_ENERGY, of, *joules);
        }
        snapshot.set(&IDLE_ENERGY, [], attribution.idle_joules());
    }
}

/// A line of text for the log: which sensors there are.
pub(crate) fn summary(sensors: &[Sensor]) -> String {
    let mut text = String::new();
    for (i, sensor) in sensors.iter().enumerate() {
        let _ = write!(text, "{}{sensor}", if i == 0 { "" } else { ", " });
    }
    text
}
