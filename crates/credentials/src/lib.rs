//! What a process shows of itself and whom it believes: a folder with `ca.pem`, `cert.pem`,
//! `key.pem` and `token`, as TLS takes them, read again when a file changes.

mod credentials;
mod pem;
mod reread;
mod secret;

pub use credentials::{Credentials, CredentialsError, Loaded, Servers};
pub use reread::Reread;
pub use secret::Secret;
