//! What the edge of a process tells of itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use fulcrum_api::code_name;
use fulcrum_telemetry::{Metric, Snapshot};
use tonic::Code;

use crate::edge::Edge;

static CONNECTIONS: Metric = Metric::gauge(
    "fulcrum_edge_connections",
    &[],
    "Connections that are open, over all addresses that are listened at",
);
static CLOSED: Metric = Metric::counter(
    "fulcrum_edge_closed_connections",
    &["reason"],
    "Connections that were closed before any call: by the limits connections or connections-each, \
     or because tls did not come about",
);
static REFUSED: Metric = Metric::counter(
    "fulcrum_edge_refused_calls",
    &["code"],
    "Calls that were not let in, or were too slow, by their code",
);
static EXPIRES: Metric = Metric::gauge(
    "fulcrum_edge_certificate_expire_time_seconds",
    &[],
    "When the certificate that this process shows expires, in seconds since 1970; absent where it \
     has none",
);
static AUDITED: Metric = Metric::gauge(
    "fulcrum_edge_audit_writable",
    &[],
    "Whether the audit can be written; nothing is changed while it cannot; absent where it goes to \
     the log",
);

/// What every process tells of its edge.
pub static EDGE: &[&Metric] = &[&CONNECTIONS, &CLOSED, &REFUSED, &EXPIRES, &AUDITED];

/// With these calls are refused usually: they are told from the start, so that the first one counts.
const USUAL: [Code; 4] = [
    Code::Unauthenticated,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::DeadlineExceeded,
];

/// Why a connection is closed before any call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// There are as many as there may be.
    Connections,
    /// There are as many from there as there may be.
    ConnectionsEach,
    /// TLS did not come about.
    Tls,
}

impl Closed {
    const ALL: [Self; 3] = [Self::Connections, Self::ConnectionsEach, Self::Tls];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsEach => "connections-each",
            Self::Tls => "tls",
        }
    }
}

/// What an edge has seen since its process started.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    open: AtomicU64,
    closed: [AtomicU64; Closed::ALL.len()],
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counts {
    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self, why: Closed) {
        self.closed[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, code: Code) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(code_name(code)).or_default() += 1;
    }
}

impl Edge {
    /// Adds what is known of this edge.
    pub fn tell(&self, snapshot: &mut Snapshot) {
        let counts = self.counts();
        snapshot.set(&CONNECTIONS, [], counts.open.load(Ordering::Relaxed) as f64);
        for why in Closed::ALL {
            let times = counts.closed[why as usize].load(Ordering::Relaxed);
            snapshot.set(&CLOSED, [why.as_str()], times as f64);
        }
        let mut refused = counts.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for code in USUAL {
            refused.entry(code_name(code)).or_default();
        }
        for (code, times) in refused {
            snapshot.set(&REFUSED, [code], times as f64);
        }
        snapshot.set_known(&EXPIRES, [], self.expires().map(|at| at.unix_timestamp() as f64));
        let writable = self.audit().is_writable();
        snapshot.set_known(&AUDITED, [], writable.map(|is| if is { 1.0 } else { 0.0 }));
    }
}
