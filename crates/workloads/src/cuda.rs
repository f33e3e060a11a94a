//! NVIDIA GPUs: whether one can be used at all.
//!
//! The framework takes driver, GPU and run-time compiler for granted and panics where one is
//! missing, at the first use and on a thread of its own. So all three are tried first, here.

use std::cell::Cell;
use std::panic::{self, UnwindSafe};
use std::sync::Once;

use burn_cuda::CudaDevice;
use cudarc::{driver, nvrtc};

use crate::{Device, Error};

/// The GPU of that index.
pub(crate) fn device(index: usize) -> Result<CudaDevice, Error> {
    let unavailable = |reason| Error::Unavailable { device: Device::Cuda { index }, reason };
    let count = panics_as_errors(gpus, "the NVIDIA driver (libcuda)").map_err(unavailable)?;
    if index >= count {
        return Err(unavailable(format!("the driver knows of {count} GPUs, counted from 0")));
    }
    panics_as_errors(compiler, "the run-time compiler of CUDA (libnvrtc)").map_err(unavailable)?;
    Ok(CudaDevice::new(index))
}

fn gpus() -> Result<usize, String> {
    driver::result::init().map_err(|error| format!("the driver does not start: {error}"))?;
    let count = driver::result::device::get_count();
    let count = count.map_err(|error| format!("the driver does not count the GPUs: {error}"))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

fn compiler() -> Result<(), String> {
    let nothing = nvrtc::compile_ptx("extern \"C\" __global__ void nothing() {}");
    nothing.map(drop).map_err(|error| format!("NVRTC does not compile: {error}"))
}

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Calls into a library by a binding that panics where it cannot be loaded, and answers with an error
/// that names the library instead; on this thread alone, and without a word on stderr.
fn panics_as_errors<T>(
    call: impl FnOnce() -> Result<T, String> + UnwindSafe,
    library: &str,
) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !SILENT.get() {
                before(info);
            }
        }));
    });
    SILENT.set(true);
    let outcome = panic::catch_unwind(call);
    SILENT.set(false);
    outcome.unwrap_or_else(|_| {
        Err(format!("{library} cannot be loaded; is it installed, and on the LD_LIBRARY_PATH?"))
    })
}
