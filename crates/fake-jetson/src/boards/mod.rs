//! The boards, each from recorded values.

mod clocks;
mod orin_agx;
mod orin_nano;
mod orin_parts;
mod thor;
mod xavier_nx;

pub use orin_agx::{orin_agx_jp5, orin_agx_jp6};
pub use orin_nano::orin_nano;
pub use thor::thor;
pub use xavier_nx::xavier_nx;

use crate::tree::FakeTree;

/// A board by name.
#[derive(Debug, Clone, Copy)]
pub struct Jetson {
    /// Its name, for messages.
    pub name: &'static str,
    /// Makes its tree.
    pub tree: fn() -> FakeTree,
}

/// All boards.
pub const fn jetsons() -> [Jetson; 5] {
    [
        Jetson { name: "AGX Orin, JetPack 5", tree: orin_agx_jp5 },
        Jetson { name: "AGX Orin, JetPack 6", tree: orin_agx_jp6 },
        Jetson { name: "Orin Nano", tree: orin_nano },
        Jetson { name: "Xavier NX, JetPack 4", tree: xavier_nx },
        Jetson { name: "AGX Thor", tree: thor },
    ]
}
