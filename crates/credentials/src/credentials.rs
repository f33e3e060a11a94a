//! The folder, and what TLS makes of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::pem::{authorities, certificates, key};
use crate::reread::Reread;
use crate::secret::Secret;

const AUTHORITY: &str = "ca.pem";
const CERTIFICATE: &str = "cert.pem";
const KEY: &str = "key.pem";
const TOKEN: &str = "token";

/// What a process shows of itself, and whom it believes. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Credentials(Arc<Reread<Loaded>>);

/// A folder of credentials that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--credentials: {0}")]
pub struct CredentialsError(String);

/// What a folder of credentials says.
#[derive(Debug)]
pub struct Loaded {
    /// For calling others.
    pub client: Arc<ClientConfig>,
    /// For being called; absent where the folder has no certificate.
    pub server: Option<Servers>,
    /// The certificate that is shown, in DER; absent where the folder has none.
    pub certificate: Option<CertificateDer<'static>>,
    /// What is shown in place of a certificate, or beside it.
    pub token: Option<Secret>,
}

/// For being called, by what is spoken.
#[derive(Debug, Clone)]
pub struct Servers {
    /// By gRPC.
    pub grpc: Arc<ServerConfig>,
    /// By browsers, and by whoever reads metrics.
    pub pages: Arc<ServerConfig>,
}

impl Credentials {
    /// Reads a folder: `ca.pem`, the authorities that are believed; `cert.pem` and `key.pem`, both
    /// or neither; and `token`, where there is one.
    ///
    /// # Errors
    /// Names the file that is wrong, and says what would be right.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, CredentialsError> {
        let folder = folder.into();
        let files = [AUTHORITY, CERTIFICATE, KEY, TOKEN].map(|name| folder.join(name));
        let read = move || Loaded::read(&folder);
        let found = Reread::new(files.into(), read).map_err(CredentialsError)?;
        Ok(Self(Arc::new(found)))
    }

    /// What the folder says now.
    pub fn now(&self) -> Arc<Loaded> {
        self.0.now()
    }
}

impl Loaded {
    fn read(folder: &Path) -> Result<Self, String> {
        let roots = Arc::new(authorities(&folder.join(AUTHORITY))?);
        let at_hand = |name: &str| folder.join(name).exists();
        let token = folder.join(TOKEN);
        let token = match std::fs::read_to_string(&token) {
            Ok(text) => Some(Secret::new(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{}: {error}", token.display())),
        };
        let provider = Arc::new(ring::default_provider());
        if !at_hand(CERTIFICATE) && !at_hand(KEY) {
            let client = speaking_h2(client(&provider, roots)?.with_no_client_auth());
            return Ok(Self { client, server: None, certificate: None, token });
        }
        let (own, secret) = (folder.join(CERTIFICATE), folder.join(KEY));
        let (chain, private) = (certificates(&own)?, key(&secret)?);
        warn_if_open(&secret);
        let certificate = chain.first().cloned();
        let wrong = |error: rustls::Error| match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("{} is not the key of {}", secret.display(), own.display())
            }
            error => format!("{}: {error}", own.display()),
        };
        let client = client(&provider, roots.clone())?
            .with_client_auth_cert(chain.clone(), private.clone_key())
            .map_err(wrong)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            // Whoever has a token needs no certificate; what is shown has to be right, though.
            .allow_unauthenticated()
            .build()
            .map_err(|error| format!("{}: {error}", folder.join(AUTHORITY).display()))?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(wrong)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, private)
            .map_err(wrong)?;
        // A resumed session would bring a certificate that nobody looks at again.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let speaking = |protocol: &str| {
            let mut server = server.clone();
            server.alpn_protocols = vec![protocol.into()];
            Arc::new(server)
        };
        let server = Servers { grpc: speaking("h2"), pages: speaking("http/1.1") };
        Ok(Self { client: speaking_h2(client), server: Some(server), certificate, token })
    }
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, String> {
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots))
}

fn speaking_h2(mut client: ClientConfig) -> Arc<ClientConfig> {
    client.alpn_protocols = vec!["h2".into()];
    Arc::new(client)
}

/// Says so where a key may be read by everybody. Whoever mounts keys for a container often cannot
/// help it.
fn warn_if_open(key: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(key).map_or(0, |found| found.permissions().mode());
    if mode & 0o007 != 0 {
        let key = key.display();
        tracing::warn!(%key, "everybody on this machine may read this key; make it 0600");
    }
}
