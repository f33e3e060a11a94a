//! In which order controls are written. Pure.
//!
//! Cores come and go first: a cluster that comes back has forgotten its limits. Then clusters, the
//! GPU while it is kept powered, and the memory.
//!
//! Older kernels refuse a lower limit above the upper one, and an upper one below the lower. So
//! when the upper limit rises it is written first, and otherwise the lower one is; then no write
//! on the way is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::control::Control;

/// Controls with the text that each shows or should show.
pub(super) type Texts = BTreeMap<Control, String>;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) control: Control,
    pub(super) text: String,
}

/// The writes that switch cores: on, from the first, then off, from the last, so that there are
/// never fewer than before or after.
pub(super) fn switch_cores(wanted: &Texts, shown: &Texts) -> Vec<Write> {
    let differs = |(control, text): &(&Control, &String)| {
        matches!(control, Control::Core(_)) && shown.get(control) != Some(text)
    };
    let (on, off): (Vec<_>, Vec<_>) =
        wanted.iter().filter(differs).partition(|(_, text)| *text != "0");
    let writes = on.into_iter().chain(off.into_iter().rev());
    writes.map(|(control, text)| Write { control: *control, text: text.clone() }).collect()
}

/// The writes that set everything but the cores.
pub(super) fn set_clocks(wanted: &Texts, shown: &Texts) -> Vec<Write> {
    let mut plan = Plan { wanted, shown, writes: Vec::new() };
    let policies: BTreeSet<u32> = wanted.keys().copied().filter_map(policy).collect();
    for policy in policies {
        plan.if_other(Control::Governor(policy));
        plan.limits(Control::CpuMin(policy), Control::CpuMax(policy));
    }
    plan.gpu();
    plan.memory();
    plan.writes
}

fn policy(control: Control) -> Option<u32> {
    match control {
        Control::Governor(policy) | Control::CpuMin(policy) | Control::CpuMax(policy) => {
            Some(policy)
        }
        _ => None,
    }
}

struct Plan<'a> {
    wanted: &'a Texts,
    shown: &'a Texts,
    writes: Vec<Write>,
}

