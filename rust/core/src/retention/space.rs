//! How much room the file system of a journal has.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{At, Result};

/// Bytes of a file system: what its users, not only root, may still write, and all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    pub free: u64,
    pub total: u64,
}

/// Asks the kernel (`statvfs`).
///
/// # Errors
/// What the kernel says.
#[allow(unsafe_code)]
pub fn space_of(place: &Path) -> Result<Space> {
    let path = CString::new(place.as_os_str().as_bytes())
        .map_err(std::io::Error::from)
        .at("asking for free space", place)?;
    // SAFETY: all zeroes is a value of this plain structure.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a path that ends with NUL, and a structure to write to.
    if unsafe { libc::statvfs(path.as_ptr(), &raw mut found) } != 0 {
        return Err(std::io::Error::last_os_error()).at("asking for free space", place);
    }
    let unit = found.f_frsize;
    Ok(Space { free: found.f_bavail * unit, total: found.f_blocks * unit })
}
