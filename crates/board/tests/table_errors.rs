//! Tables that are wrong: nothing panics, and one line says where and what would be right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod small_table;

use fulcrum_board::{TableProblem, read_table};
use proptest::prelude::*;
use small_table::small_table_text;

fn message(bytes: &[u8]) -> String {
    read_table("tables/a.csv", bytes).expect_err("it is wrong").to_string()
}

/// The table with one field replaced; lines and fields count from 0, line 0 is the header.
fn with_field(line: usize, field: usize, text: &str) -> String {
    let mut lines: Vec<Vec<String>> = small_table_text()
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    text.clone_into(&mut lines[line][field]);
    lines.iter().map(|fields| fields.join(",") + "\n").collect()
}

const COLUMNS: [&str; 8] =
    ["device", "workload", "kind", "batch_size", "cpu_khz", "gpu_khz", "minibatch_ms", "power_w"];

#[test]
fn a_field_that_is_wrong_is_named_with_what_would_be_right() {
    let ms = "milliseconds like 83.4";
    let level = "a knob's level like 1300500 (a column that is not reserved is a knob)";
    for (field, text, problem) in [
        (0, "", "is empty; write the device's name".to_owned()),
        (
            0,
            "tx2",
            "`tx2` is another device than `board` before it; read one device at a time".into(),
        ),
        (1, "", "is empty; write the network's name".into()),
        (2, "Train", "unknown kind `Train`; write train or infer".into()),
        (
            3,
            "0",
            "`0` is not a batch size; write a whole number from 1 to 4294967295, such as 16".into(),
        ),
        (
            3,
            "1.5",
            "`1.5` is not a batch size; write a whole number from 1 to 4294967295, such as 16"
                .into(),
        ),
        (4, "fast", format!("`fast` is not a number; write {level}")),
        (5, "", format!("`` is not a number; write {level}")),
        (5, "NaN", format!("`NaN` is not a finite number; write {level}")),
        (6, "abc", format!("`abc` is not a number; write {ms}")),
        (6, "inf", format!("`inf` is not a finite number; write {ms}")),
        (6, "1e999", format!("`1e999` is not a finite number; write {ms}")),
        (6, "1e-999", format!("`1e-999` is not greater than zero; write {ms}")),
        (6, "-3", format!("`-3` is not greater than zero; write {ms}")),
        (7, "0", "`0` is not greater than zero; write watts like 18.4".into()),
        (7, "nan", "`nan` is not a finite number; write watts like 18.4".into()),
        (7, "18W", "`18W` is not a number; write watts like 18.4".into()),
    ] {
        let expected = format!("tables/a.csv:12: column `{}`: {problem}", COLUMNS[field]);
        assert_eq!(message(with_field(11, field, text).as_bytes()), expected);
    }
}

#[test]
fn an_error_that_cannot_be_is_named_with_what_would_be_right() {
    let with_error = |text: &str| {
        let table = small_table_text().replace('\n', ",0.02\n");
        let table = table.replacen("0.02", "relative_error", 1).replacen("0.02", text, 1);
        message(table.as_bytes())
    };
    let right = "write a share like 0.02, or 0 for an exact reading";
    for (text, problem) in [
        ("-0.1", "`-0.1` is less than zero"),
        ("2%", "`2%` is not a number"),
        ("", "`` is not a number"),
        ("NaN", "`NaN` is not a finite number"),
    ] {
        let expected = format!("tables/a.csv:2: column `relative_error`: {problem}; {right}");
        assert_eq!(with_error(text), expected);
    }
}

