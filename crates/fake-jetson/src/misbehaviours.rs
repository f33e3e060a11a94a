//! What real boards do to whoever reads and sets them, on demand.

use std::sync::Arc;
use std::time::Duration;

use fulcrum_board::Clock;

use crate::devices::power_chip::PowerChip;
use crate::devices::thermal::{WhenGated, ZonePart};
use crate::devices::{KernelProfile, Role};
use crate::nodes::Node;
use crate::tree::FakeTree;
use crate::vendor_modes::VendorMode;

/// Time.
impl FakeTree {
    /// Lets time pass: sensors refresh, counters publish, a late driver comes, the fan's daemon
    /// writes.
    pub fn advance(&self, time: Duration) {
        self.world().devices.advance(time);
    }

    /// Lets time pass as it does on a clock, from now on.
    pub fn follow(&self, clock: Arc<dyn Clock>) {
        self.world().follow(clock);
    }

    /// Starts the board anew: counters at zero, other numbers, locks and limits gone; the vendor's
    /// mode stays.
    pub fn reboot(&self, seed: u64) {
        self.renumber(seed);
        let mut world = self.world();
        world.devices.over_current.reset();
        let mode = world.devices.vendor_mode;
        world.devices.apply(mode);
    }
}

/// What a kernel does with what is written.
impl FakeTree {
    /// Lets the kernel refuse, or clamp, a lower limit above the upper one.
    pub fn set_kernel_profile(&self, profile: KernelProfile) {
        let mut world = self.world();
        let devices = &mut world.devices;
        let policies = devices.cpus.policies.iter_mut().map(|policy| &mut policy.limits);
        let devfreqs = devices.devfreqs.iter_mut().map(|devfreq| &mut devfreq.limits);
        policies.chain(devfreqs).for_each(|limits| limits.profile = profile);
    }

    /// Another process wipes what was set: `nvpmodel.service` runs again, and the mode's own
    /// cores, limits and cap are back. Clock locks are gone.
    pub fn wipe_locks(&self) {
        let mut world = self.world();
        let mode = world.devices.vendor_mode;
        world.devices.apply(mode);
    }

    /// Another process locks all clocks at their upper limits, as `jetson_clocks` does.
    pub fn lock_clocks(&self) {
        let mut world = self.world();
        let devices = &mut world.devices;
        let policies = devices.cpus.policies.iter_mut().map(|policy| &mut policy.limits);
        let gpu = devices.devfreqs.iter_mut().map(|devfreq| &mut devfreq.limits);
        for limits in policies.chain(gpu) {
            let _ = limits.set_min(limits.max());
        }
        devices.emc.lock_hz = devices.emc.cap.unwrap_or_else(|| devices.emc.top());
        devices.emc.locked = true;
    }

    /// Someone sets one of the vendor's modes with `nvpmodel`, whatever its masks. Does nothing if
    /// there is none of that number.
    pub fn set_vendor_mode(&self, id: u32) {
        let mut world = self.world();
        let place = world.devices.vendor_modes.iter().position(|mode| mode.id == id);
        if let Some(place) = place {
            world.devices.apply(place);
            let status = Role::Text(format!("pmode:{id:04}\n"));
            if let Some(node) = world.nodes.files.get_mut("/var/lib/nvpmodel/status") {
                node.role = status;
            }
        }
    }

    /// The vendor's modes.
    pub fn vendor_modes(&self) -> Vec<VendorMode> {
        self.world().devices.vendor_modes.clone()
    }

    /// A cooling device holds all cores at or below a clock, or lets go of them.
    pub fn cool_cpus(&self, khz: Option<u64>) {
        let mut world = self.world();
        for policy in &mut world.devices.cpus.policies {
            policy.limits.cooled = khz;
        }
        let state = Role::Text(format!("{}\n", if khz.is_some() { 3 } else { 0 }));
        let cools =
            |node: &Node| matches!(&node.role, Role::Text(kind) if kind.contains("cpufreq"));
        let types = world.nodes.files.iter().filter(|(path, node)| {
            path.contains("/cooling_device") && path.ends_with("/type") && cools(node)
        });
        let states = types.map(|(path, _)| path.replace("/type", "/cur_state"));
        for path in states.collect::<Vec<_>>() {
            if let Some(node) = world.nodes.files.get_mut(&path) {
                node.role = state.clone();
            }
        }
    }

    /// Holds the fan at a drive of 0 to 255, as `nvfancontrol` does about every second, whatever
    /// is written; none stops the daemon.
    pub fn hold_fan(&self, drive: Option<u8>) {
        self.world().devices.fan.daemon = drive;
    }
}

/// What is there and what may be read.
impl FakeTree {
    /// The GPU's driver comes only after this many more reads of anything.
    pub fn gpu_appears_after_reads(&self, reads: u64) {
        self.world().devices.gpu_node.due_reads = reads;
    }

    /// The GPU's driver comes only after this much time.
    pub fn gpu_appears_after(&self, time: Duration) {
        self.world().devices.gpu_node.due = time;
    }

    /// Refuses everything at and below a path with `EACCES`.
    pub fn refuse(&self, path: &str) {
        self.world().refused.insert(path.to_owned());
    }

