//! Tables that are written and read back, in one file or many.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod small_table;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use fulcrum_board::{ProfileTable, read_table, read_tables, write_table};
use fulcrum_domain::{BatchSize, ModeSpace, Profile, Seconds, Watts, Workload, WorkloadKind};
use proptest::prelude::*;
use small_table::{small_table, small_table_text};

fn written(table: &ProfileTable) -> Vec<u8> {
    let rows = table.offers().iter().flat_map(|offer| {
        let rows = table.rows(&offer.workload).iter();
        rows.map(|((mode, batch), profile)| (offer.workload.clone(), *mode, *batch, *profile))
    });
    let mut bytes = Vec::new();
    write_table(&mut bytes, table.device(), table.space(), rows).unwrap();
    bytes
}

type Row = (u8, bool, u32, Vec<u8>);

/// Any table: odd names and levels, holes, any positive readings.
fn any_table() -> impl Strategy<Value = ProfileTable> {
    let positive = prop_oneof![1e-12..1e12f64, any::<f64>().prop_map(f64::abs)]
        .prop_filter("a reading", |x| *x > 1e-300 && *x < 1e300);
    // The smallest tables mostly hold exact readings only.
    let error = prop_oneof![3 => Just(0.0), 1 => 1e-9..2.0f64];
    let name = r"[!-~]([ -~é\n]{0,6}[!-~])?";
    (1usize..4).prop_flat_map(move |knobs| {
        let row = (0u8..4, any::<bool>(), 1u32.., prop::collection::vec(0u8..5, knobs));
        let readings = (positive.clone(), positive.clone(), error.clone());
        (
            name,
            prop::collection::vec(name, 4),
            prop::collection::vec("k_[a-z ,]{0,5}[a-z]", knobs),
            prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 5),
            prop::collection::btree_map(row, readings, 1..40),
        )
            .prop_map(|(device, workloads, knobs, levels, rows)| {
                let knobs: Vec<String> =
                    knobs.iter().enumerate().map(|(i, knob)| format!("{knob}{i}")).collect();
                table_of(&device, &workloads, &knobs, &levels, &rows)
            })
    })
}

fn table_of(
    device: &str,
    workloads: &[String],
    knobs: &[String],
    levels: &[f64],
    rows: &BTreeMap<Row, (f64, f64, f64)>,
) -> ProfileTable {
    let levels_of =
        |row: &Row| -> Vec<f64> { row.3.iter().map(|&i| levels[usize::from(i)]).collect() };
    let modes: Vec<Vec<f64>> = rows.keys().map(levels_of).collect();
    let space = ModeSpace::from_modes(knobs, &modes).unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|(row, &(time, power, error))| {
            let kind = if row.1 { WorkloadKind::Train } else { WorkloadKind::Infer };
            let name = workloads[usize::from(row.0)].as_str().into();
            let mode = space.find_levels(&levels_of(row)).unwrap();
            let profile =
                Profile { minibatch: Seconds::new(time), power: Watts::new(power), error };
            (Workload { name, kind }, mode, BatchSize::new(row.2).unwrap(), profile)
        })
        .collect();
    ProfileTable::new(device, Arc::new(space), rows)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_exactly(table in any_table()) {
        let bytes = written(&table);
        let again = read_table("again.csv", bytes.as_slice());
        prop_assert_eq!(again.unwrap(), table);
    }
}

#[test]
fn only_a_table_of_noisy_readings_has_a_column_for_their_error() {
    let header = |table: &ProfileTable| {
        let text = String::from_utf8(written(table)).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    let exact = "device,workload,kind,batch_size,cpu_khz,gpu_khz,minibatch_ms,power_w";
    assert_eq!(header(&small_table()), exact);
    let noisy = small_table_text().replace('\n', ",0.02\n").replacen("0.02", "relative_error", 1);
    let noisy = read_table("t.csv", noisy.as_bytes()).unwrap();
    assert_eq!(header(&noisy), format!("{exact},relative_error"));
    let rows = noisy.offers().iter().flat_map(|offer| noisy.rows(&offer.workload));
    assert!(rows.into_iter().all(|(_, profile)| profile.error == 0.02));
}

/// A folder of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_byte_order_mark_windows_line_ends_and_blanks_change_nothing() {
    let text = small_table_text();
    let read = |text: &str| read_table("t.csv", text.as_bytes()).unwrap();
    assert_eq!(read(&format!("\u{feff}{text}")), small_table());
    assert_eq!(read(&text.replace('\n', "\r\n")), small_table());
    assert_eq!(read(&text.replace('\n', "\n\n")), small_table());
    assert_eq!(read(&text.replace(',', " , ")), small_table());
    assert_eq!(read(text.trim_end()), small_table());
}

