//! What goes on, and what it is part of.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;

use http::HeaderMap;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{
    Link, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, ContextGuard, KeyValue, Value, global};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};

/// The header of a request by which a trace passes on.
const HEADER: &str = "traceparent";
/// What makes spans, by which collectors tell ours from those of libraries.
pub(crate) const SCOPE: &str = "fulcrum";

/// Something that goes on, as part of something larger. It ends when the last that goes on within it
/// has ended and it is dropped.
#[derive(Debug, Clone)]
pub struct Span(Context);

/// Where a trace was left, to be gone on with by another process or another day. Empty where there
/// is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept(String);

impl Kept {
    /// From what [`Kept::as_str`] gave; from anything else nothing.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What to keep.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn context(&self) -> Context {
        let carrier = HashMap::from([(HEADER.to_owned(), self.0.clone())]);
        global::get_text_map_propagator(|form| form.extract_with_context(&Context::new(), &carrier))
    }

    pub(crate) fn link(&self) -> Option<Link> {
        let of: SpanContext = self.context().span().span_context().clone();
        of.is_valid().then(|| Link::with_context(of))
    }
}

impl Span {
    /// What goes on here; nothing, where nothing does.
    pub fn here() -> Self {
        Self(Context::current())
    }

    /// A part of what goes on here; a trace of its own, where nothing does.
    pub fn begin(name: &'static str) -> Self {
        Self::start(name, SpanKind::Internal, Vec::new(), &Context::current())
    }

    /// A part of something that was left.
    pub fn part_of(kept: &Kept, name: &'static str) -> Self {
        Self::start(name, SpanKind::Internal, Vec::new(), &kept.context())
    }

    /// A trace of its own that has to do with something that was left.
    pub fn because_of(kept: &Kept, name: &'static str) -> Self {
        let links = kept.link().into_iter().collect();
        Self::start(name, SpanKind::Internal, links, &Context::new())
    }

    /// The answer to a request: a part of what the request is part of. None where it is part of
    /// nothing, unless `always` says that it begins something.
    pub fn answer(name: &'static str, headers: &HeaderMap, always: bool) -> Option<Self> {
        if !always && !headers.contains_key(HEADER) {
            return None;
        }
        let parent = global::get_text_map_propagator(|form| {
            form.extract_with_context(&Context::new(), &HeaderExtractor(headers))
        });
        Some(Self::start(name, SpanKind::Server, Vec::new(), &parent))
    }

    fn start(name: &'static str, kind: SpanKind, links: Vec<Link>, parent: &Context) -> Self {
        let tracer = global::tracer(SCOPE);
        let span = tracer.span_builder(name).with_kind(kind).with_links(links);
        Self(parent.with_span(span.start_with_context(&tracer, parent)))
    }

    /// The same, which says this of itself.
    #[must_use]
    pub fn saying(self, what: &'static str, value: impl Into<Value>) -> Self {
        self.says(what, value);
        self
    }

    /// Has it say this of itself.
    pub fn says(&self, what: &'static str, value: impl Into<Value>) {
        let span = self.0.span();
        if span.is_recording() {
            span.set_attribute(KeyValue::new(what, value));
        }
    }

    /// Has it say that it came to nothing.
    pub fn failed(&self, why: impl Into<Cow<'static, str>>) {
        self.0.span().set_status(Status::error(why));
    }

    /// What goes on within it.
    pub fn within<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.with_context(self.0.clone())
    }

    /// What this thread does until the guard is dropped goes on within it.
    pub fn enter(&self) -> ContextGuard {
        self.0.clone().attach()
    }

    /// Where it can be gone on with; empty where nothing is told of it.
    pub fn kept(&self) -> Kept {
        if !self.0.has_active_span() {
            return Kept::default();
        }
        let mut carrier = HashMap::new();
        global::get_text_map_propagator(|form| form.inject_context(&self.0, &mut carrier));
        Kept(carrier.remove(HEADER).unwrap_or_default())
    }
}

/// Has a request to another process carry on what goes on here.
pub fn send_on(headers: &mut HeaderMap) {
    Context::map_current(|context| {
        if context.has_active_span() {
            global::get_text_map_propagator(|form| {
                form.inject_context(context, &mut HeaderInjector(headers));
            });
        }
    });
}
