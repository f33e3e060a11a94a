//! The errors that a kernel answers with, by their Linux numbers.

pub(crate) type Errno = i32;

pub(crate) const EPERM: Errno = 1;
pub(crate) const ENOENT: Errno = 2;
pub(crate) const EIO: Errno = 5;
/// Also a thermal zone of a part that is switched off.
pub(crate) const EAGAIN: Errno = 11;
pub(crate) const EACCES: Errno = 13;
pub(crate) const ENODEV: Errno = 19;
pub(crate) const EISDIR: Errno = 21;
pub(crate) const EINVAL: Errno = 22;
/// A channel of a power chip that is disabled.
pub(crate) const ENODATA: Errno = 61;
