//! The memory's clock: the cap that everyone may read, and root's debugfs.

use super::{Builder, CONTROL, ROOT_CONTROL, ROOT_READ};
use crate::devices::emc::EmcFile;
use crate::devices::{Part, Role};

const LOCK: &str = "/sys/kernel/debug/bpmp/debug/clk/emc";

impl Builder {
    /// The cap, at the path of the release.
    pub(crate) fn emc_cap(&mut self, path: &str) {
        self.node(path, Role::Emc(EmcFile::Cap), CONTROL, Part::Nvpmodel);
    }

    /// The firmware's files.
    pub(crate) fn emc_debugfs(&mut self) {
        for (name, file, mode) in [
            ("rate", EmcFile::Rate, ROOT_CONTROL),
            ("min_rate", EmcFile::Lowest, ROOT_READ),
            ("max_rate", EmcFile::Highest, ROOT_READ),
            ("mrq_rate_locked", EmcFile::Locked, ROOT_CONTROL),
            ("state", EmcFile::Enabled, ROOT_CONTROL),
        ] {
            self.node(format!("{LOCK}/{name}"), Role::Emc(file), mode, Part::Debugfs);
        }
        let possible = "/sys/kernel/debug/bpmp/debug/emc/possible_rates";
        self.node(possible, Role::Emc(EmcFile::Possible), ROOT_READ, Part::Debugfs);
    }

    /// A file of root's debugfs.
    pub(crate) fn debugfs(&mut self, path: &str, text: &str) {
        let role = Role::Text(text.to_owned());
        self.node(format!("/sys/kernel/debug/{path}"), role, ROOT_READ, Part::Debugfs);
    }
}
