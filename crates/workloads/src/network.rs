//! The networks by name.

use std::fmt;
use std::str::FromStr;

/// A network that can be trained and asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// A residual network for small images: three stages of one basic block.
    Resnet,
    /// Depthwise separable convolutions for small images, after `MobileNet`.
    Mobilenet,
    /// A long short-term memory over short sequences.
    Lstm,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Resnet, Self::Mobilenet, Self::Lstm];

    /// What it is called: `resnet`, `mobilenet`, `lstm`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resnet => "resnet",
            Self::Mobilenet => "mobilenet",
            Self::Lstm => "lstm",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;
    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        let found = Self::ALL.into_iter().find(|network| network.as_str() == text);
        found.ok_or_else(|| UnknownNetwork { name: text.to_owned() })
    }
}

/// A name that no network has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown network `{name}`; known are: {}", Network::ALL.map(Network::as_str).join(", "))]
pub struct UnknownNetwork {
    /// The name.
    pub name: String,
}
