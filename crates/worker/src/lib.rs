//! For training and inference programs: take turns on a board through its agent.
//!
//! A program attaches to the agent's local socket and says what it runs. From then on it runs a
//! minibatch only while it has a turn: a [`Trainer`] asks before each minibatch, which costs
//! nothing while nobody else waits; a [`Batcher`] takes requests, and runs as many of them in one
//! minibatch as the agent says, when the agent says.
//!
//! ```no_run
//! use fulcrum_worker::{Options, Trainer};
//!
//! let mut trainer = Trainer::attach(Options::new("resnet18", [16]));
//! for batch in 0..1000 {
//!     trainer.minibatch(|| { /* forward, backward, step */ let _ = batch; });
//! }
//! ```
//!
//! Where no agent answers, both say so once and run as if alone: a program need not be changed back
//! to run elsewhere. An agent that goes away is looked for again.
//!
//! On the wire are lines of JSON, [`wire`]; `docs/worker-protocol.md` describes them for other
//! languages.

mod attachment;
mod batcher;
mod idle;
pub mod monotonic;
mod standing;
mod trainer;
pub mod wire;

pub use attachment::{AttachError, Options};
pub use batcher::{Batcher, Dropped, Pending};
pub use trainer::Trainer;
