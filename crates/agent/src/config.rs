//! The agent's configuration: flags over environment over file over default, each value with its
//! origin.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};

use fulcrum_api::Address;
use fulcrum_edge::{EdgeArgs, LocalUsers, listen_address, page_address};
use fulcrum_telemetry::{LogFormat, LogLevel, OtlpArgs};

use crate::guard::GuardLimits;
use crate::limits::Limits;
use crate::turns::Admitted;

/// The kind of board that an agent speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A Jetson if it is one, else this machine
    Auto,
    /// An NVIDIA Jetson
    Jetson,
    /// Any Linux machine
    Host,
    /// A simulated Jetson AGX Orin, with simulated workloads
    SimulatedOrinAgx,
}

/// Speaks for one board: sensors, power modes under a lease, measuring
///
/// Every setting can be given as a flag, as an environment variable, or in a file of TOML under the
/// flag's name (`sample-interval = "100ms"`); flags win over the environment, that over the file.
#[expect(clippy::doc_markdown, reason = "these are shown to people as they stand")]
#[derive(Debug, Clone, Parser)]
#[command(name = "fulcrum-agent", version, allow_negative_numbers = true)]
pub struct Config {
    /// File of settings
    #[arg(long, env = "FULCRUM_AGENT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Kind of board
    #[arg(long, env = "FULCRUM_AGENT_BOARD", value_enum, default_value = "auto")]
    pub board: Kind,
    /// Root of the board's file system
    #[arg(long, env = "FULCRUM_AGENT_ROOT", value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// Local socket to serve on: for looking and for control. Who may use it its owner and group say
    #[arg(
        long,
        env = "FULCRUM_AGENT_SOCKET",
        value_name = "PATH",
        default_value = "/run/fulcrum/agent.sock"
    )]
    pub socket: PathBuf,
    /// Local socket to look through, which changes nothing, for everybody on this machine; `read.sock`
    /// beside the other one unless given
    #[arg(long, env = "FULCRUM_AGENT_READ_SOCKET", value_name = "PATH")]
    pub read_socket: Option<PathBuf>,
    /// User, by number, whose processes alone may control through the local socket beside root's and
    /// the agent's own; the others who may use it may look. All of them control unless given; may
    /// be given again
    #[arg(long, env = "FULCRUM_AGENT_CONTROL_USER", value_name = "USER", value_delimiter = ',')]
    pub control_user: Vec<u32>,
    /// Label of this board, as the fleet has it: site=oslo. Whoever is let in for some boards alone
    /// is let in by them; may be given again
    #[arg(long, env = "FULCRUM_AGENT_LABEL", value_name = "NAME=VALUE", value_delimiter = ',',
        value_parser = label)]
    pub label: Vec<(String, String)>,
    /// Local socket for workers to attach to; beside the other one unless given
    #[arg(long, env = "FULCRUM_AGENT_WORKER_SOCKET", value_name = "PATH")]
    pub worker_socket: Option<PathBuf>,
    /// User, by number, whose processes may attach as workers beside root's and the agent's own, or
    /// `any`; may be given again
    #[arg(long, env = "FULCRUM_AGENT_WORKER_USER", value_name = "USER", value_delimiter = ',',
        value_parser = user)]
    pub worker_user: Vec<User>,
    /// TCP address to serve on as well: https://0.0.0.0:7600 with --credentials, or 127.0.0.1:7600
    /// without TLS, where whoever reaches it can set the board's mode
    #[arg(long, env = "FULCRUM_AGENT_LISTEN", value_name = "ADDRESS",
        value_parser = listen_address)]
    pub listen: Option<Address>,
    /// TCP address to serve Prometheus metrics on, at /metrics: 127.0.0.1:9600
    #[arg(long, env = "FULCRUM_AGENT_METRICS", value_name = "ADDRESS", value_parser = page_address)]
    pub metrics: Option<SocketAddr>,
    /// Where metrics are sent to.
    #[command(flatten)]
    pub otlp: OtlpArgs,
    /// Who is let in, and how much of them.
    #[command(flatten)]
    pub edge: EdgeArgs,
    /// Folder for the journal of the state found
    #[arg(
        long,
        env = "FULCRUM_AGENT_STATE_DIR",
        value_name = "DIR",
        default_value = "/var/lib/fulcrum"
    )]
    pub state_dir: PathBuf,
    /// Time between readings of the sensors, 10ms to 1min
    #[arg(long, env = "FULCRUM_AGENT_SAMPLE_INTERVAL", value_name = "TIME", default_value = "100ms",
        value_parser = sample_interval)]
    pub sample_interval: Duration,
    /// Step down when a part is hotter than this, in degrees Celsius; `off` for never
    #[arg(long, env = "FULCRUM_AGENT_MAX_CELSIUS", value_name = "CELSIUS", default_value = "95",
        value_parser = threshold)]
    pub max_celsius: Threshold,
    /// Step down when the board draws more than this, in watts; `off` for never
    #[arg(long, env = "FULCRUM_AGENT_MAX_WATTS", value_name = "WATTS", default_value = "off",
        value_parser = threshold)]
    pub max_watts: Threshold,
    /// How long it has to be too hot or draw too much
    #[arg(long, env = "FULCRUM_AGENT_GUARD_HOLD", value_name = "TIME", default_value = "1s",
        value_parser = time)]
    pub guard_hold: Duration,
    /// Shortest time between two changes of the mode
    #[arg(long, env = "FULCRUM_AGENT_MINIMUM_DWELL", value_name = "TIME", default_value = "0s",
        value_parser = time)]
    pub minimum_dwell: Duration,
    /// Most changes of the mode a minute
    #[arg(
        long,
        env = "FULCRUM_AGENT_CHANGES_A_MINUTE",
        value_name = "COUNT",
        default_value_t = 600
    )]
    pub changes_a_minute: u32,
    /// Range that a knob may be set to: `gpu_khz=306000..918000`; may be given again
    #[arg(long, env = "FULCRUM_AGENT_ALLOW", value_name = "KNOB=LOW..HIGH", value_delimiter = ',',
        value_parser = range)]
    pub allow: Vec<(String, (f64, f64))>,
    /// Seconds that pass on a simulated board in each real one
    #[arg(long, env = "FULCRUM_AGENT_SPEED", value_name = "FACTOR", default_value = "1",
        value_parser = speed)]
    pub speed: f64,
    /// How a simulated board's readings scatter: measured or none
    #[arg(long, env = "FULCRUM_AGENT_NOISE", value_name = "NAME", default_value = "measured",
        value_parser = ["measured", "none"])]
    pub noise: String,
    /// What a simulated board's noise follows from
    #[arg(long, env = "FULCRUM_AGENT_SEED", default_value_t = 1)]
    pub seed: u64,
    /// How to write the log, on stderr
    #[arg(long, env = "FULCRUM_AGENT_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// The least that is logged
    #[arg(
        long,
        env = "FULCRUM_AGENT_LOG",
        value_name = "LEVEL",
        value_enum,
        ignore_case = true,
        default_value = "info"
    )]
    pub log: LogLevel,
    /// Print the settings in force, each with where it comes from, and end
    #[arg(long)]
    pub print_config: bool,
}

