//! Bad files: one line that names file, line and column, and exit code 2.

use std::path::PathBuf;

use crate::running::{folder, fulcrum};
use crate::small_board::write_tables;

const HEADER: &str = "device,workload,kind,batch_size,gpu_khz,minibatch_ms,power_w\n";
const ROW: &str = "small,net,train,16,300000,80.5,20.25\n";

fn file(name: &str, text: &str) -> PathBuf {
    let path = folder(&format!("bad_tables/{name}")).join("table.csv");
    std::fs::write(&path, text).expect("written");
    path
}

/// The complaint about planning over a table with this text.
fn complaint(name: &str, text: &str) -> String {
    let path = file(name, text);
    let profiles = path.to_str().expect("text");
    let ran = fulcrum(&["plan", "--profiles", profiles, "--train", "net", "--power", "30W"]);
    let said = ran.complaint();
    assert!(said.contains("table.csv"), "{said}");
    said.to_owned()
}

#[test]
fn a_malformed_table_names_file_line_and_column() {
    let second = |row: &str| format!("{HEADER}{ROW}{row}\n");
    let wrong = [
        ("text", second("small,net,train,16,600000,abc,20"), ":3", "minibatch_ms"),
        ("nan", second("small,net,train,16,600000,60,NaN"), ":3", "power_w"),
        ("infinite", second("small,net,train,16,600000,inf,20"), ":3", "minibatch_ms"),
        ("negative", second("small,net,train,16,600000,-60,20"), ":3", "minibatch_ms"),
        ("zero", second("small,net,train,16,600000,60,0"), ":3", "power_w"),
        ("batch", second("small,net,train,0,600000,60,20"), ":3", "batch_size"),
        ("kind", second("small,net,learn,16,600000,60,20"), ":3", "kind"),
        ("knob", second("small,net,train,16,high,60,20"), ":3", "gpu_khz"),
    ];
    for (name, text, line, column) in wrong {
        let said = complaint(name, &text);
        assert!(said.contains(line) && said.contains(column), "{name}: {said}");
    }
}

#[test]
fn a_table_that_is_none_names_its_file() {
    complaint("empty", "");
    complaint("header_only", HEADER);
    assert!(complaint("duplicate", &format!("{HEADER}{ROW}{ROW}")).contains(":3"));
    assert!(complaint("short_row", &format!("{HEADER}small,net\n")).contains(":2"));
    let missing = HEADER.replace(",power_w", "");
    assert!(complaint("missing", &missing).contains("power_w"));
}

#[test]
fn a_path_that_leads_nowhere_is_named() {
    let nowhere = folder("bad_tables/nowhere");
    for path in [nowhere.join("no.csv"), nowhere] {
        let profiles = path.to_str().expect("text");
        let ran = fulcrum(&["plan", "--profiles", profiles, "--train", "net", "--power", "30W"]);
        assert!(ran.complaint().contains(profiles), "{ran:?}");
    }
}

#[test]
fn a_malformed_problems_file_names_file_line_and_column() {
    let tables = folder("bad_tables/problems");
    write_tables(&tables);
    let header = "train,infer,rate_hz,latency_ms,power_w\n";
    let wrong = [
        ("rate", format!("{header}net,eye,0,800,30\n"), "rate_hz"),
        ("power", format!("{header}net,,,,30W\n"), "power_w"),
        ("latency", format!("{header}net,eye,60,NaN,30\n"), "latency_ms"),
        ("nothing", format!("{header},,,,30\n"), "train"),
    ];
    for (name, text, column) in wrong {
        let problems = file(&format!("problems_{name}"), &text);
        let ran = fulcrum(&[
            "evaluate",
            "--profiles",
            tables.to_str().expect("text"),
            "--strategy",
            "maxn",
            "--problems",
            problems.to_str().expect("text"),
        ]);
        let said = ran.complaint();
        assert!(said.contains("table.csv:2") && said.contains(column), "{name}: {said}");
    }
    let problems = file("problems_unknown", &format!("{header}nosuch,,,,30\n"));
    let ran = fulcrum(&[
        "evaluate",
        "--profiles",
        tables.to_str().expect("text"),
        "--strategy",
        "maxn",
        "--problems",
        problems.to_str().expect("text"),
    ]);
    assert!(ran.complaint().contains("nosuch"), "{ran:?}");
}
