//! The optimizer as a process, with a store of its own.

#![expect(clippy::unwrap_used, reason = "what a test starts is there")]

mod bad_input;
mod crashes;
mod process;
mod searches;
