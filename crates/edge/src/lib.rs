//! The edge of every process: where it listens, who is let in, how much of them at a time, and what
//! is written down of what they do. What it decides by is `fulcrum-access`.

mod arguments;
mod audit;
mod bound;
mod connection;
mod edge;
mod gate;
mod incoming;
mod limits;
mod metrics;
mod open_files;
mod pages;
mod peer;
mod seats;
mod seldom;
mod watched;

pub use arguments::EdgeArgs;
pub use bound::{Bound, EdgeError, listen_address, page_address};
pub use edge::Edge;
pub use gate::Gate;
pub use incoming::Incoming;
pub use limits::Limits;
pub use metrics::EDGE;
pub use pages::guarded;
pub use peer::{LocalUsers, Peer};
