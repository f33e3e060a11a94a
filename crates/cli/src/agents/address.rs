//! The flag that says where an agent listens.

use clap::Args;
use fulcrum_api::Address;

const HELP: &str = "Where the agent listens: unix:///run/fulcrum/agent.sock, https://host:port, or \
                    http://host:port without TLS";
const DEFAULT: &str = "unix:///run/fulcrum/agent.sock";

/// One agent.
#[derive(Debug, Clone, Args)]
pub(crate) struct OneAgent {
    #[arg(
        id = "agent", long = "agent", value_name = "ADDRESS", help = HELP, value_parser = address,
        env = "FULCRUM_AGENT", default_value = DEFAULT
    )]
    pub(crate) address: Address,
}

/// Agents, any number of them.
#[derive(Debug, Clone, Args)]
pub(crate) struct ManyAgents {
    #[arg(
        id = "agent", long = "agent", value_name = "ADDRESS", help = HELP, value_parser = address,
        env = "FULCRUM_AGENT", default_value = DEFAULT, value_delimiter = ','
    )]
    pub(crate) addresses: Vec<Address>,
}

/// An address as it is typed; a bare `host:port` is one in the network.
pub(crate) fn address(text: &str) -> Result<Address, String> {
    let text = text.trim();
    let bare = !text.contains("://") && text.contains(':');
    let text = if bare { format!("http://{text}") } else { text.to_owned() };
    text.parse().map_err(|error: fulcrum_api::AddressError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_and_port_is_one_in_the_network() {
        assert_eq!(address("jetson-7:8470"), address("http://jetson-7:8470"));
        assert_eq!(address(DEFAULT), Ok(Address::default()));
        for text in ["", "jetson-7", "jetson-7:many", "ftp://jetson-7:1"] {
            assert!(address(text).unwrap_err().contains("write it like"), "{text}");
        }
    }
}
