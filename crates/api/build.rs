//! Generates the protocol's types from `proto/`.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;
use tonic_prost_build::configure;

const ROOT: &str = "../../proto";
const FILES: [&str; 3] =
    ["fulcrum/v1/board.proto", "fulcrum/v1/agent.proto", "fulcrum/v1/turns.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={ROOT}");
    let descriptors = protox::compile(FILES, [ROOT])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    // Ordered maps, so that equal messages are equal bytes.
    configure().btree_map(".").compile_fds(descriptors)?;
    Ok(())
}
