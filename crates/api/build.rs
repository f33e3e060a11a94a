//! Generates the protocol's types from `proto/`.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;
use tonic_prost_build::configure;

const ROOT: &str = "../../proto";
const FILES: [&str; 6] = [
    "fulcrum/v1/board.proto",
    "fulcrum/v1/agent.proto",
    "fulcrum/v1/turns.proto",
    "fulcrum/v1/plan.proto",
    "fulcrum/v1/optimizer.proto",
    "fulcrum/v1/scheduler.proto",
];
/// The messages that stores keep, as JSON.
const KEPT: [&str; 8] = [
    "Problem",
    "Outcome",
    "Plan",
    "PlannedWorkload",
    "Remedy",
    "SearchSpec",
    "JobSpec",
    "Relative",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={ROOT}");
    let descriptors = protox::compile(FILES, [ROOT])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    // Ordered maps, so that equal messages are equal bytes.
    let mut builder = configure().btree_map(".");
    for message in KEPT {
        let derived = "#[derive(serde::Serialize, serde::Deserialize)] #[serde(default)]";
        builder = builder.message_attribute(format!("fulcrum.v1.{message}"), derived);
    }
    builder.compile_fds(descriptors)?;
    Ok(())
}
