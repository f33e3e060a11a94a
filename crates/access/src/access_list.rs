//! Who is let in by a token, and whose certificates are not taken any more.

use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::fingerprint::fingerprint;
use crate::identity::Identity;
use crate::scope::{Labels, Scope};

/// Who is let in by a token, and whose certificates are not taken any more.
#[derive(Debug, Clone, Default)]
pub struct AccessList {
    tokens: Vec<Token>,
    revoked: Vec<String>,
}

/// A token, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Who shows it.
    pub identity: Identity,
    /// From when on it is not taken any more.
    pub expires: OffsetDateTime,
    fingerprint: String,
}

/// A text that is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessListError {
    /// It is no TOML, or has an entry that nobody knows.
    #[error("{0}")]
    Form(String),
    /// A token is wrong.
    #[error("token {place}, {field}: {problem}")]
    Token {
        /// Which one, from 1.
        place: usize,
        /// What of it.
        field: &'static str,
        /// Why.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    revoked: Vec<String>,
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    role: String,
    sha256: String,
    expires: String,
    #[serde(default)]
    scope: Labels,
}

impl AccessList {
    /// Reads a list.
    ///
    /// # Errors
    /// Names the entry that is wrong, and says what would be right.
    pub fn from_toml(text: &str) -> Result<Self, AccessListError> {
        // What is wrong is told without the line, which may hold what nobody else should see.
        let form = |error: toml::de::Error| AccessListError::Form(error.message().to_owned());
        let file: File = toml::from_str(text).map_err(form)?;
        let tokens = file.token.into_iter().enumerate().map(|(at, entry)| token(at + 1, entry));
        Ok(Self { tokens: tokens.collect::<Result<_, _>>()?, revoked: file.revoked })
    }

    /// Who shows a secret. All that are known are compared, so that the time tells nothing.
    ///
    /// # Errors
    /// When nobody does, or it is over.
    pub fn identify(&self, secret: &str, now: OffsetDateTime) -> Result<&Identity, &'static str> {
        let shown = fingerprint(secret);
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.fingerprint.as_bytes().ct_eq(shown.as_bytes())) {
                found = Some(token);
            }
        }
        let token = found.ok_or("nobody has this token")?;
        if token.expires <= now {
            return Err("the token has expired");
        }
        if self.is_revoked(&token.identity.name) {
            return Err("the token is revoked");
        }
        Ok(&token.identity)
    }

    /// Whether whoever has this name is not let in any more.
    pub fn is_revoked(&self, name: &str) -> bool {
        self.revoked.iter().any(|revoked| revoked == name)
    }

    /// The tokens that are known.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

fn token(place: usize, entry: Entry) -> Result<Token, AccessListError> {
    let wrong = |field, problem: String| AccessListError::Token { place, field, problem };
    let role = entry.role.parse().map_err(|e| wrong("role", format!("{e}")))?;
    let scope = Scope::of(entry.scope).map_err(|e| wrong("scope", e.to_string()))?;
    let identity =
        Identity::new(&entry.name, role, scope).map_err(|e| wrong("name", e.to_string()))?;
    let expires = OffsetDateTime::parse(&entry.expires, &Rfc3339)
        .map_err(|_| wrong("expires", "is no time; write it like 2027-01-31T00:00:00Z".into()))?;
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if entry.sha256.len() != 64 || !entry.sha256.chars().all(hex) {
        let problem =
            "is not 64 hexadecimal digits in lower case, as `fulcrum access token` writes";
        return Err(wrong("sha256", problem.into()));
    }
    Ok(Token { identity, expires, fingerprint: entry.sha256 })
}