/// A user, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// All users.
    Any,
    /// The user of this number.
    Number(u32),
}

/// A threshold that may be switched off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold(pub Option<f64>);

impl Config {
    /// The ranges and rates that changes of the mode have to keep to.
    pub fn limits(&self) -> Limits {
        Limits {
            ranges: self.allow.iter().cloned().collect(),
            minimum_dwell: self.minimum_dwell,
            changes_a_minute: self.changes_a_minute,
        }
    }

    /// Where workers attach.
    pub fn worker_socket(&self) -> PathBuf {
        let beside = || self.socket.with_file_name("workers.sock");
        self.worker_socket.clone().unwrap_or_else(beside)
    }

    /// Where everybody may look.
    pub fn read_socket(&self) -> PathBuf {
        self.read_socket.clone().unwrap_or_else(|| self.socket.with_file_name("read.sock"))
    }

    /// Whose processes may control through the local socket.
    pub(crate) fn controls(&self) -> LocalUsers {
        match self.control_user.as_slice() {
            [] => LocalUsers::All,
            users => LocalUsers::These(users.to_vec()),
        }
    }

    /// Whose workers may attach.
    pub(crate) fn admitted(&self) -> Admitted {
        let number = |user: &User| match user {
            User::Number(number) => Some(*number),
            User::Any => None,
        };
        let users: Option<Vec<u32>> = self.worker_user.iter().map(number).collect();
        users.map_or(Admitted::Anyone, Admitted::Users)
    }

