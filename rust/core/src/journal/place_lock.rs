//! A lock on a file: whoever holds it does what only one process may do.

use std::fs::{File, OpenOptions};
use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::domain::flock;
use crate::error::{At, Result};
use crate::process::fork;

/// A held `flock`; the kernel frees it with the process, and a forked child does not inherit it.
#[derive(Debug)]
pub struct PlaceLock {
    file: ManuallyDrop<File>,
    generation: u32,
}

impl PlaceLock {
    /// Takes the lock on `path`, making the file, if nobody has it.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub fn try_take(path: &Path) -> Result<Option<Self>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .at("opening", path)?;
        match flock(&file, libc::LOCK_EX | libc::LOCK_NB) {
            Ok(()) => {
                fork::close_in_children(Some(&file));
                Ok(Some(Self { file: ManuallyDrop::new(file), generation: fork::generation() }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error).at("locking", path),
        }
    }
}

impl Drop for PlaceLock {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // In a forked child the descriptor is closed already, and may be somebody else's by now.
        if self.generation == fork::generation() {
            fork::forget_descriptor(self.file.as_raw_fd());
            // SAFETY: dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.file) };
        }
    }
}
