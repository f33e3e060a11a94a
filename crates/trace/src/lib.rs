//! Spans of what goes on, and how a trace passes from process to process, into the store and out of
//! it again.
//!
//! A span is what OpenTelemetry calls one: something with a beginning and an end that is part of
//! something larger, to the request that all of it goes back to. Where nobody has said where to send
//! them (see `--otlp`), a span is nothing and costs nothing.
//!
//! Between processes a trace is a header, and in the store a text, in the form of
//! <https://www.w3.org/TR/trace-context/>.

mod past;
mod span;

pub use past::Past;
pub use span::{Kept, Span, send_on};
