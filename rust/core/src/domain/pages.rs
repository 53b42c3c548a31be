//! Shared pages that hold a struct of atomics.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::NonNull;

#[derive(Debug)]
pub struct Pages {
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: only structs of atomics are ever placed in the pages.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    pub fn create(file: &File, length: usize) -> io::Result<Self> {
        // SAFETY: a plain system call on an open descriptor.
        let code = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length as libc::off_t) };
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code));
        }
        Self::map(file, length)
    }

    pub fn private(length: usize) -> io::Result<Self> {
        // SAFETY: the name is a valid C string; the descriptor is owned by the new `File`.
        let file = unsafe {
            let descriptor = libc::memfd_create(c"treering".as_ptr(), libc::MFD_CLOEXEC);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(descriptor)
        };
        Self::create(&file, length)
    }

    pub fn map(file: &File, length: usize) -> io::Result<Self> {
        if file.metadata()?.len() != length as u64 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not the size of a control file",
            ));
        }
        // SAFETY: a new mapping of an open file; the kernel chooses the place.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        match NonNull::new(base.cast::<u8>()) {
            Some(base) if base.as_ptr().cast() != libc::MAP_FAILED => Ok(Self { base, length }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The struct at a page boundary. `T` consists of atomics only, so any bytes are a valid one.
    pub fn at<T>(&self, offset: usize) -> &T {
        assert!(
            offset.is_multiple_of(4096) && offset + size_of::<T>() <= self.length,
            "inside the pages"
        );
        // SAFETY: in range, aligned to a page, and all fields are atomic.
        unsafe { self.base.add(offset).cast::<T>().as_ref() }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the range mapped above.
        unsafe {
            libc::munmap(self.base.as_ptr().cast(), self.length);
        }
    }
}
