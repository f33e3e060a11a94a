//! What has ended already when it is told of.

use std::time::SystemTime;

use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry::{Context, KeyValue, Value, global};

use crate::span::{Kept, SCOPE};

/// A span of something that is over.
#[derive(Debug)]
pub struct Past {
    name: &'static str,
    began: SystemTime,
    ended: SystemTime,
    says: Vec<KeyValue>,
}

impl Past {
    /// From when to when it went on.
    pub const fn new(name: &'static str, began: SystemTime, ended: SystemTime) -> Self {
        Self { name, began, ended, says: Vec::new() }
    }

    /// The same, which says this of itself.
    #[must_use]
    pub fn saying(mut self, what: &'static str, value: impl Into<Value>) -> Self {
        self.says.push(KeyValue::new(what, value));
        self
    }

    /// Tells of it as a part of something.
    pub fn part_of(self, kept: &Kept) {
        self.tell(&kept.context(), None);
    }

    /// Tells of it as a trace of its own that has to do with something.
    pub fn because_of(self, kept: &Kept) {
        self.tell(&Context::new(), Some(kept));
    }

    fn tell(self, parent: &Context, because_of: Option<&Kept>) {
        let tracer = global::tracer(SCOPE);
        let span = tracer.span_builder(self.name).with_start_time(self.began);
        let span = span.with_attributes(self.says);
        let links = because_of.and_then(Kept::link).into_iter().collect();
        span.with_links(links).start_with_context(&tracer, parent).end_with_timestamp(self.ended);
    }
}
