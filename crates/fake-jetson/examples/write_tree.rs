//! Writes the tree of an AGX Orin with JetPack 6 to a folder, for trying an agent on it:
//! `cargo run -p fulcrum-fake-jetson --example write_tree -- FOLDER`.

use std::io::Error;
use std::path::PathBuf;

use fulcrum_fake_jetson::orin_agx_jp6;

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).ok_or_else(|| Error::other("name a folder"))?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    orin_agx_jp6().write_to(&folder)
}
