//! What a check answers.

use serde::Serialize;

/// How a check came out, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// It does not apply to this machine.
    Skip,
    /// It is as it should be.
    Ok,
    /// Something works less well than it could.
    Warn,
    /// Something that Fulcrum needs does not work.
    Fail,
}

impl Verdict {
    /// The verdict in one word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One check's answer. The id is an interface: programs and bug reports name checks by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// The check's stable name.
    pub(crate) id: &'static str,
    /// How it came out.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) found: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
}

impl Check {
    /// As it should be.
    pub(crate) fn ok(id: &'static str, found: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Ok, found: found.into(), advice: None }
    }

    /// It does not apply here, and why not.
    pub(crate) fn skip(id: &'static str, found: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Skip, found: found.into(), advice: None }
    }

    /// Less well than it could, and what to do.
    pub(crate) fn warn(
        id: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { id, verdict: Verdict::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    /// Does not work, and what to do.
    pub(crate) fn fail(
        id: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { id, verdict: Verdict::Fail, found: found.into(), advice: Some(advice.into()) }
    }
}

/// The worst verdict of all checks.
pub(crate) fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Skip)
}
