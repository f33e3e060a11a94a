//! Kernel trees of Jetsons, for tests: built from recorded values, and misbehaving on demand.
//!
//! A [`FakeTree`] is a [`Files`](fulcrum_board::Files) in memory, with devices behind it: what is
//! written takes effect as a kernel lets it, and time passes when it is told to, or with a clock.
//! [`FakeTree::write_to`] makes a folder of it, for tests with real processes.
//!
//! ```
//! use std::path::Path;
//! use fulcrum_board::Files as _;
//!
//! let tree = fulcrum_fake_jetson::orin_agx_jp6();
//! let before = tree.controls();
//! tree.write(Path::new("/sys/devices/system/cpu/cpu11/online"), "0").unwrap();
//! let online = tree.read(Path::new("/sys/devices/system/cpu/online")).unwrap();
//! assert_eq!(online, "0-10\n");
//! assert_eq!(tree.controls().differences(&before).len(), 1);
//! ```

mod boards;
mod controls;
mod devices;
mod faults;
mod folder;
mod layout;
mod log;
mod misbehaviours;
mod nodes;
mod nvpmodel;
mod renumbering;
mod tree;
mod vendor_modes;
mod world;

pub use boards::{Jetson, jetsons, orin_agx_jp5, orin_agx_jp6, orin_nano, thor, xavier_nx};
pub use controls::Controls;
pub use devices::KernelProfile;
pub use log::{Served, Written};
pub use nvpmodel::Nvpmodel;
pub use tree::FakeTree;
pub use vendor_modes::VendorMode;
