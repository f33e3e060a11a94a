//! What a host is.

use std::path::Path;

use crate::board::Identity;
use crate::files::Files;
use crate::linux::kernel_text::text;

pub(super) fn identity(files: &dyn Files) -> Identity {
    let first = |paths: &[&str]| {
        paths.iter().find_map(|path| text(files, Path::new(path)).ok().filter(|t| !t.is_empty()))
    };
    let model = first(&["/sys/class/dmi/id/product_name", "/proc/device-tree/model"]);
    let kernel = first(&["/proc/sys/kernel/osrelease"]);
    let processors = text(files, Path::new("/proc/cpuinfo")).unwrap_or_default();
    let processor = processor(&processors).map(str::to_owned);
    Identity {
        kind: "host",
        model: model.or_else(|| processor.clone()).unwrap_or_else(|| "Linux machine".into()),
        compatible: processor.into_iter().chain([std::env::consts::ARCH.to_owned()]).collect(),
        software: kernel.map_or_else(|| "Linux".to_owned(), |kernel| format!("Linux {kernel}")),
    }
}

/// `model name : Intel(R) Xeon(R) Processor`, as x86 has it.
fn processor(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim()).filter(|name| !name.is_empty())
}
