//! A trace passes through headers and through what is kept, and nothing is told where nobody listens.

use std::time::{Duration, SystemTime};

use fulcrum_trace::{Kept, Past, Span, send_on};
use http::HeaderMap;
use opentelemetry::global;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

fn headers_of_here() -> HeaderMap {
    let mut headers = HeaderMap::new();
    send_on(&mut headers);
    headers
}

/// One test: what spans are told to is of the whole process.
#[test]
fn a_trace_passes_on() {
    let idle = Span::begin("nobody listens").saying("n", 1);
    assert_eq!((idle.kept(), Span::here().kept()), (Kept::default(), Kept::default()));
    assert!(headers_of_here().is_empty());

    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    global::set_tracer_provider(provider);
    global::set_text_map_propagator(TraceContextPropagator::new());

    assert!(Span::answer("seldom of interest", &HeaderMap::new(), false).is_none());
    let submit = Span::answer("submit", &HeaderMap::new(), true).unwrap();
    let (headers, left) = {
        let _here = submit.enter();
        assert_eq!(Span::here().kept(), submit.kept());
        (headers_of_here(), submit.kept())
    };
    assert!(headers_of_here().is_empty(), "what ended goes on");
    drop(Span::answer("solve", &headers, false).unwrap());
    let plan = Span::part_of(&Kept::new(left.as_str()), "plan").saying("board", "a");
    plan.failed("nothing fits");
    drop(plan);
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    Past::new("turn", began, began + Duration::from_millis(7)).saying("n", 3).part_of(&left);
    Past::new("later turn", began, began).because_of(&left);
    drop(Span::because_of(&left, "plan again"));
    drop(Span::part_of(&Kept::new("nonsense"), "of nothing"));
    drop(submit);

    let spans = exporter.get_finished_spans().unwrap();
    let named = |name: &str| -> &SpanData { spans.iter().find(|span| span.name == name).unwrap() };
    let submit = named("submit");
    assert_eq!((submit.parent_span_id, &submit.span_kind), (SpanId::INVALID, &SpanKind::Server));
    for part in ["solve", "plan", "turn"].map(named) {
        assert_eq!(part.parent_span_id, submit.span_context.span_id(), "{}", part.name);
        assert_eq!(part.span_context.trace_id(), submit.span_context.trace_id());
    }
    for apart in ["later turn", "plan again"].map(named) {
        assert_ne!(apart.span_context.trace_id(), submit.span_context.trace_id());
        assert_eq!(apart.links[0].span_context.trace_id(), submit.span_context.trace_id());
    }
    assert!(named("of nothing").links.is_empty());
    assert_eq!(named("plan").status, Status::error("nothing fits"));
    let turn = named("turn");
    assert_eq!(turn.end_time.duration_since(turn.start_time).unwrap(), Duration::from_millis(7));
    assert!(spans.iter().all(|span| span.name != "nobody listens"));
}
