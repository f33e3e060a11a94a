//! What the whole edge of a process shares.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use fulcrum_access::{
    AccessList, Allowance, Allowances, Identity, Labels, Refusal, Rpc, Scope, permit,
};
use fulcrum_api::{because, call_as, reason};
use fulcrum_credentials::{Credentials, Reread, Servers};
use time::OffsetDateTime;
use tonic::{Code, Status};
use x509_parser::parse_x509_certificate;

use crate::arguments::EdgeArgs;
use crate::audit::Audit;
use crate::bound::EdgeError;
use crate::limits::{AT_ONCE, Limits, REMEMBERED, STRANGERS};
use crate::metrics::{Closed, Counts};
use crate::open_files::allow_many;
use crate::peer::{Peer, Standing};
use crate::seats::Full;
use crate::seldom::Seldom;

/// What the whole edge of a process shares: whom it believes, how much it lets in, and where it
/// writes down what was done. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Edge(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    credentials: Option<Credentials>,
    access: Option<Reread<AccessList>>,
    audit: Audit,
    allow_plain: bool,
    board: Labels,
    limits: Limits,
    callers: Mutex<Allowances>,
    strangers: Mutex<Allowances>,
    began: Instant,
    turned_away: Seldom,
    handshakes: Seldom,
    not_accepted: Seldom,
    counts: Arc<Counts>,
}

impl Edge {
    /// Opens what the arguments name. From then on this process calls others with its credentials.
    ///
    /// # Errors
    /// Names the argument that is wrong.
    pub fn open(arguments: &EdgeArgs, usual: Limits) -> Result<Self, EdgeError> {
        Self::of_board(arguments, usual, Labels::new())
    }

