//! The threads that a network runs on.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Device, Error};

/// Threads for one network on the device. They are its own: the process's other work keeps its
/// threads, and two networks never share one. A GPU gets a single thread, which fills its queue.
pub(crate) fn for_device(device: Device) -> Result<ThreadPool, Error> {
    let threads = match device {
        Device::Cpu { threads } => threads.get(),
        Device::Cuda { .. } => 1,
    };
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("network-{index}"))
        .build()
        .map_err(|error| Error::Unavailable { device, reason: error.to_string() })
}
