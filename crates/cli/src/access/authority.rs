//! `fulcrum access authority`: what signs the certificates of a fleet.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

use super::files::{Holds, Replace, write};
use crate::exit::{Exit, Failure};

/// The authority's own certificate, which all processes of a fleet believe.
pub(super) const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";
/// Clocks of boards may be late by so much.
const LATE: Duration = Duration::hours(1);
/// An authority is there for ten years.
const LASTS: Duration = Duration::days(3650);

/// Arguments of `fulcrum access authority`.
#[derive(Args)]
pub(crate) struct AuthorityArgs {
    /// Folder to write ca.pem and ca-key.pem to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    replace: Replace,
}

/// Makes an authority.
pub(crate) fn run(args: &AuthorityArgs) -> Result<Exit, Failure> {
    Authority::make(&args.folder, args.replace)?;
    writeln!(
        std::io::stderr(),
        "{} goes to every process; {} stays here, for whoever has it lets in anybody",
        args.folder.join(CERTIFICATE).display(),
        args.folder.join(KEY).display()
    )?;
    Ok(Exit::Solved)
}

/// What signs certificates.
pub(super) struct Authority {
    /// Its own certificate.
    pub(super) pem: String,
    pub(super) issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes one, and writes it to a folder.
    pub(super) fn make(folder: &Path, replace: Replace) -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Fulcrum authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = OffsetDateTime::now_utc() - LATE;
        params.not_after = OffsetDateTime::now_utc() + LASTS;
        let pem = params.self_signed(&key)?.pem();
        write(folder, KEY, &key.serialize_pem(), &Holds::Secret, replace)?;
        write(folder, CERTIFICATE, &pem, &Holds::Public, replace)?;
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// Whether there is one in a folder.
    pub(super) fn is_in(folder: &Path) -> bool {
        folder.join(KEY).exists()
    }

    /// Reads the one of a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let text = |name: &str| {
            let path = folder.join(name);
            let text = std::fs::read_to_string(&path);
            text.map_err(|error| Failure::of_file("--authority", &path, &error))
        };
        // What is wrong with a key is told without what is in it.
        let wrong = |name: &str| {
            let path = folder.join(name);
            Failure::bad_input(format_args!("--authority {}: is no such PEM", path.display()))
        };
        let (pem, key) = (text(CERTIFICATE)?, text(KEY)?);
        let key = KeyPair::from_pem(&key).map_err(|_| wrong(KEY))?;
        let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(|_| wrong(CERTIFICATE))?;
        Ok(Self { pem, issuer })
    }
}

/// When a certificate that is made now begins.
pub(super) fn begins() -> OffsetDateTime {
    OffsetDateTime::now_utc() - LATE
}