#[test]
fn a_header_that_is_wrong_is_named_with_what_would_be_right() {
    let like = "device,workload,kind,batch_size,cpu_khz,gpu_khz,minibatch_ms,power_w";
    let header = |text: &str| message(format!("{text}\nx\n").as_bytes());
    assert_eq!(
        header("device,workload,kind,batch_size,gpu_khz,minibatch_ms,watts"),
        format!("tables/a.csv:1: column `power_w`: is missing; the header has to be like {like}"),
    );
    assert_eq!(
        header("device,workload,kind,batch_size,kind,minibatch_ms,power_w"),
        "tables/a.csv:1: column `kind`: is named again; its first place is 3, keep one of them",
    );
    assert_eq!(
        header("device,workload,kind,batch_size, ,minibatch_ms,power_w"),
        "tables/a.csv:1: column 5: has no name; name it in the header or remove it",
    );
    assert_eq!(
        header("device,workload,kind,batch_size,minibatch_ms,power_w"),
        "tables/a.csv:1: no column is a knob; add one for each thing that was set, such as gpu_khz",
    );
    let empty = format!(
        "tables/a.csv:1: the file is empty; its first line has to name the columns, such as {like}"
    );
    for bytes in [b"".as_slice(), b"\n\n", b"\xef\xbb\xbf"] {
        assert_eq!(message(bytes), empty);
    }
    assert_eq!(
        message(format!("{like}\n").as_bytes()),
        "tables/a.csv:1: there is no row below the header; each row is one profile",
    );
}

#[test]
fn a_row_that_is_wrong_is_named() {
    let text = small_table_text();
    assert_eq!(
        message((text.clone() + "board,a,train\n").as_bytes()),
        "tables/a.csv:26: column `batch_size`: the row has 3 fields where the header has 8; give it 8",
    );
    assert_eq!(
        message(text.replacen("\nboard", "\nboard,more", 1).as_bytes()),
        "tables/a.csv:2: column 9: the row has 9 fields where the header has 8; give it 8",
    );
    let row = text.lines().nth(3).unwrap();
    assert_eq!(
        message(format!("{text}{row}\n").as_bytes()),
        "tables/a.csv:26: repeats tables/a.csv:4: same workload, kind, batch_size and knobs; \
         keep one of the rows",
    );
    let mut bytes = text.into_bytes();
    let at = bytes.windows(6).position(|bytes| bytes == b"\nboard").unwrap() + 3;
    bytes[at] = 0xff;
    assert_eq!(
        message(&bytes),
        "tables/a.csv:2: column 1: is not UTF-8; save the table as UTF-8 text",
    );
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let wrong = with_field(11, 7, "x");
    let line = |text: &str| read_table("t", text.as_bytes()).unwrap_err().line();
    assert_eq!(line(&wrong), Some(12));
    assert_eq!(line(&wrong.replace('\n', "\r\n")), Some(12));
    assert_eq!(line(&wrong.replace('\n', "\r")), Some(12));
    assert_eq!(line(&wrong.replace('\n', "\n\n")), Some(23));
    assert_eq!(line(&wrong.replace('\n', "\r\n\r\n")), Some(23));
    assert_eq!(line(&wrong.replacen(",b,", ",\"b\nb\",", 1)), Some(13), "a name of two lines");
}

#[test]
fn texts_in_messages_are_short_and_of_one_line() {
    let long = message(with_field(3, 7, &"9x".repeat(500)).as_bytes());
    assert!(long.len() < 200, "{long}");
    let lines = message(with_field(3, 2, "\"tr\nain\"").as_bytes());
    assert_eq!(
        lines,
        "tables/a.csv:4: column `kind`: unknown kind `tr\\nain`; write train or infer"
    );
}

#[test]
fn knobs_that_are_none_are_refused() {
    let header = "device,workload,kind,batch_size,a,b,minibatch_ms,power_w\n";
    let rows = |count: u32, b: fn(u32) -> u32| -> String {
        let rows = (0..count).map(|i| format!("x,w,train,1,{i},{},1,1\n", b(i)));
        header.to_owned() + &rows.collect::<String>()
    };
    let error = read_table("t", rows(65_537, |_| 0).as_bytes()).unwrap_err();
    assert!(matches!(error.problem(), TableProblem::TooManyLevels));
    assert_eq!(error.line(), Some(65_538));
    let error = read_table("t", rows(65_536, |i| i).as_bytes()).unwrap_err();
    assert!(matches!(error.problem(), TableProblem::TooManyModes), "{error}");
    assert!(read_table("t", rows(65_535, |i| i).as_bytes()).is_ok());
}

