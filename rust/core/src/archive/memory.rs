//! Files that only exist in memory: what must never lie on a disk in plain.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;

use crate::error::{At, Result};

/// A file without a name, which is gone with its last descriptor. It has a path all the same, by which
/// this process, or a library in it, opens it again.
#[derive(Debug)]
pub struct MemoryFile {
    file: File,
}

impl MemoryFile {
    /// An empty one.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn new() -> Result<Self> {
        let path = PathBuf::from("memory");
        // SAFETY: the name is a valid C string; the descriptor is owned by the new `File`.
        let made = unsafe {
            match libc::memfd_create(c"treering-archive".as_ptr(), libc::MFD_CLOEXEC) {
                -1 => Err(io::Error::last_os_error()),
                descriptor => Ok(File::from_raw_fd(descriptor)),
            }
        };
        Ok(Self { file: made.at("making a file in memory", &path)? })
    }

    /// Where this process finds it, for as long as `self` lives.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// The file, at its beginning.
    ///
    /// # Errors
    /// Those of `lseek`.
    pub fn rewound(&mut self) -> Result<&mut File> {
        let path = self.path();
        self.file.rewind().at("seeking in", &path)?;
        Ok(&mut self.file)
    }

    /// The file alone: the path is none any more.
    pub fn into_file(self) -> File {
        self.file
    }

    pub fn file(&self) -> &File {
        &self.file
    }
}
