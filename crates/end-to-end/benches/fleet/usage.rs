//! What processes use.

/// Of one process, or of one and its children.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Processor time, in seconds.
    pub(crate) cpu: f64,
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
}

impl Usage {
    pub(crate) fn of(process: u32) -> Self {
        let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The name in brackets may hold anything.
        let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<u64> = after_name
            .split_whitespace()
            .skip(1)
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        let field = |place: usize| fields.get(place).copied().unwrap_or_default();
        // proc(5): utime and stime are fields 14 and 15, in hundredths of a second; rss is 24.
        Self { cpu: (field(10) + field(11)) as f64 / 100.0, memory: field(20) * 4096 }
    }

    pub(crate) fn of_family(parent: u32) -> Self {
        let children = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let all = children.split_whitespace().filter_map(|id| id.parse().ok()).chain([parent]);
        all.map(Self::of).fold(Self::default(), |sum, one| Self {
            cpu: sum.cpu + one.cpu,
            memory: sum.memory + one.memory,
        })
    }
}
