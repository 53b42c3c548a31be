//! The flags of `chattr`: files that cannot be changed, files that can only grow.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

pub(super) const APPEND_ONLY: libc::c_int = 0x20;
pub(super) const IMMUTABLE: libc::c_int = 0x10;

/// Sets or clears a flag of the inode; nothing is done when it already is as wanted.
///
/// Needs `CAP_LINUX_IMMUTABLE` and a file system that has flags (`ioctl_iflags(2)`).
pub(super) fn change(file: &File, flag: libc::c_int, on: bool) -> io::Result<()> {
    let mut flags: libc::c_int = 0;
    // SAFETY: the kernel reads and writes an `int` here, whatever the request's name says.
    check(unsafe { libc::ioctl(file.as_raw_fd(), libc::FS_IOC_GETFLAGS, &raw mut flags) })?;
    let wanted = if on { flags | flag } else { flags & !flag };
    if wanted == flags {
        return Ok(());
    }
    // SAFETY: as above.
    check(unsafe { libc::ioctl(file.as_raw_fd(), libc::FS_IOC_SETFLAGS, &raw const wanted) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