    /// The same for a process that speaks for a board with these labels.
    ///
    /// # Errors
    /// Names the argument that is wrong.
    pub fn of_board(arguments: &EdgeArgs, usual: Limits, board: Labels) -> Result<Self, EdgeError> {
        let credentials = arguments.credentials.as_ref().map(Credentials::open).transpose()?;
        if let Some(credentials) = &credentials {
            call_as(credentials.clone());
        }
        let access = arguments.access.as_deref().map(access_list).transpose()?;
        let audit = Audit::open(arguments.audit.as_deref())?;
        let limits = arguments.limits(usual);
        allow_many();
        let each = |a_second: f64, at_once: f64| {
            Mutex::new(Allowances::new(Allowance { a_second, at_once }, REMEMBERED))
        };
        Ok(Self(Arc::new(Inner {
            credentials,
            access,
            audit,
            allow_plain: arguments.allow_plain,
            board,
            limits,
            callers: each(limits.calls_a_second, AT_ONCE * limits.calls_a_second),
            strangers: each(STRANGERS, 10.0 * STRANGERS),
            began: Instant::now(),
            turned_away: Seldom::default(),
            handshakes: Seldom::default(),
            not_accepted: Seldom::default(),
            counts: Arc::default(),
        })))
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    pub(crate) fn allows_plain(&self) -> bool {
        self.0.allow_plain
    }

    pub(crate) fn audit(&self) -> &Audit {
        &self.0.audit
    }

    pub(crate) fn counts(&self) -> &Arc<Counts> {
        &self.0.counts
    }

    /// When the certificate of this process expires; none where it has none.
    pub(crate) fn expires(&self) -> Option<OffsetDateTime> {
        let loaded = self.0.credentials.as_ref()?.now();
        let (_, certificate) = parse_x509_certificate(loaded.certificate.as_ref()?).ok()?;
        Some(certificate.validity().not_after.to_datetime())
    }

    /// What this process shows of itself over TLS; absent where it has no certificate.
    pub(crate) fn servers(&self) -> Option<Servers> {
        self.0.credentials.as_ref()?.now().server.clone()
    }

    pub(crate) fn asks_for_tokens(&self) -> bool {
        self.0.access.is_some()
    }

    /// Who calls: by their token, if they show one, and else by their connection.
    pub(crate) fn who(&self, peer: &Peer, token: Option<&str>) -> Result<Identity, Status> {
        let known = match (token, &peer.standing) {
            (Some(token), _) => self.shows(token),
            (None, Standing::Trusted(identity)) => Ok(identity.clone()),
            (None, Standing::Certified(identity, until)) => {
                let is_revoked = |list: &Reread<AccessList>| list.now().is_revoked(&identity.name);
                if *until <= OffsetDateTime::now_utc() {
                    Err("the certificate has expired".to_owned())
                } else if self.0.access.as_ref().is_some_and(is_revoked) {
                    Err("the certificate is revoked".to_owned())
                } else {
                    Ok(identity.clone())
                }
            }
            (None, Standing::Stranger(why)) => Err(why.clone()),
        };
        known.map_err(|why| {
            if take(&self.0.strangers, &peer.place, self.0.began) {
                because(Code::Unauthenticated, reason::UNAUTHENTICATED, why)
            } else {
                let why = format!("too many calls from {} that nobody knows", peer.place);
                because(Code::ResourceExhausted, reason::TOO_MANY_CALLS, why)
            }
        })
    }

    fn shows(&self, token: &str) -> Result<Identity, String> {
        let list = self.0.access.as_ref().ok_or("no tokens are known here; it has no --access")?;
        let list = list.now();
        let found = list.identify(token, OffsetDateTime::now_utc());
        found.cloned().map_err(str::to_owned)
    }

    /// Whether somebody may make this call now.
    pub(crate) fn admit(&self, who: &Identity, rpc: &Rpc) -> Result<(), Status> {
        self.not_too_often(who)?;
        permit(who, rpc, &self.0.board).map_err(|refusal| forbidden(&refusal))
    }

    /// Whether somebody has not called too often.
    pub(crate) fn not_too_often(&self, who: &Identity) -> Result<(), Status> {
        if take(&self.0.callers, &who.name, self.0.began) {
            return Ok(());
        }
        let most = self.0.limits.calls_a_second;
        let why = format!("{} calls more than {most} times a second", who.name);
        Err(because(Code::ResourceExhausted, reason::TOO_MANY_CALLS, why))
    }

    pub(crate) fn turned_away(&self, from: &str, full: Full) {
        let (limit, why) = match full {
            Full::All => ("--connections", Closed::Connections),
            Full::Each => ("--connections-each", Closed::ConnectionsEach),
        };
        self.0.counts.closed(why);
        self.0.turned_away.happened(|times| {
            tracing::warn!(from, times, "connections were closed, because {limit} allows no more");
        });
    }

    pub(crate) fn handshake_failed(&self, from: SocketAddr, why: &str) {
        self.0.counts.closed(Closed::Tls);
        self.0.handshakes.happened(|times| {
            tracing::warn!(%from, times, why, "TLS was refused");
        });
    }

    pub(crate) fn not_accepted(&self, error: &std::io::Error) {
        self.0.not_accepted.happened(|times| {
            tracing::warn!(%error, times, "connections could not be accepted");
        });
    }
}

/// What somebody is told who may not do something.
pub(crate) fn forbidden(refusal: &Refusal) -> Status {
    let reason = match refusal {
        Refusal::Role { .. } => reason::ROLE,
        Refusal::Scope { .. } => reason::SCOPE,
    };
    because(Code::PermissionDenied, reason, refusal.to_string())
}

/// The scope that a page, which shows the whole fleet, asks for.
pub(crate) fn sees_everything(who: &Identity) -> Result<(), Refusal> {
    if who.scope == Scope::WHOLE {
        return Ok(());
    }
    Err(Refusal::outside(who, "the pages and the metrics show all of them"))
}

fn take(allowances: &Mutex<Allowances>, who: &str, began: Instant) -> bool {
    allowances.lock().unwrap_or_else(PoisonError::into_inner).take(who, began.elapsed())
}

fn access_list(file: &Path) -> Result<Reread<AccessList>, EdgeError> {
    let from = PathBuf::from(file);
    let read = move || {
        let shown = from.display();
        let text = std::fs::read_to_string(&from).map_err(|error| format!("{shown}: {error}"))?;
        AccessList::from_toml(&text).map_err(|error| format!("{shown}: {error}"))
    };
    Reread::new(vec![file.to_owned()], read).map_err(EdgeError::Access)
}
