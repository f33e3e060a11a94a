//! Who a certificate or a token is for, and for how long.

use clap::Args;
use fulcrum_access::{Identity, Labels, Role, Scope, UnknownRole};
use time::{Duration, OffsetDateTime};

use crate::exit::Failure;

/// What somebody may do, and where.
#[derive(Debug, Clone, Args)]
pub(super) struct May {
    /// What they are here for: viewer, operator, admin or workload
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub(super) role: Option<Role>,
    /// Boards that they may see and act on, by a label: site=oslo; may be given again. All of them
    /// unless given
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(super) scope: Vec<(String, String)>,
}

/// For how long something is taken.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Lasts {
    /// Days for which it is taken
    #[arg(long, value_name = "COUNT", default_value_t = 90,
        value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(super) days: u16,
}

impl May {
    /// Somebody of a name who may so much; none without a role.
    pub(super) fn identity(&self, name: &str) -> Result<Option<Identity>, Failure> {
        let labels: Labels = self.scope.iter().cloned().collect();
        let scope = Scope::of(labels);
        let scope = scope.map_err(|error| Failure::bad_input(format_args!("--scope: {error}")))?;
        let Some(role) = self.role else {
            if scope.is_whole() {
                return Ok(None);
            }
            return Err(Failure::bad_input(
                "--scope needs --role, for it limits what a role may do",
            ));
        };
        Identity::new(name, role, scope).map(Some).map_err(|_| {
            Failure::bad_input(format_args!(
                "NAME `{name}`: a name is 1 to 63 letters, digits, dots, hyphens and underscores"
            ))
        })
    }
}

impl Lasts {
    /// When it is over.
    pub(super) fn until(self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::days(self.days.into())
    }
}

fn role(text: &str) -> Result<Role, UnknownRole> {
    text.parse()
}

fn label(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = split.ok_or_else(|| format!("`{text}` is not like site=oslo"))?;
    Ok((name.to_owned(), value.to_owned()))
}
