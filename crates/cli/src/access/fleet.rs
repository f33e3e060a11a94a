//! `fulcrum access fleet`: the certificates of a whole fleet, to try it.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use fulcrum_access::{Identity, Role, Scope};

use super::authority::Authority;
use super::certificate::Wanted;
use super::files::Replace;
use super::who::Lasts;
use crate::exit::{Exit, Failure};

/// By what everything is called on the machine that it runs on.
const HERE: [&str; 2] = ["localhost", "127.0.0.1"];

/// Arguments of `fulcrum access fleet`.
#[derive(Args)]
pub(crate) struct FleetArgs {
    /// Folder to write everything to: the authority, and a folder for each process and person
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Board, and the host or address of its agent where that is not its name: jetson-7=10.0.0.7;
    /// may be given again
    #[arg(long, value_name = "NAME[=HOST]")]
    board: Vec<String>,
    /// Host or address of the scheduler and the optimizer, beside localhost and their names; may be
    /// given again
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    #[command(flatten)]
    lasts: Lasts,
    #[command(flatten)]
    replace: Replace,
}

/// By what something of a name is called.
fn called(name: &str) -> Vec<String> {
    [name].into_iter().chain(HERE).map(str::to_owned).collect()
}

/// Makes them, or, where there is an authority that may be used again, makes them anew.
pub(crate) fn run(args: &FleetArgs) -> Result<Exit, Failure> {
    let authority = if args.replace.replace && Authority::is_in(&args.folder) {
        Authority::read(&args.folder)?
    } else {
        Authority::make(&args.folder, args.replace)?
    };
    let until = args.lasts.until();
    let write = |folder: String, name: &str, hosts: Vec<String>, role: Option<Role>| {
        let identity = |role| Identity::new(name, role, Scope::WHOLE);
        let who = role.map(identity).transpose().map_err(Failure::bad_input)?;
        let wanted = Wanted { name, hosts, who, until };
        wanted.write(&authority, &args.folder.join(folder), args.replace)
    };
    for service in ["scheduler", "optimizer"] {
        let hosts = called(service).into_iter().chain(args.host.iter().cloned()).collect();
        // They borrow boards, and the scheduler asks the optimizer.
        write(service.to_owned(), service, hosts, Some(Role::Operator))?;
    }
    for board in &args.board {
        let (name, host) = board.split_once('=').unwrap_or((board, board));
        let mut hosts = called(name);
        if host != name {
            hosts.push(host.to_owned());
        }
        // A board calls nobody.
        write(format!("boards/{name}"), name, hosts, None)?;
    }
    for role in [Role::Admin, Role::Operator, Role::Viewer] {
        let name = role.as_str();
        write(format!("people/{name}"), name, Vec::new(), Some(role))?;
    }
    let folder = args.folder.display();
    let (boards, days) = (args.board.len(), args.lasts.days);
    let boards = if boards == 1 { "1 board".to_owned() } else { format!("{boards} boards") };
    writeln!(
        std::io::stderr(),
        "{folder}: an authority, the scheduler, the optimizer, {boards} and 3 people, for {days} \
         days; FULCRUM_CREDENTIALS={folder}/people/admin makes you the admin"
    )?;
    Ok(Exit::Solved)
}
