//! Pages of long lists.

use fulcrum_api::Malformed;

/// How many a page has: what was asked for, or the usual number.
///
/// # Errors
/// When more is asked for than a page may have.
pub fn page_size(asked: u32, usual: u32, most: u32) -> Result<i64, Malformed> {
    match asked {
        0 => Ok(i64::from(usual)),
        asked if asked <= most => Ok(i64::from(asked)),
        asked => Err(Malformed::new("page_size", format!("is {asked}; it is at most {most}"))),
    }
}
