//! Names of things that a service keeps.

use fulcrum_api::Malformed;

/// No name is longer.
const LONGEST: usize = 63;

/// A name that people give: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter
/// or a digit.
///
/// # Errors
/// Names the field, and says what would be right.
pub fn valid_name<'a>(field: &str, name: &'a str) -> Result<&'a str, Malformed> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(fits) || name.starts_with('-') {
        let shown: String = name.chars().take(LONGEST).collect();
        let what = format!(
            "is `{shown}`; a name is 1 to {LONGEST} lower-case letters, digits and hyphens, \
             beginning with a letter or a digit"
        );
        return Err(Malformed::new(field, what));
    }
    Ok(name)
}

/// The last part of a resource's name: `7f3a…` of `searches/7f3a…`.
///
/// # Errors
/// Names the field, and says what would be right.
pub fn resource_name<'a>(field: &str, kind: &str, name: &'a str) -> Result<&'a str, Malformed> {
    let id = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
    id.filter(|id| !id.is_empty() && id.len() <= 64 && !id.contains('/')).ok_or_else(|| {
        let shown: String = name.chars().take(LONGEST).collect();
        Malformed::new(field, format!("is `{shown}`; write it like `{kind}/…`"))
    })
}

/// The id of a request, which tells it from all others: at most 64 bytes; empty for none.
///
/// # Errors
/// Says what would be right.
pub fn request_id(id: &str) -> Result<&str, Malformed> {
    if id.len() > 64 || id.chars().any(char::is_control) {
        let what = "is not a text of at most 64 bytes without control characters";
        return Err(Malformed::new("request_id", what));
    }
    Ok(id)
}

/// A name that nothing else has: 96 random bits.
///
/// # Panics
/// When the system gives no random numbers.
#[expect(clippy::expect_used, reason = "a system without random numbers cannot go on")]
pub fn new_id() -> String {
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits[4..]).expect("the system gives random numbers");
    format!("{:024x}", u128::from_be_bytes(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["a", "cam-1", "7", &"x".repeat(63)] {
            assert_eq!(valid_name("name", good), Ok(good));
        }
        for bad in ["", "-a", "A", "a b", "a'; DROP TABLE jobs;", "ü", &"x".repeat(64)] {
            let error = valid_name("job.name", bad).unwrap_err();
            assert_eq!(error.field, "job.name");
            assert!(error.problem.len() < 250, "{error}");
        }
        assert_eq!(resource_name("name", "searches", "searches/ab"), Ok("ab"));
        for bad in ["ab", "searches/", "searches/a/b", "jobs/ab"] {
            assert!(resource_name("name", "searches", bad).is_err());
        }
        assert_ne!(new_id(), new_id());
        assert_eq!(new_id().len(), 24);
    }
}
