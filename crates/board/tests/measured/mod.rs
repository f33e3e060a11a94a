//! Where the tables are that were measured on real boards. They come with no licence and stay
//! outside of the project; where they are missing, the tests over them are left out.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file or folder of the measured tables, such as `orin-agx`; none where they are missing and
/// need not be there.
pub(crate) fn measured(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!in_ci, "the measured tables are missing: {}", path.display());
    // Not by eprintln!, which says nothing in a test that passes.
    let left_out = format!("left out: there are no measured tables at {}\n", path.display());
    let _ = std::io::stderr().write_all(left_out.as_bytes());
    None
}
