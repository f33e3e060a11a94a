//! The agent's metrics for Prometheus, made from what is known when they are asked for: a sensor
//! that says nothing exports no sample.

use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;

use fulcrum_board::{Quantity, Sensor};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::service::Agent;

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counters = Family<Labels, Counter<f64, AtomicU64>>;

/// Tells the metrics.
#[derive(Clone)]
pub(crate) struct Metrics {
    agent: Agent,
}

impl Metrics {
    pub(crate) fn new(agent: Agent) -> Self {
        Self { agent }
    }

    /// All metrics in Prometheus' text format.
    pub(crate) async fn text(&self) -> String {
        let mut registry = Registry::with_prefix("fulcrum");
        self.sensors(&mut registry);
        self.control(&mut registry).await;
        own_cost(&mut registry);
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &registry) {
            tracing::error!(%error, "metrics could not be written");
        }
        text
    }

    fn sensors(&self, registry: &mut Registry) {
        let board = registry.sub_registry_with_prefix("board");
        let description = self.agent.described.now();
        let info = Gauges::default();
        let identity = &description.identity;
        let labels: Labels = vec![
            ("kind", identity.kind.to_owned()),
            ("model", identity.model.clone()),
            ("software", identity.software.clone()),
        ];
        info.get_or_create(&labels).set(1.0);
        board.register("info", "What the board is; always 1", info);
        let Some(reading) = self.agent.sampler.watch().borrow().clone() else { return };
        let values = description.sensors.iter().zip(&reading.sample.values);
        let present: Vec<(&Sensor, f64)> =
            values.filter_map(|(s, value)| Some((s, *value.as_ref().ok()?))).collect();
        for (quantity, name, label, help, unit) in GAUGES {
            let gauges = Gauges::default();
            for (sensor, value) in present.iter().filter(|(s, _)| s.quantity == quantity) {
                gauges.get_or_create(&vec![(label, sensor.part.clone())]).set(*value);
            }
            board.register_with_unit(name, help, Unit::Other(unit.into()), gauges);
        }
        let events = Counters::default();
        for (sensor, value) in present.iter().filter(|(s, _)| s.quantity == Quantity::Count) {
            events.get_or_create(&vec![("event", sensor.part.clone())]).inc_by(*value);
        }
        board.register(
            "events",
            "Events that the board counts, as over-current throttling",
            events,
        );
        let absent = Gauges::default();
        let values = description.sensors.iter().zip(&reading.sample.values);
        for (sensor, reason) in values.filter_map(|(s, value)| Some((s, value.as_ref().err()?))) {
            let labels =
                vec![("sensor", sensor.to_string()), ("reason", reason.as_str().to_owned())];
            absent.get_or_create(&labels).set(1.0);
        }
        board.register("sensor_absent", "Sensors that have no value, and why; always 1", absent);
        if let Ok(watts) = reading.sample.total_power {
            let total: Gauge<f64, AtomicU64> = Gauge::default();
            total.set(watts);
            let help = "Total power, by the board's own rule of what adds up";
            board.register_with_unit("total_power", help, Unit::Other("watts".into()), total);
        }
        let energy: Counter<f64, AtomicU64> = Counter::default();
        energy.inc_by(reading.joules);
        let help = "Energy drawn since the agent started, while there was a power reading";
        board.register_with_unit("energy", help, Unit::Joules, energy);
    }

    async fn control(&self, registry: &mut Registry) {
        let standing = self.agent.control.standing().await;
        let agent = registry.sub_registry_with_prefix("agent");
        let mut gauge = |name: &str, help: &str, value: f64| {
            let own: Gauge<f64, AtomicU64> = Gauge::default();
            own.set(value);
            agent.register(name, help, own);
        };
        let yes = |is: bool| if is { 1.0 } else { 0.0 };
        gauge("lease_held", "Whether somebody holds the board", yes(standing.lease.is_some()));
        gauge("mode_set", "Whether a mode is set", yes(standing.wanted.is_some()));
        let count = standing.overrides.len() as f64;
        gauge("mode_overrides", "Knobs that do not show what was set", count);
        let pending = yes(standing.unrestored.is_some());
        gauge("restore_pending", "Whether the board could not be put back yet", pending);
        let counts = standing.counts;
        for (name, help, value) in [
            ("mode_changes", "Changes of the mode", counts.mode_changes),
            ("mode_change_failures", "Changes of the mode that failed", counts.failed_mode_changes),
            ("restores", "Times that the board was put back", counts.restores),
            ("restore_failures", "Times that it could not be", counts.failed_restores),
            ("guard_actions", "Times that a guard stepped down", counts.guard_actions),
            ("leases", "Leases taken", counts.leases),
            ("expired_leases", "Leases that ended without being released", counts.expired_leases),
        ] {
            let own: Counter<u64, AtomicU64> = Counter::default();
            own.inc_by(value);
            agent.register(name, help, own);
        }
    }
}

/// Quantity, name, label, help and unit of each kind of sensor.
const GAUGES: [(Quantity, &str, &str, &str, &str); 9] = [
    (Quantity::Power, "power", "rail", "Power of a rail", "watts"),
    (Quantity::Voltage, "voltage", "rail", "Voltage of a rail", "volts"),
    (Quantity::Current, "current", "rail", "Current of a rail", "amperes"),
    (Quantity::Temperature, "temperature", "zone", "Temperature of a zone", "celsius"),
    (Quantity::Clock, "clock", "domain", "Clock of a part", "hertz"),
    (Quantity::Load, "load", "part", "How busy a part is, 0 to 1", "ratio"),
    (Quantity::FanDrive, "fan_drive", "fan", "How hard a fan is driven, 0 to 1", "ratio"),
    (Quantity::FanSpeed, "fan_speed", "fan", "Speed of a fan", "rpm"),
    (Quantity::Memory, "memory", "kind", "Memory", "bytes"),
];

/// What the agent itself costs, as far as the kernel says.
fn own_cost(registry: &mut Registry) {
    let process = registry.sub_registry_with_prefix("agent_process");
    if let Some(seconds) = own_cpu_seconds() {
        let cpu: Counter<f64, AtomicU64> = Counter::default();
        cpu.inc_by(seconds);
        process.register_with_unit("cpu", "Processor time of the agent", Unit::Seconds, cpu);
    }
    if let Some(bytes) = own_resident_bytes() {
        let resident: Gauge<f64, AtomicU64> = Gauge::default();
        resident.set(bytes);
        let help = "Resident memory of the agent";
        process.register_with_unit("resident_memory", help, Unit::Bytes, resident);
    }
}

fn own_cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold anything, and is the only field in parentheses.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / rustix::param::clock_ticks_per_second() as f64)
}

fn own_resident_bytes() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}

/// A line of text for the log: which sensors there are.
pub(crate) fn summary(sensors: &[Sensor]) -> String {
    let mut text = String::new();
    for (i, sensor) in sensors.iter().enumerate() {
        let _ = write!(text, "{}{sensor}", if i == 0 { "" } else { ", " });
    }
    text
}
