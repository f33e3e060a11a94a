//! Who is at the other end of a connection, as far as the connection tells.

use std::net::SocketAddr;

use fulcrum_access::{Identity, Role, Scope};
use rustix::process::geteuid;
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// Who is at the other end of a connection, as far as the connection tells.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where they call from: an address, or a process of this machine.
    pub(crate) from: String,
    /// The same without what differs from connection to connection.
    pub(crate) place: String,
    pub(crate) standing: Standing,
}

/// What a connection says of who is there.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// By a certificate that TLS has checked; not after that time.
    Certified(Identity, OffsetDateTime),
    /// By the kernel, or because whoever reaches this address is trusted.
    Trusted(Identity),
    /// It does not, and why.
    Stranger(String),
}

/// Which users of this machine may control through a local socket; whoever else reaches it may look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalUsers {
    /// All who reach it: the socket's owner and group decide.
    All,
    /// Root, the process's own user, and these, by number.
    These(Vec<u32>),
    /// None at all: it is for looking.
    None,
}

impl Peer {
    /// Whether it is by how they reached this process that they are let in, for good.
    pub(crate) fn is_trusted(&self) -> bool {
        matches!(self.standing, Standing::Trusted(_))
    }

    /// A process of this machine, which came through a local socket.
    pub(crate) fn local(user: u32, process: Option<i32>, controls: &LocalUsers) -> Self {
        let may = match controls {
            LocalUsers::All => true,
            LocalUsers::None => false,
            LocalUsers::These(users) => {
                user == 0 || user == geteuid().as_raw() || users.contains(&user)
            }
        };
        let role = if may { Role::Admin } else { Role::Viewer };
        let process = process.map_or_else(String::new, |process| format!(" process {process}"));
        let name = format!("user-{user}");
        let standing = Standing::Trusted(Identity { name, role, scope: Scope::WHOLE });
        let place = format!("user {user}");
        Self { from: format!("{place}{process}"), place, standing }
    }

    /// Whoever reaches an address without TLS.
    pub(crate) fn plain(from: SocketAddr, asks_for_tokens: bool) -> Self {
        let standing = if asks_for_tokens {
            Standing::Stranger("a token is needed here".into())
        } else {
            let name = "anybody".to_owned();
            Standing::Trusted(Identity { name, role: Role::Admin, scope: Scope::WHOLE })
        };
        Self { from: from.to_string(), place: from.ip().to_string(), standing }
    }

    /// Whoever has shaken hands over TLS, with the certificate that they showed, if any.
    pub(crate) fn secure(from: SocketAddr, certificate: Option<&[u8]>) -> Self {
        let standing = match certificate.map(certified) {
            None => Standing::Stranger("a client certificate or a token is needed here".into()),
            Some(Ok((identity, until))) => Standing::Certified(identity, until),
            Some(Err(why)) => Standing::Stranger(why),
        };
        Self { from: from.to_string(), place: from.ip().to_string(), standing }
    }
}

/// Who a certificate is for, and until when.
fn certified(der: &[u8]) -> Result<(Identity, OffsetDateTime), String> {
    let (_, certificate) =
        parse_x509_certificate(der).map_err(|_| "the certificate cannot be read".to_owned())?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let mut uris =
        names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
    let (Some(uri), None) = (uris.next(), uris.next()) else {
        let subject = certificate.subject();
        return Err(format!("the certificate of {subject} names no role, or more than one"));
    };
    let identity = uri.parse().map_err(|error| format!("the certificate's {error}"))?;
    Ok((identity, certificate.validity().not_after.to_datetime()))
}
