//! Where an agent listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where an agent listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A socket on this machine.
    Socket(PathBuf),
    /// A host and port in the network, as `https://host:port`, or `http://host:port` where what is
    /// said may be read and changed on the way.
    Network(String),
}

impl Default for Address {
    /// The socket of the agent on this machine.
    fn default() -> Self {
        Self::Socket("/run/fulcrum/agent.sock".into())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fail = |problem| AddressError { text: text.to_owned(), problem };
        if let Some(path) = text.strip_prefix("unix://") {
            if !path.starts_with('/') {
                return Err(fail("has a path that is not absolute"));
            }
            return Ok(Self::Socket(path.into()));
        }
        let schemes = ["https://", "http://"];
        let found = schemes.iter().find_map(|scheme| Some((scheme, text.strip_prefix(scheme)?)));
        let Some((scheme, authority)) = found else {
            return Err(fail("does not say how to get there"));
        };
        let authority = authority.trim_end_matches('/');
        match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(Self::Network(format!("{scheme}{authority}")))
            }
            _ => Err(fail("has no host and port")),
        }
    }
}

impl Address {
    /// Whether what is said there is kept from others by TLS.
    pub fn is_secure(&self) -> bool {
        matches!(self, Self::Network(url) if url.starts_with("https://"))
    }

    /// The host and port of one in the network: `jetson-7:7600`.
    pub fn authority(&self) -> Option<&str> {
        match self {
            Self::Socket(_) => None,
            Self::Network(url) => url.split_once("://").map(|(_, authority)| authority),
        }
    }

    /// Whether nobody on the way there can read what is said: by TLS, or because it does not leave
    /// this machine.
    pub fn keeps_secrets(&self) -> bool {
        let Some((host, _)) = self.authority().and_then(|authority| authority.rsplit_once(':'))
        else {
            return true;
        };
        let host = host.trim_matches(['[', ']']);
        let loopback = |host: &str| host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        self.is_secure() || host == "localhost" || loopback(host)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Network(url) => f.write_str(url),
        }
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {problem}; write it like unix:///run/fulcrum/agent.sock or https://host:port")]
pub struct AddressError {
    text: String,
    problem: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_socket_or_a_host_and_port() {
        let socket: Address = "unix:///run/fulcrum/agent.sock".parse().unwrap();
        assert_eq!(socket, Address::default());
        assert_eq!(socket.to_string(), "unix:///run/fulcrum/agent.sock");
        let network: Address = "http://jetson-7:8470/".parse().unwrap();
        assert_eq!(network.to_string(), "http://jetson-7:8470");
        let secure: Address = "https://jetson-7:8470".parse().unwrap();
        assert_eq!(secure.authority(), Some("jetson-7:8470"));
    }

    #[test]
    fn a_secret_is_kept_by_tls_and_within_this_machine() {
        let keeps = |text: &str| text.parse::<Address>().unwrap().keeps_secrets();
        for text in ["unix:///a", "https://host:1", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(keeps(text), "{text}");
        }
        for text in ["http://host:1", "http://10.0.0.7:1", "http://127.0.0.1.evil.example:1"] {
            assert!(!keeps(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_would_be_right() {
        for text in ["", "jetson-7:8470", "unix://here.sock", "http://jetson", "http://:80", "ftp:"]
        {
            let message = text.parse::<Address>().expect_err(text).to_string();
            assert!(message.contains("write it like unix://"), "{message}");
        }
    }
}
