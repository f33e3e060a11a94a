//! docs/reference/errors.md: how commands end, and the reasons that statuses carry.

use std::fmt::Write as _;

use fulcrum_api::REASONS;

use super::{cell, hold};
use crate::exit::EXIT_CODES;

const HEADING: &str = "\
# Errors

A command that fails says one line on stderr, which begins with `fulcrum: error:` and names the flag, or the file with its line, that is wrong. Its exit code says the kind.

This document is made from the code: `make documents` writes it.

## Exit codes of `fulcrum`

| code | meaning |
|---|---|
";

const STATUSES: &str = "
A status of a service becomes an exit code so:

| status | exit code |
|---|---|
| `INVALID_ARGUMENT`, `NOT_FOUND`, `OUT_OF_RANGE` | 2 |
| `UNAVAILABLE`, `DEADLINE_EXCEEDED`, `CANCELLED`, or no connection | 7 |
| `FAILED_PRECONDITION`, `PERMISSION_DENIED`, `UNAUTHENTICATED`, `RESOURCE_EXHAUSTED`, `ABORTED` | 8 |
| any other | 1 |

The agent and the services end with 0 when they are asked to stop, with 2 when their settings are wrong, and with 1 when they cannot go on.

## Reasons

The agent, the optimizer and the scheduler answer over gRPC. A request that does not hold what it should is refused with `INVALID_ARGUMENT`; its details (`google.rpc.BadRequest`) name the field and the problem. Other refusals carry a reason for programs (`google.rpc.ErrorInfo`, domain `fulcrum`):

| reason | meaning | what to do |
|---|---|---|
";

const PASSING: &str = "
`UNAVAILABLE` may pass: try again. Every change may be sent again as it is.
";

#[test]
fn the_document_of_errors_is_that_of_the_code() {
    let mut text = HEADING.to_owned();
    for line in EXIT_CODES.lines().skip(1) {
        let (code, meaning) = line.trim().split_once(' ').expect("a code and its meaning");
        let _ = writeln!(text, "| {code} | {} |", cell(meaning));
    }
    text.push_str(STATUSES);
    for reason in REASONS {
        let _ = writeln!(text, "| `{}` | {} | {} |", reason.name, reason.meaning, reason.action);
    }
    text.push_str(PASSING);
    hold("errors.md", &text);
}