#[test]
fn columns_may_come_in_any_order() {
    let reversed: Vec<String> = small_table_text()
        .lines()
        .map(|line| line.rsplit(',').collect::<Vec<_>>().join(","))
        .collect();
    let table = read_table("t.csv", reversed.join("\n").as_bytes()).unwrap();
    let knobs: Vec<_> = table.space().knobs().iter().map(|knob| knob.name().to_owned()).collect();
    assert_eq!(knobs, ["gpu_khz", "cpu_khz"]);
    assert_eq!(table.len(), small_table().len());
}

#[test]
fn files_and_folders_are_read_as_one_table() {
    let folder = Folder::new("files_and_folders");
    let text = small_table_text();
    let (header, rows) = text.split_once('\n').unwrap();
    let (train, infer): (Vec<&str>, Vec<&str>) =
        rows.lines().partition(|row| row.contains("train"));
    let train = folder.file("a.csv", &format!("{header}\n{}", train.join("\n")));
    // The same knobs in another order are the same.
    let header = header.replace("cpu_khz,gpu_khz", "gpu_khz,cpu_khz");
    let swapped = infer.iter().map(|row| {
        let mut fields: Vec<&str> = row.split(',').collect();
        fields.swap(4, 5);
        fields.join(",")
    });
    let swapped: Vec<String> = swapped.collect();
    let infer = folder.file("b.csv", &format!("{header}\n{}", swapped.join("\n")));
    folder.file("notes.txt", "not a table");
    assert_eq!(read_tables(&[train, infer]).unwrap(), small_table());
    assert_eq!(read_tables(std::slice::from_ref(&folder.0)).unwrap(), small_table());
}

#[test]
fn a_path_that_leads_nowhere_is_named() {
    let folder = Folder::new("nowhere");
    let message = |paths: &[PathBuf]| read_tables(paths).unwrap_err().to_string();
    let path = folder.0.display();
    assert_eq!(
        message(std::slice::from_ref(&folder.0)),
        format!("{path}: the folder holds no .csv file")
    );
    let missing = folder.0.join("missing.csv");
    assert_eq!(message(&[missing]), format!("{path}/missing.csv: there is no such file or folder"));
    assert_eq!(message(&[]), "no profile table was given; give a CSV file or a folder of them");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let folder = Folder::new("together");
    let text = small_table_text();
    let first = folder.file("a.csv", &text);
    let path = folder.0.display();
    let message = |text: &str| {
        let second = folder.file("b.csv", text);
        read_tables(&[first.clone(), second]).unwrap_err().to_string()
    };
    assert_eq!(
        message(&text),
        format!(
            "{path}/b.csv:2: repeats {path}/a.csv:2: same workload, kind, batch_size and knobs; \
             keep one of the rows"
        ),
    );
    assert_eq!(
        message(&text.replace("board,", "tx2,")),
        format!(
            "{path}/b.csv:2: column `device`: `tx2` is another device than `board` before it; \
             read one device at a time"
        ),
    );
    assert_eq!(
        message(&text.replace("cpu_khz", "dla_khz")),
        format!(
            "{path}/b.csv:1: column `dla_khz`: is no knob of {path}/a.csv; files that are read \
             together have the same knobs"
        ),
    );
    let fewer: Vec<String> = text
        .lines()
        .map(|line| {
            let mut fields: Vec<&str> = line.split(',').collect();
            fields.remove(4);
            fields.join(",")
        })
        .collect();
    assert_eq!(
        message(&fewer.join("\n")),
        format!(
            "{path}/b.csv:1: column `cpu_khz`: is missing; it is a knob of {path}/a.csv, and \
             files that are read together have the same"
        ),
    );
}
