//! Who may do what, as values: whoever calls has a name, a role and perhaps a scope, one table says
//! what each rpc asks for, and [`permit`] decides.
//!
//! Nothing here knows a network, a file or a clock; what is listed is given as text, and the time as
//! a value.

mod access_list;
mod allowance;
mod fingerprint;
mod identity;
mod permit;
mod role;
mod rpc;
mod scope;
mod subject;

pub use access_list::{AccessList, AccessListError, Token};
pub use allowance::{Allowance, Allowances};
pub use fingerprint::fingerprint;
pub use identity::{Identity, IdentityError};
pub use permit::{Refusal, permit};
pub use role::{Role, UnknownRole};
pub use rpc::{RPCS, Record, Rpc, Scoped, rpc};
pub use scope::{Labels, Scope, ScopeError};
pub use subject::subject;
