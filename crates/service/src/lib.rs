//! What every service process needs: where it listens, what it serves, its log, the statuses of a
//! store's errors, and being stopped.

mod http;
mod name;
mod page;
mod process;
mod rpcs;
mod serve;
mod status;

pub use name::{new_id, request_id, resource_name, valid_name};
pub use page::page_size;
pub use process::{ServiceArgs, asked_to_stop, now_ms, time_of_ms};
pub use rpcs::RPCS;
pub use serve::{Bound, ServeError, bind, serve};
pub use status::of_store;
