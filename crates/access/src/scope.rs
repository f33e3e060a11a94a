//! Which boards somebody may see and act on.

use std::collections::BTreeMap;
use std::fmt;

/// Labels by name, as boards have them.
pub type Labels = BTreeMap<String, String>;

/// No name or value is longer.
const LONGEST: usize = 63;

/// Which boards somebody may see and act on: those that have all of these labels. Without labels it
/// is the whole fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope(Labels);

/// Labels that cannot be a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be in a scope; a label's name and its value are 1 to 63 letters, digits, dots, \
     hyphens, underscores and slashes, like site=oslo"
)]
pub struct ScopeError(String);

impl Scope {
    /// The whole fleet.
    pub const WHOLE: Self = Self(Labels::new());

    /// Those boards that have all of these labels.
    ///
    /// # Errors
    /// Names the label that cannot be in a scope.
    pub fn of(labels: Labels) -> Result<Self, ScopeError> {
        let fits = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
            (1..=LONGEST).contains(&text.len()) && text.chars().all(plain)
        };
        match labels.iter().find(|(name, value)| !fits(name) || !fits(value)) {
            Some((name, value)) => {
                Err(ScopeError(format!("{name}={value}").chars().take(LONGEST).collect()))
            }
            None => Ok(Self(labels)),
        }
    }

    /// Whether it is the whole fleet.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something with these labels is within it. So is a choice of boards by these labels:
    /// whatever has more of them is within it too.
    pub fn holds(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    /// Its labels.
    pub const fn labels(&self) -> &Labels {
        &self.0
    }
}

impl fmt::Display for Scope {
    /// `site=oslo,kind=orin`, or `the whole fleet`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            return f.write_str("the whole fleet");
        }
        let labels: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&labels.join(","))
    }
}
