//! Files of PEM.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates of a file, the first one first.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |what: String| format!("{}: {what}", file.display());
    let found = CertificateDer::pem_file_iter(file).map_err(|error| wrong(said(&error)))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| wrong(said(&error)))?;
    if found.is_empty() {
        return Err(wrong("has no certificate; it begins with -----BEGIN CERTIFICATE-----".into()));
    }
    Ok(found)
}

/// The private key of a file. What is wrong is told without what is in it.
pub(crate) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let found = PrivateKeyDer::from_pem_file(file);
    found.map_err(|error| format!("{}: {}", file.display(), said(&error)))
}

/// The authorities of a file.
pub(crate) fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        let added = roots.add(certificate);
        added.map_err(|error| format!("{}: is no authority: {error}", file.display()))?;
    }
    Ok(roots)
}

/// What is wrong with a file, in words that never quote it.
fn said(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::Io(error) => error.to_string(),
        Error::NoItemsFound => "has no part of PEM that is wanted here".into(),
        _ => "is no PEM".into(),
    }
}
