//! The reasons that refusals carry for programs, in one list: docs/reference/errors.md is made of it.

/// Why something was refused, for programs; names never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// As it stands in the details of a status.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What whoever asked can do.
    pub action: &'static str,
}

macro_rules! reasons {
    ($($name:ident: $meaning:literal, $action:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $name: Reason =
                Reason { name: stringify!($name), meaning: $meaning, action: $action };
        )*
        /// All of them, by name.
        pub const REASONS: &[Reason] = &[$($name),*];
    };
}

reasons! {
    AGENT_MALFORMED: "A board's agent answers what makes no sense",
        "Look whether agent and services are of the same release";
    AGENT_UNREACHABLE: "A board's agent does not answer the optimizer",
        "Look whether it runs, and at the way there; try again";
    BOARD_GONE: "The agent has lost its board and is ending",
        "Look at the agent's log; systemd starts it again";
    CONTROL_DENIED: "The kernel does not let the agent write a control",
        "`fulcrum doctor` on the board names the file";
    CONTROL_MISSING: "A control of the board is not there any more",
        "`fulcrum doctor` on the board names the file";
    CONTROL_REFUSED: "The kernel refused a value, or shows another one",
        "Look for who else sets clocks; try again";
    JOURNAL_FAILED: "The state found could not be written down, so nothing was changed",
        "Look whether the agent's state folder can be written";
    LEASE_HELD: "Another holds the board",
        "Wait until it is given back; `fulcrum board lease show` says who holds it";
    LEASE_NOT_HELD: "The lease is over, or was never this caller's",
        "Take the lease anew";
    NEEDS_REBOOT: "The mode would need a restart of the board",
        "Choose another; Fulcrum sets none that needs one";
    NOT_ALLOWED_HERE: "The agent's settings do not allow that level of a knob",
        "Choose within the agent's `allow`, or change that";
    NOT_FOUND: "There is no such thing",
        "Look at the name";
    NOT_RESTORED: "The board could not be put back into the state found, so nobody gets it",
        "Look in the agent's log for the knob; a restart of the board ends it";
    NO_AUDIT: "A control action could not be written down, so it was not done",
        "Make room for the audit, or look whether its file can be written";
    ROLE: "The caller's role does not cover this",
        "Ask somebody of the role that the message names";
    SCOPE: "A board or a job is outside of the caller's scope",
        "Choose boards by all labels of the scope, or ask for a wider one";
    STALE_GENERATION: "A newer plan is in force",
        "Nothing: who sent this was overtaken";
    STORE_FULL: "The database has no room left on its disk",
        "Make room; what was to be kept is tried again";
    STORE_REFUSED: "The database refused, or its tables are of another release",
        "Look at the service's log";
    STORE_UNAVAILABLE: "The database does not answer",
        "Look whether it runs; try again";
    TOO_LARGE: "A request is larger than one of its kind may be",
        "Ask in parts";
    TOO_MANY_CALLS: "More calls than one name or address may make",
        "Wait a moment; `--calls-a-second` of the process says how many";
    TOO_MANY_CHANGES: "The power mode was changed too often or too soon",
        "Wait; the agent's `minimum-dwell` and `changes-a-minute` say how long";
    TOO_SLOW: "The answer did not begin in time",
        "Try again; look at the load of the process";
    UNAUTHENTICATED: "Nobody who is known here",
        "Show a certificate or a token of this fleet: docs/security.md";
    UNKNOWN_MODE: "The board has no such power mode",
        "`fulcrum board modes` lists all";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_in_order_and_each_once() {
        assert!(REASONS.windows(2).all(|two| two[0].name < two[1].name));
    }
}
