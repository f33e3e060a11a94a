//! `fulcrum access`: the certificates and tokens that a fleet's processes and people show.

mod authority;
mod certificate;
mod files;
mod fleet;
mod token;
mod who;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// The commands of `fulcrum access`.
#[derive(Subcommand)]
pub(crate) enum AccessCommand {
    /// Make the certificates of a whole fleet to try it: an authority, services, boards and people.
    Fleet(fleet::FleetArgs),
    /// Make an authority, which signs certificates and is believed by all processes of a fleet.
    Authority(authority::AuthorityArgs),
    /// Make a certificate for a board, a service or a person.
    Certificate(certificate::CertificateArgs),
    /// Make a token, and say the entry that lets it in.
    Token(token::TokenArgs),
}

/// Runs one of the commands.
pub(crate) fn run(command: &AccessCommand) -> Result<Exit, Failure> {
    match command {
        AccessCommand::Fleet(args) => fleet::run(args),
        AccessCommand::Authority(args) => authority::run(args),
        AccessCommand::Certificate(args) => certificate::run(args),
        AccessCommand::Token(args) => token::run(args),
    }
}
