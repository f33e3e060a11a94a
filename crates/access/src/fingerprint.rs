//! What is kept of a secret.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// What is kept of a secret: its SHA-256, in hexadecimal. Secrets here have 256 random bits, so
/// nobody finds one by trying.
pub fn fingerprint(secret: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
