//! What somebody is here for.

use std::fmt;
use std::str::FromStr;

/// What somebody is here for. Each of the first three may do what the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, and changes nothing.
    Viewer,
    /// Borrows boards, sets modes, measures, searches, and submits jobs.
    Operator,
    /// Says which boards there are, what they may draw together, and what was measured elsewhere.
    Admin,
    /// A program that trains or infers on a board: sees what the board is and whose turn it is.
    Workload,
}

impl Role {
    /// All of them, in words and in order.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Admin, Self::Workload];

    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Workload => "workload",
        }
    }

    /// Whether it may do what needs another.
    pub fn covers(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Workload, _) | (_, Self::Workload) => self == needed,
            (own, needed) => own >= needed,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role; it is viewer, operator, admin or workload")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| UnknownRole(text.chars().take(32).collect()))
    }
}