    /// Allows again what was refused.
    pub fn allow(&self, path: &str) {
        self.world().refused.remove(path);
    }

    /// Says whether it is root who reads and writes; it is, unless told otherwise.
    pub fn as_root(&self, root: bool) {
        self.world().root = root;
    }

    /// Mounts debugfs or not; it is mounted unless told otherwise.
    pub fn mount_debugfs(&self, mounted: bool) {
        self.world().devices.debugfs_mounted = mounted;
    }

    /// Has NVIDIA's `/sys/kernel/nvpmodel_*` or not; other systems on the same board lack them.
    pub fn have_nvpmodel_nodes(&self, have: bool) {
        self.world().devices.nvpmodel_nodes = have;
    }

    /// Makes every read of a file fail with this error number.
    pub fn fail_reads(&self, path: &str, errno: i32) {
        self.set_role(path, Role::Fails(errno));
    }

    /// Puts a text into a file, making it if need be.
    pub fn put(&self, path: &str, text: &str) {
        self.set_role(path, Role::Text(text.to_owned()));
    }

    /// Takes away everything at and below a path.
    pub fn remove(&self, path: &str) {
        let mut world = self.world();
        let real = world.nodes.resolve(path, &world.devices);
        let folder = format!("{real}/");
        let kept = |at: &String| *at != real && !at.starts_with(&folder) && at != path;
        world.nodes.files.retain(|at, _| kept(at));
        world.nodes.links.retain(|at, _| kept(at));
    }

    fn set_role(&self, path: &str, role: Role) {
        let mut world = self.world();
        let real = world.nodes.resolve(path, &world.devices);
        match world.nodes.files.get_mut(&real) {
            Some(node) => node.role = role,
            None => {
                let part = crate::devices::Part::Board;
                world.nodes.files.insert(real, Node { role, mode: 0o644, part });
            }
        }
    }
}

/// What the sensors show.
impl FakeTree {
    /// Draws this current on a rail from the sensor's next refresh on, to its step. Does nothing
    /// if there is no such rail.
    pub fn draw(&self, rail: &str, milliamperes: u64) {
        for chip in &mut self.world().devices.chips {
            if let Some(channel) = chip.channels.iter().position(|c| c.label == rail) {
                chip.draw(channel, milliamperes);
            }
        }
    }

    /// Keeps the rails' currents where they are put, without swaying by a step.
    pub fn steady_rails(&self) {
        self.world().devices.chips.iter_mut().for_each(|chip| chip.sways = false);
    }

    /// Whether the rails show whole steps only, as real sensors do.
    pub fn rails_in_steps(&self) -> bool {
        self.world().devices.chips.iter().all(PowerChip::in_steps)
    }

    /// Enables or disables the channel of a rail: reads of a disabled one give `ENODATA`.
    pub fn enable_rail(&self, rail: &str, enabled: bool) {
        for chip in &mut self.world().devices.chips {
            let channels = chip.channels.iter_mut().filter(|c| c.label == rail);
            channels.for_each(|channel| channel.enabled = enabled);
        }
    }

    /// Makes the temperature of a zone this many thousandths of a degree Celsius.
    pub fn heat(&self, zone: &str, millicelsius: i64) {
        let mut world = self.world();
        let zones = world.devices.zones.iter_mut().filter(|it| it.name == zone);
        zones.for_each(|it| it.millicelsius = millicelsius);
    }

    /// Switches the part of a zone off or on; off, the zone answers as its release does: `EAGAIN`
    /// or -256 °C.
    pub fn gate_zone(&self, zone: &str, off: bool) {
        let mut world = self.world();
        let zones = world.devices.zones.iter_mut().filter(|it| it.name == zone);
        zones.for_each(|it| it.part = if off { ZonePart::Off } else { ZonePart::On });
    }

    /// Lets zones of switched-off parts show -256 °C, or answer `EAGAIN`.
    pub fn gated_zones_show_minus_256(&self, show: bool) {
        let when = if show { WhenGated::Offline } else { WhenGated::Again };
        self.world().devices.zones.iter_mut().for_each(|zone| zone.when_gated = when);
    }

    /// Gates the GPU or not.
    pub fn gate_gpu(&self, gated: bool) {
        self.world().devices.gpu_node.gated = gated;
    }

    /// Makes the GPU this busy, from 0 to 1000.
    pub fn load_gpu(&self, permille: u32) {
        self.world().devices.gpu_node.load_permille = permille;
    }

    /// Makes the online cores this busy, from 0 to 1.
    pub fn load_cpus(&self, share: f64) {
        self.world().devices.cpus.load = share.clamp(0.0, 1.0);
    }

    /// Counts over-current events at a rate from now on, on counter 1, 2 or 3. While there are any,
    /// the hardware runs at half the clock that was asked of it.
    pub fn over_current(&self, counter: usize, per_second: f64) {
        let mut world = self.world();
        if let Some(rate) = world.devices.over_current.rates.get_mut(counter.wrapping_sub(1)) {
            *rate = per_second;
        }
        world.devices.cpus.throttled = world.devices.over_current.rates.iter().any(|&r| r > 0.0);
    }
}
