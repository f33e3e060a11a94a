//! Whatever the bytes, the table reader answers with a table that can be written and read back, or
//! with one line that says where it went wrong.

#![no_main]

use fulcrum_board::{ProfileTable, read_table, write_table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match read_table("fuzz.csv", bytes) {
    Ok(table) => {
        assert!(!table.is_empty());
        let again = read_table("again.csv", written(&table).as_slice()).expect("what was written");
        assert_eq!(again, table);
    }
    Err(error) => {
        let message = error.to_string();
        assert!(!message.contains(['\n', '\r']), "{message:?}");
        assert!(message.starts_with("fuzz.csv:"), "{message:?}");
    }
});

fn written(table: &ProfileTable) -> Vec<u8> {
    let rows = table.offers().iter().flat_map(|offer| {
        let rows = table.rows(&offer.workload).iter();
        rows.map(|((mode, batch), profile)| (offer.workload.clone(), *mode, *batch, *profile))
    });
    let mut bytes = Vec::new();
    write_table(&mut bytes, table.device(), table.space(), rows).expect("a Vec takes every byte");
    bytes
}