    /// What the guards step down for.
    pub fn guards(&self) -> GuardLimits {
        GuardLimits {
            temperature_celsius: self.max_celsius.0,
            power_watts: self.max_watts.0,
            hold: self.guard_hold,
        }
    }

    /// The settings in force, and each with its origin as text.
    ///
    /// # Errors
    /// What clap says of a flag, an environment variable, or an entry of the file.
    pub fn load(arguments: &[String]) -> Result<(Self, String), clap::Error> {
        let command = Self::command();
        let first = command.clone().try_get_matches_from(arguments)?;
        let file = first.get_one::<PathBuf>("config");
        let entries = match file {
            Some(path) => entries(&command, path).map_err(|message| {
                command.clone().error(clap::error::ErrorKind::ValueValidation, message)
            })?,
            None => BTreeMap::new(),
        };
        // What the file says is parsed as if it had been a flag, unless a flag or the environment
        // says it.
        let mut all: Vec<String> = arguments.to_vec();
        for (name, values) in &entries {
            let id = name.replace('-', "_");
            if !said(&first, &id) {
                all.extend(values.iter().map(|value| format!("--{name}={value}")));
            }
        }
        let matches = command.clone().try_get_matches_from(&all).map_err(|error| match file {
            Some(path) => command.clone().error(
                error.kind(),
                format!("{error} (some of these settings come from {})", path.display()),
            ),
            None => error,
        })?;
        let config = Self::from_arg_matches(&matches)?;
        let origins = origins(&command, &first, &matches, &entries, file.map(PathBuf::as_path));
        Ok((config, origins))
    }
}

/// Whether a flag or the environment says something.
fn said(matches: &ArgMatches, id: &str) -> bool {
    matches!(matches.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// The entries of a file of settings, as texts under the names of the flags.
fn entries(command: &Command, path: &Path) -> Result<BTreeMap<String, Vec<String>>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("--config {shown}: {e}\n"))?;
    let table: toml::Table = text.parse().map_err(|e| format!("--config {shown}: {e}\n"))?;
    let known: Vec<&str> = command
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .filter(|name| !["config", "print-config", "help", "version"].contains(name))
        .collect();
    let one = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut entries = BTreeMap::new();
    for (name, value) in &table {
        if !known.contains(&name.as_str()) {
            let known = known.join(", ");
            return Err(format!(
                "--config {shown}: unknown setting `{name}`; known are: {known}\n"
            ));
        }
        let values = match value {
            toml::Value::Array(values) => values.iter().map(one).collect(),
            other => vec![one(other)],
        };
        entries.insert(name.clone(), values);
    }
    Ok(entries)
}

/// One line a setting: `sample-interval = 100ms  # default`.
fn origins(
    command: &Command,
    first: &ArgMatches,
    matches: &ArgMatches,
    entries: &BTreeMap<String, Vec<String>>,
    file: Option<&Path>,
) -> String {
    let mut text = String::new();
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let (Some(name), false) = (argument.get_long(), id == "print_config") else { continue };
        let Ok(Some(raw)) = matches.try_get_raw(id) else { continue };
        let values: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
        let origin = match first.value_source(id) {
            Some(ValueSource::CommandLine) => "flag".to_owned(),
            Some(ValueSource::EnvVariable) => {
                let name = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                format!("environment {}", name.unwrap_or_default())
            }
            _ if entries.contains_key(name) => {
                format!("file {}", file.unwrap_or(Path::new("")).display())
            }
            _ => "default".to_owned(),
        };
        let _ = writeln!(text, "{name} = {}  # {origin}", values.join(", "));
    }
    text
}

