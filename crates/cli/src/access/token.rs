//! `fulcrum access token`: a secret for those who cannot show a certificate, as browsers and
//! Prometheus may be.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use fulcrum_access::fingerprint;
use time::format_description::well_known::Rfc3339;

use super::files::{Holds, Replace, write};
use super::who::{Lasts, May};
use crate::exit::{Exit, Failure};

/// Arguments of `fulcrum access token`.
#[derive(Args)]
pub(crate) struct TokenArgs {
    /// Who shows it
    #[arg(value_name = "NAME")]
    name: String,
    /// Folder to write it to, as `token`, for --credentials
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    may: May,
    #[command(flatten)]
    lasts: Lasts,
    #[command(flatten)]
    replace: Replace,
}

/// Makes a token; the entry that lets it in goes to stdout, to be appended to the file of --access.
pub(crate) fn run(args: &TokenArgs) -> Result<Exit, Failure> {
    let who = args.may.identity(&args.name)?;
    let who = who.ok_or_else(|| {
        Failure::bad_input("it needs --role: viewer, operator, admin or workload")
    })?;
    let mut bits = [0u8; 32];
    getrandom::fill(&mut bits)?;
    let mut secret = String::from("fulcrum-");
    for byte in bits {
        let _ = write!(secret, "{byte:02x}");
    }
    // Whole seconds, as people write times.
    let until = args.lasts.until().replace_nanosecond(0)?.format(&Rfc3339)?;
    write(&args.out, "token", &format!("{secret}\n"), &Holds::Secret, args.replace)?;
    let mut entry = format!(
        "[[token]]\nname = \"{}\"\nrole = \"{}\"\nsha256 = \"{}\"\nexpires = \"{until}\"\n",
        who.name,
        who.role,
        fingerprint(&secret)
    );
    for (name, value) in who.scope.labels() {
        let _ = writeln!(entry, "scope.\"{name}\" = \"{value}\"");
    }
    std::io::stdout().write_all(entry.as_bytes())?;
    Ok(Exit::Solved)
}
