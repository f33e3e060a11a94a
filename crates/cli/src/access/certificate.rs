//! `fulcrum access certificate`: one certificate, in a folder that `--credentials` takes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use fulcrum_access::Identity;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

use super::authority::{Authority, CERTIFICATE, begins};
use super::files::{Holds, Replace, write};
use super::who::{Lasts, May};
use crate::exit::{Exit, Failure};

/// Arguments of `fulcrum access certificate`.
#[derive(Args)]
pub(crate) struct CertificateArgs {
    /// Whose it is: a board, a service or a person
    #[arg(value_name = "NAME")]
    name: String,
    /// Folder of the authority that signs it
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
    /// Folder to write ca.pem, cert.pem and key.pem to, for --credentials
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Host or address by which it is called, for whatever listens; may be given again
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    #[command(flatten)]
    may: May,
    #[command(flatten)]
    lasts: Lasts,
    #[command(flatten)]
    replace: Replace,
}

/// Makes a certificate.
pub(crate) fn run(args: &CertificateArgs) -> Result<Exit, Failure> {
    let who = args.may.identity(&args.name)?;
    if who.is_none() && args.host.is_empty() {
        return Err(Failure::bad_input(
            "it needs --host, --role or both: --host for what listens, --role for who calls",
        ));
    }
    let authority = Authority::read(&args.authority)?;
    let wanted =
        Wanted { name: &args.name, hosts: args.host.clone(), who, until: args.lasts.until() };
    wanted.write(&authority, &args.out, args.replace)?;
    writeln!(std::io::stderr(), "{}, for {} days", args.out.display(), args.lasts.days)?;
    Ok(Exit::Solved)
}

/// A certificate that is to be made.
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    /// By what it is called; none for who only calls.
    pub(super) hosts: Vec<String>,
    /// Whom it shows to those whom it calls; none for who only listens.
    pub(super) who: Option<Identity>,
    pub(super) until: OffsetDateTime,
}

impl Wanted<'_> {
    /// Makes it, signed by an authority, and writes it to a folder.
    pub(super) fn write(
        self,
        authority: &Authority,
        folder: &Path,
        replace: Replace,
    ) -> Result<(), Failure> {
        let mut params = CertificateParams::new(self.hosts.clone()).map_err(|error| {
            Failure::bad_input(format_args!("--host {}: {error}", self.hosts.join(", ")))
        })?;
        params.distinguished_name.push(DnType::CommonName, self.name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        if !self.hosts.is_empty() {
            params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
        }
        if let Some(who) = &self.who {
            params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ClientAuth);
            params.subject_alt_names.push(SanType::URI(who.to_string().try_into()?));
        }
        params.not_before = begins();
        params.not_after = self.until;
        let key = KeyPair::generate()?;
        let pem = params.signed_by(&key, &authority.issuer)?.pem();
        write(folder, "key.pem", &key.serialize_pem(), &Holds::Secret, replace)?;
        write(folder, "cert.pem", &pem, &Holds::Public, replace)?;
        write(folder, CERTIFICATE, &authority.pem, &Holds::Public, replace)
    }
}
