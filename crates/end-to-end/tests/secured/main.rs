//! A fleet of real processes that speak over TLS alone.

#![expect(clippy::unwrap_used, reason = "what a test starts is there")]

mod authority;
mod besieged;
mod in_scope;
mod over_tls;
mod told;
