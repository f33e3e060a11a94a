//! What was checked, for people and for programs.

use serde::Serialize;

use super::check::{Check, Verdict, worst};

/// One line a check, its advice beneath, and a line that counts.
pub(crate) fn for_people(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        lines.push(format!("{:<4}  {:<width$}  {}", check.verdict.as_str(), check.id, check.found));
        if let Some(advice) = &check.advice {
            lines.push(format!("{:4}  {:width$}  -> {advice}", "", ""));
        }
    }
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    lines.push(format!(
        "{} ok, {} to look at, {} failed, {} do not apply",
        count(Verdict::Ok),
        count(Verdict::Warn),
        count(Verdict::Fail),
        count(Verdict::Skip),
    ));
    lines.join("\n")
}

/// The checks as one JSON object.
pub(crate) fn for_programs(checks: &[Check]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Report<'a> {
        verdict: Verdict,
        checks: &'a [Check],
    }
    serde_json::to_string_pretty(&Report { verdict: worst(checks), checks })
}
