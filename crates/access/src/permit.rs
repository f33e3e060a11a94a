//! The decision.

use crate::identity::Identity;
use crate::role::Role;
use crate::rpc::{Rpc, Scoped};
use crate::scope::Labels;

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Their role does not cover it.
    #[error("{name} is here as {role}; {rpc} needs {needed}")]
    Role {
        /// Who.
        name: String,
        /// As what.
        role: Role,
        /// What they asked for.
        rpc: &'static str,
        /// The role that may.
        needed: Role,
    },
    /// Their scope does not hold it.
    #[error("{name} may see and act on boards with {scope} alone; {what}")]
    Scope {
        /// Who.
        name: String,
        /// What their scope is.
        scope: String,
        /// What is outside.
        what: String,
    },
}

impl Refusal {
    /// Something is outside of somebody's scope.
    pub fn outside(who: &Identity, what: impl Into<String>) -> Self {
        Self::Scope { name: who.name.clone(), scope: who.scope.to_string(), what: what.into() }
    }
}

/// Whether somebody may make a call to a process that speaks for a board with these labels, or for
/// none.
///
/// # Errors
/// Says why not.
pub fn permit(who: &Identity, rpc: &Rpc, board: &Labels) -> Result<(), Refusal> {
    if let Some(needed) = rpc.needs
        && !who.role.covers(needed)
        && !(rpc.workload && who.role == Role::Workload)
    {
        let name = who.name.clone();
        return Err(Refusal::Role { name, role: who.role, rpc: rpc.short_name(), needed });
    }
    if who.scope.is_whole() {
        return Ok(());
    }
    match rpc.scoped {
        Scoped::Free | Scoped::Service => Ok(()),
        Scoped::Board if who.scope.holds(board) => Ok(()),
        Scoped::Board => Err(Refusal::outside(who, "this board is not one of them")),
        Scoped::Refused => {
            let what = format!("{} is not about some boards alone", rpc.short_name());
            Err(Refusal::outside(who, what))
        }
    }
}
