//! Documents that are made from the code, and held against it: `make documents` writes them.

mod api;
mod command_line;
mod configuration;
mod errors;

use std::path::Path;

/// Holds a document of `docs/reference` against what the code tells; writes it where that is asked.
fn hold(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name);
    if std::env::var_os("FULCRUM_WRITE_DOCUMENTS").is_some() {
        std::fs::write(&path, text).expect("it is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "docs/reference/{name} is not what the code tells; run make documents");
}

/// Text as it may stand in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
