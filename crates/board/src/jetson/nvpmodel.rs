//! NVIDIA's power modes, as `nvpmodel.conf` has them.
//!
//! `< PARAM TYPE=CLOCK NAME=GPU >` is followed by the paths of its arguments, with `_KNEXT` twins
//! for newer kernels; `< POWER_MODEL ID=0 NAME=MAXN >` by lines `GPU MAX_FREQ 816000000`. Shipped
//! files leave out spaces and numbers. The oldest have the path itself in place of the names.

use std::path::Path;

use crate::files::Files;
use crate::linux::kernel_text::text;

/// A parsed configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Conf {
    /// The power modes, as they are listed.
    pub(super) modes: Vec<VendorMode>,
}

/// One of NVIDIA's power modes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VendorMode {
    pub(super) id: u32,
    pub(super) name: String,
    /// What it writes, in order.
    pub(super) writes: Vec<VendorWrite>,
}

/// One line of a power mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VendorWrite {
    /// Where it goes: the paths of older and newer kernels.
    pub(super) paths: Vec<String>,
    /// -1 stands for the largest value.
    pub(super) value: String,
}

/// Reads the configuration in force; none if there is none that can be read.
pub(super) fn configuration(files: &dyn Files) -> Option<Conf> {
    let named = || text(files, Path::new("/var/lib/nvpmodel/conf_file_path")).ok();
    let text = text(files, Path::new("/etc/nvpmodel.conf")).ok();
    let text = text.or_else(|| self::text(files, Path::new(&named()?)).ok())?;
    Some(parse(&text)).filter(|conf| !conf.modes.is_empty())
}

/// The number of the mode in force: `pmode:0002 fmode:fan_mode_quiet`.
pub(super) fn in_force(files: &dyn Files) -> Option<u32> {
    let status = text(files, Path::new("/var/lib/nvpmodel/status")).ok()?;
    let words = status.split_whitespace();
    words.filter_map(|word| word.strip_prefix("pmode:")).find_map(|id| id.parse().ok())
}

/// An argument of a parameter with its path.
struct Argument {
    parameter: String,
    name: String,
    path: String,
}

/// Where a line belongs.
enum Section {
    Nothing,
    Parameter(String),
    Mode,
}

/// Lines that are none of the format are passed over: a wrong one spoils its mode, not the others.
pub(super) fn parse(text: &str) -> Conf {
    let mut arguments: Vec<Argument> = Vec::new();
    let mut modes: Vec<VendorMode> = Vec::new();
    let mut section = Section::Nothing;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or(line).trim();
        if let Some(header) = line.strip_prefix('<') {
            section = Section::Nothing;
            let header = header.trim_end_matches('>').trim();
            if header.starts_with("PARAM ") {
                section = field(header, "NAME").map_or(Section::Nothing, Section::Parameter);
            } else if header.starts_with("POWER_MODEL ") {
                let id = field(header, "ID").and_then(|id| id.parse().ok());
                if let (Some(id), Some(name)) = (id, field(header, "NAME")) {
                    modes.push(VendorMode { id, name, writes: Vec::new() });
                    section = Section::Mode;
                }
            }
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match (&section, words.as_slice()) {
            (Section::Parameter(parameter), [name, path]) => arguments.push(Argument {
                parameter: parameter.clone(),
                name: (*name).to_owned(),
                path: (*path).to_owned(),
            }),
            (Section::Mode, [path, value]) if path.starts_with('/') => {
                push(&mut modes, vec![(*path).to_owned()], value);
            }
            (Section::Mode, [parameter, name, value]) => {
                push(&mut modes, paths(&arguments, parameter, name), value);
            }
            _ => {}
        }
    }
    Conf { modes }
}

/// `NAME=GPU` of a header; there may be spaces about the sign.
fn field(header: &str, key: &str) -> Option<String> {
    let header = header.replace('=', " = ");
    let words: Vec<&str> = header.split_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == [key, "="])?;
    words.get(at + 2).map(|value| (*value).to_owned())
}

fn paths(arguments: &[Argument], parameter: &str, name: &str) -> Vec<String> {
    let fits = |argument: &&Argument| {
        argument.parameter == parameter
            && argument.name.strip_suffix("_KNEXT").unwrap_or(&argument.name) == name
    };
    arguments.iter().filter(fits).map(|argument| argument.path.clone()).collect()
}

fn push(modes: &mut [VendorMode], paths: Vec<String>, value: &str) {
    if let Some(mode) = modes.last_mut().filter(|_| !paths.is_empty()) {
        mode.writes.push(VendorWrite { paths, value: value.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONF: &str = "\
# < PARAM TYPE=FILE NAME=COMMENTED >
< PARAM TYPE=FILE NAME=CPU_ONLINE >
CORE_1 /sys/devices/system/cpu/cpu1/online
<PARAM TYPE=CLOCK NAME=EMC >
MAX_FREQ /sys/kernel/nvpmodel_emc_cap/emc_iso_cap
MAX_FREQ_KNEXT /sys/kernel/nvpmodel_clk_cap/emc

< POWER_MODEL ID=0 NAME=MAXN >
CPU_ONLINE CORE_1 1
EMC MAX_FREQ -1 # no cap
UNKNOWN MAX_FREQ 3
<POWER_MODEL ID=7 NAME = MODE_15W>
EMC MAX_FREQ 2133000000
/sys/devices/system/cpu/cpu2/online 0
< PM_CONFIG DEFAULT=7 >
";

    #[test]
    fn odd_spacing_gaps_comments_twins_and_raw_paths_are_read() {
        let conf = parse(CONF);
        let ids: Vec<_> = conf.modes.iter().map(|mode| (mode.id, mode.name.as_str())).collect();
        assert_eq!(ids, [(0, "MAXN"), (7, "MODE_15W")]);
        let emc = &conf.modes[0].writes[1];
        assert_eq!((emc.paths.len(), emc.value.as_str()), (2, "-1"));
        assert_eq!(conf.modes[0].writes.len(), 2, "what has no path is passed over");
        assert_eq!(conf.modes[1].writes[1].paths, ["/sys/devices/system/cpu/cpu2/online"]);
    }

    proptest! {
        #[test]
        fn no_text_stops_the_parser(text in "[<>A-Z_= 0-9#/\\-\n]{0,400}") {
            let _ = parse(&text);
        }
    }
}