/// A text that is not right in a field of this column.
fn wrong_text(column: usize) -> BoxedStrategy<String> {
    let not_a_number = "[a-df-z_]{1,9}|[0-9]{1,3}[W%]|\\.|--1|0x10|1 2|";
    let not_positive = "-[0-9]{1,5}|0|0\\.0|-0|nan|NaN|inf|-inf|1e400";
    match column {
        0 => "[a-z]{6,9}|".boxed(),
        1 => " {0,3}".boxed(),
        2 => "training|inference|TRAIN|[a-d]{0,4}".boxed(),
        3 => prop_oneof![not_a_number, not_positive, "[0-9]\\.[0-9]", "4294967296"].boxed(),
        4 | 5 => prop_oneof![not_a_number, "nan|inf|-inf|1e400"].boxed(),
        _ => prop_oneof![not_a_number, not_positive].boxed(),
    }
}

proptest! {
    #[test]
    fn one_wrong_field_is_named_by_file_line_and_column(
        line in 2usize..24,
        (column, text) in (0usize..8).prop_flat_map(|c| (Just(c), wrong_text(c))),
        windows in any::<bool>(),
    ) {
        let mut table = with_field(line, column, &text);
        if windows {
            table = table.replace('\n', "\r\n");
        }
        let message = message(table.as_bytes());
        let place = format!("tables/a.csv:{}: column `{}`: ", line + 1, COLUMNS[column]);
        prop_assert!(message.starts_with(&place), "{}", message);
        prop_assert!(!message.contains('\n'));
    }

    #[test]
    fn a_cell_too_many_or_too_few_is_named(line in 1usize..25, column in 0usize..8, more in any::<bool>()) {
        let text = small_table_text();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut fields: Vec<&str> = lines[line].split(',').collect();
        if more { fields.insert(column, "1") } else { fields.truncate(column.max(1)) }
        lines[line] = fields.join(",");
        let message = message(lines.join("\n").as_bytes());
        let expected = if more { "9".to_owned() } else { format!("`{}`", COLUMNS[column.max(1)]) };
        let place = format!("tables/a.csv:{}: column {expected}: the row has ", line + 1);
        prop_assert!(message.starts_with(&place), "{}", message);
    }

    #[test]
    fn a_missing_or_repeated_column_is_named(column in 0usize..8, repeat in any::<bool>()) {
        let reserved = ![4, 5].contains(&column);
        let text = small_table_text();
        let lines = text.lines().map(|line| {
            let mut fields: Vec<&str> = line.split(',').collect();
            if repeat { fields.push(fields[column]) } else { fields.remove(column); }
            fields.join(",")
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        // Without one of two knobs it is still a table, in which rows repeat.
        let place = if repeat || reserved {
            format!("tables/a.csv:1: column `{}`: ", COLUMNS[column])
        } else {
            "tables/a.csv:".to_owned()
        };
        let message = message(text.as_bytes());
        prop_assert!(message.starts_with(&place), "{}", message);
    }

    #[test]
    fn a_repeated_row_names_both(first in 1usize..25, at in 1usize..25) {
        let text = small_table_text();
        let mut lines: Vec<&str> = text.lines().collect();
        let row = lines[first];
        lines.insert(at, row);
        let (one, two) = if at <= first { (at, first + 1) } else { (first, at) };
        let place = format!("tables/a.csv:{}: repeats tables/a.csv:{}: ", two + 1, one + 1);
        let message = message(lines.join("\n").as_bytes());
        prop_assert!(message.starts_with(&place), "{}", message);
    }

    #[test]
    fn any_bytes_give_a_table_or_one_line(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = read_table("any.csv", bytes.as_slice()) {
            prop_assert!(!error.to_string().contains(['\n', '\r']));
        }
    }

    #[test]
    fn a_damaged_table_gives_a_table_or_one_line(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = small_table_text().into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Err(error) = read_table("any.csv", bytes.as_slice()) {
            let message = error.to_string();
            prop_assert!(message.starts_with("any.csv:") && !message.contains(['\n', '\r']));
        }
    }
}