impl Plan<'_> {
    fn write(&mut self, control: Control, text: &str) {
        self.writes.push(Write { control, text: text.to_owned() });
    }

    fn as_wanted(&mut self, control: Control) {
        if let Some(text) = self.wanted.get(&control) {
            self.write(control, text);
        }
    }

    /// Writes what restarts something only where it differs.
    fn if_other(&mut self, control: Control) {
        if self.wanted.get(&control) != self.shown.get(&control) {
            self.as_wanted(control);
        }
    }

    /// Limits are written even where they show what is wanted: a kernel that clamps shows what is
    /// in effect, not what was asked.
    fn limits(&mut self, min: Control, max: Control) {
        let number = |texts: &Texts| texts.get(&max)?.parse::<u64>().ok();
        let rises = match (number(self.wanted), number(self.shown)) {
            (Some(wanted), Some(shown)) => wanted > shown,
            _ => true,
        };
        let order = if rises { [max, min] } else { [min, max] };
        for control in order {
            self.as_wanted(control);
        }
    }

    /// NVIDIA's tools keep the GPU powered while its limits are written.
    fn gpu(&mut self) {
        let awake = [(Control::GpuPower, "on"), (Control::GpuRailgate, "0")];
        let keep = awake.into_iter().find(|(control, _)| self.shown.contains_key(control));
        let touched = [Control::GpuMin, Control::GpuMax]
            .iter()
            .any(|control| self.wanted.contains_key(control));
        let woken = keep.filter(|(control, on)| {
            touched && self.shown.get(control).is_some_and(|shown| shown != on)
        });
        if let Some((control, on)) = woken {
            self.write(control, on);
        }
        self.limits(Control::GpuMin, Control::GpuMax);
        for (control, on) in awake {
            let shown = self.shown.get(&control).cloned();
            let last = self.wanted.get(&control).cloned().or_else(|| shown.clone());
            let now = if woken.is_some_and(|(woken, _)| woken == control) {
                Some(on.to_owned())
            } else {
                shown
            };
            if let Some(last) = last.filter(|last| Some(last) != now.as_ref()) {
                self.write(control, &last);
            }
        }
    }

    /// The cap comes before the rate, which may not be above it. A rate is taken while its lock is
    /// held, so the lock is taken before it and let go after it.
    fn memory(&mut self) {
        self.limits(Control::MemoryMin, Control::MemoryMax);
        self.as_wanted(Control::MemoryCap);
        let locks = self.wanted.get(&Control::MemoryLock).is_some_and(|lock| lock != "0");
        if locks {
            self.as_wanted(Control::MemoryLock);
        }
        self.if_other(Control::MemoryState);
        self.as_wanted(Control::MemoryRate);
        if !locks {
            self.as_wanted(Control::MemoryLock);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts<const N: usize>(texts: [(Control, &str); N]) -> Texts {
        texts.into_iter().map(|(control, text)| (control, text.to_owned())).collect()
    }

    fn shown(writes: &[Write]) -> Vec<String> {
        writes.iter().map(|write| format!("{}={}", write.control, write.text)).collect()
    }

    #[test]
    fn cores_come_before_cores_go() {
        use Control::Core;
        let now = texts([(Core(1), "1"), (Core(2), "1"), (Core(3), "0"), (Core(4), "0")]);
        let wanted = texts([(Core(1), "0"), (Core(2), "0"), (Core(3), "1"), (Core(4), "0")]);
        let writes = shown(&switch_cores(&wanted, &now));
        assert_eq!(writes, ["cpu3/online=1", "cpu2/online=0", "cpu1/online=0"]);
    }

    #[test]
    fn the_gpu_is_kept_powered_while_its_limits_are_written() {
        use Control::{GpuMax, GpuMin, GpuPower, GpuRailgate};
        let now = texts([(GpuMin, "306"), (GpuMax, "816"), (GpuPower, "auto"), (GpuRailgate, "1")]);
        let wanted = texts([(GpuMin, "1020"), (GpuMax, "1020")]);
        let writes = shown(&set_clocks(&wanted, &now));
        let order = ["power/control=on", "max_freq=1020", "min_freq=1020", "power/control=auto"];
        assert_eq!(writes, order.map(|write| format!("gpu/{write}")));
        let railgate = texts([(GpuMin, "306"), (GpuMax, "816"), (GpuRailgate, "1")]);
        let writes = shown(&set_clocks(&wanted, &railgate));
        assert_eq!([&*writes[0], &*writes[3]], ["gpu/railgate_enable=0", "gpu/railgate_enable=1"]);
    }

    #[test]
    fn the_memory_is_locked_below_its_cap_and_let_go_last() {
        use Control::{MemoryCap, MemoryLock, MemoryRate};
        let free = texts([(MemoryCap, "0"), (MemoryLock, "0"), (MemoryRate, "2133")]);
        let locked = texts([(MemoryCap, "665"), (MemoryLock, "1"), (MemoryRate, "665")]);
        let order = ["emc/cap=665", "emc/mrq_rate_locked=1", "emc/rate=665"];
        assert_eq!(shown(&set_clocks(&locked, &free)), order);
        let order = ["emc/cap=0", "emc/rate=2133", "emc/mrq_rate_locked=0"];
        assert_eq!(shown(&set_clocks(&free, &locked)), order);
    }

    /// A kernel that refuses crossed limits, as 4.9 does.
    fn refusing(range: (u64, u64), writes: &[Write]) -> Option<(u64, u64)> {
        writes.iter().try_fold(range, |(min, max), write| {
            let value = write.text.parse().ok()?;
            let next = match write.control {
                Control::CpuMin(_) => (value, max),
                _ => (min, value),
            };
            (next.0 <= next.1).then_some(next)
        })
    }

    proptest! {
        #[test]
        fn no_write_on_the_way_is_refused(
            (from, to) in ((0u64..30, 0u64..30), (0u64..30, 0u64..30))
        ) {
            let sorted = |(a, b): (u64, u64)| (a.min(b), a.max(b));
            let (from, to) = (sorted(from), sorted(to));
            let texts = |(min, max): (u64, u64)| {
                let pair = [(Control::CpuMin(0), min), (Control::CpuMax(0), max)];
                pair.into_iter().map(|(control, khz)| (control, khz.to_string())).collect::<Texts>()
            };
            let writes = set_clocks(&texts(to), &texts(from));
            prop_assert_eq!(refusing(from, &writes), Some(to));
        }
    }
}