fn time(text: &str) -> Result<Duration, String> {
    if text == "0" || text == "0s" {
        return Ok(Duration::ZERO);
    }
    let (number, unit) = match text.strip_suffix("min") {
        Some(number) => (number, 60.0),
        None => {
            let seconds: fulcrum_domain::Seconds =
                text.parse().map_err(|e: fulcrum_domain::UnitError| e.to_string())?;
            return Ok(Duration::from_secs_f64(seconds.get().min(1e9)));
        }
    };
    let minutes: f64 = number.trim().parse().map_err(|_| format!("`{text}` is no time"))?;
    if !(0.0..=1e6).contains(&minutes) {
        return Err(format!("`{text}` is out of range"));
    }
    Ok(Duration::from_secs_f64(minutes * unit))
}

fn sample_interval(text: &str) -> Result<Duration, String> {
    let interval = time(text)?;
    let (shortest, longest) = (Duration::from_millis(10), Duration::from_mins(1));
    if (shortest..=longest).contains(&interval) {
        Ok(interval)
    } else {
        Err(format!("`{text}` is not within 10ms and 1min"))
    }
}

fn threshold(text: &str) -> Result<Threshold, String> {
    if text == "off" {
        return Ok(Threshold(None));
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(Threshold(Some(value))),
        _ => Err(format!("`{text}` is neither a number above zero nor `off`")),
    }
}

fn user(text: &str) -> Result<User, String> {
    match text {
        "any" => Ok(User::Any),
        _ => text.parse().map(User::Number).map_err(|_| {
            format!("`{text}` is neither a user's number, as `id -u` says it, nor `any`")
        }),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let split = split.map(|(name, value)| (name.to_owned(), value.to_owned()));
    split.ok_or_else(|| format!("`{text}` is not like site=oslo"))
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.01..=1e6).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a factor from 0.01 to 1000000")),
    }
}

fn range(text: &str) -> Result<(String, (f64, f64)), String> {
    let parsed = || {
        let (knob, range) = text.split_once('=')?;
        let (low, high) = range.split_once("..")?;
        let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (low <= high).then(|| (knob.trim().to_owned(), (low, high)))
    };
    parsed().ok_or_else(|| format!("`{text}` is not like gpu_khz=306000..918000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(arguments: &[&str]) -> Result<(Config, String), String> {
        let arguments: Vec<String> = std::iter::once("fulcrum-agent")
            .chain(arguments.iter().copied())
            .map(str::to_owned)
            .collect();
        Config::load(&arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        let text = "board = \"host\"\nsample-interval = \"50ms\"\nallow = [\"gpu_khz=1..2\"]\n";
        std::fs::write(&path, text).unwrap();
        let file = format!("--config={}", path.display());
        let (config, origins) = load(&[&file, "--board", "simulated-orin-agx"]).unwrap();
        assert_eq!(config.board, Kind::SimulatedOrinAgx);
        assert_eq!(config.sample_interval, Duration::from_millis(50));
        assert_eq!(config.limits().ranges["gpu_khz"], (1.0, 2.0));
        assert!(origins.contains("board = simulated-orin-agx  # flag"), "{origins}");
        assert!(origins.contains(&format!("sample-interval = 50ms  # file {}", path.display())));
        assert!(origins.contains("max-celsius = 95  # default"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let refused = |arguments: &[&str]| load(arguments).unwrap_err();
        assert!(refused(&["--sample-interval", "1ms"]).contains("not within 10ms and 1min"));
        assert!(refused(&["--allow", "gpu_khz"]).contains("not like gpu_khz=306000..918000"));
        assert!(refused(&["--max-watts", "-3"]).contains("--max-watts"));
        assert!(refused(&["--metrics", "localhost:9600"]).contains("like 127.0.0.1:9600"));
        assert!(refused(&["--log", "wran"]).contains("[possible values: error, warn, info,"));
        assert_eq!(load(&["--log", "WARN"]).unwrap().0.log, LogLevel::Warn);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        std::fs::write(&path, "bord = \"host\"\n").unwrap();
        let message = refused(&[&format!("--config={}", path.display())]);
        assert!(message.contains("unknown setting `bord`"), "{message}");
    }
}
