//! Whoever calls, and how a certificate says who that is.

use std::fmt;
use std::str::FromStr;

use crate::role::{Role, UnknownRole};
use crate::scope::{Labels, Scope, ScopeError};

/// What an identity in a certificate begins with.
const SCHEME: &str = "fulcrum://";
/// No name is longer.
const LONGEST: usize = 63;

/// Whoever calls. As text it is what a certificate has as its URI:
/// `fulcrum://operator/anna?site=oslo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For people, and for the audit.
    pub name: String,
    /// What they are here for.
    pub role: Role,
    /// The boards that they may see and act on.
    pub scope: Scope,
}

/// A text that is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is another kind of URI, or has a part too few.
    #[error("`{0}` is no identity; one is written like fulcrum://operator/anna?site=oslo")]
    Form(String),
    /// The role is none.
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// The scope is none.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

impl Identity {
    /// Somebody of a name, with a role, on some boards.
    ///
    /// # Errors
    /// When the name is not 1 to 63 letters, digits, dots, hyphens and underscores.
    pub fn new(name: &str, role: Role, scope: Scope) -> Result<Self, IdentityError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(plain) {
            return Err(form(name));
        }
        Ok(Self { name: name.to_owned(), role, scope })
    }
}

fn form(text: &str) -> IdentityError {
    IdentityError::Form(text.chars().take(2 * LONGEST).collect())
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.role, self.name)?;
        let mut between = '?';
        for (name, value) in self.scope.labels() {
            write!(f, "{between}{name}={value}")?;
            between = '&';
        }
        Ok(())
    }
}

impl FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| form(text))?;
        let (who, labels) = rest.split_once('?').map_or((rest, None), |(who, s)| (who, Some(s)));
        let (role, name) = who.split_once('/').ok_or_else(|| form(text))?;
        let mut scope = Labels::new();
        for label in labels.into_iter().flat_map(|labels| labels.split('&')) {
            let (name, value) = label.split_once('=').ok_or_else(|| form(text))?;
            // A label said twice means two things, and neither is taken.
            if scope.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(form(text));
            }
        }
        Self::new(name, role.parse()?, Scope::of(scope)?)
    }
}
