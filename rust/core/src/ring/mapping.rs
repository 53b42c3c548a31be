//! The memory of a ring: one header page, and the data pages mapped twice in a row.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::NonNull;

use super::{Header, HEADER_BYTES, MAGIC, VERSION};
use crate::sync::Ordering;

/// A mapped ring. Unmapped when dropped; the file behind it stays until somebody removes it.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    capacity: usize,
    /// Loom's atomics cannot lie in mapped pages.
    #[cfg(loom)]
    header: Box<Header>,
}

// SAFETY: the mapping is plain shared memory; everything that two sides write is atomic, and the
// bytes between `tail` and `head` are only read.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Makes `file` a new, empty ring of `capacity` bytes (see `capacity_for`) and maps it.
    ///
    /// # Errors
    /// What the kernel says when the file cannot be sized or mapped, `ENOSPC` included: the pages are
    /// allocated here, so that a full tmpfs shows now and not as a `SIGBUS` in a log call.
    pub fn create(file: &File, capacity: usize) -> io::Result<Self> {
        let total = (HEADER_BYTES + capacity) as libc::off_t;
        // SAFETY: a plain system call on a descriptor that `file` keeps open.
        let code = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, total) };
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code));
        }
        // Faulted in at once, so that no log call pays for it.
        let mapping = Self::map(file, capacity, libc::MAP_POPULATE)?;
        let identity = &mapping.header().identity;
        identity.version.store(VERSION, Ordering::Relaxed);
        identity.process.store(std::process::id(), Ordering::Relaxed);
        identity.capacity.store(capacity as u64, Ordering::Relaxed);
        identity.magic.store(MAGIC, Ordering::Release);
        Ok(mapping)
    }

    /// A ring in memory that no other process can reach and no file system shows.
    ///
    /// # Errors
    /// What the kernel says when memory is short.
    pub fn private(capacity: usize) -> io::Result<Self> {
        // SAFETY: the name is a valid C string; the descriptor is owned by the new `File`.
        let file = unsafe {
            let descriptor = libc::memfd_create(c"treering".as_ptr(), libc::MFD_CLOEXEC);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(descriptor)
        };
        Self::create(&file, capacity)
    }

    /// Maps a ring that another process made.
    ///
    /// # Errors
    /// `InvalidData` when the file is not a ring of this version.
    pub fn open(file: &File) -> io::Result<Self> {
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let length = usize::try_from(file.metadata()?.len()).map_err(|_| invalid("too large"))?;
        let capacity = length
            .checked_sub(HEADER_BYTES)
            .filter(|capacity| *capacity == super::capacity_for(*capacity))
            .ok_or_else(|| invalid("not the size of a ring"))?;
        let mapping = Self::map(file, capacity, 0)?;
        let identity = &mapping.header().identity;
        if identity.magic.load(Ordering::Acquire) != MAGIC
            || identity.version.load(Ordering::Relaxed) != VERSION
            || identity.capacity.load(Ordering::Relaxed) != capacity as u64
        {
            return Err(invalid("not a ring of this version"));
        }
        Ok(mapping)
    }

    fn map(file: &File, capacity: usize, populate: i32) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let total = HEADER_BYTES + 2 * capacity;
        // SAFETY: reserves an address range of our own, then maps the file over exactly that range.
        unsafe {
            let base = libc::mmap(
                std::ptr::null_mut(),
                total,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if base == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            let base = base.cast::<u8>();
            let mapping = Self {
                base: NonNull::new_unchecked(base),
                capacity,
                #[cfg(loom)]
                header: Box::default(),
            };
            let windows = [
                (0, 0, HEADER_BYTES + capacity),
                (HEADER_BYTES + capacity, HEADER_BYTES, capacity),
            ];
            for (at, offset, length) in windows {
                let mapped = libc::mmap(
                    base.add(at).cast(),
                    length,
                    protection,
                    libc::MAP_SHARED | libc::MAP_FIXED | populate,
                    file.as_raw_fd(),
                    offset as libc::off_t,
                );
                if mapped == libc::MAP_FAILED {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(mapping)
        }
    }

    #[cfg(loom)]
    pub fn header(&self) -> &Header {
        &self.header
    }

    #[cfg(not(loom))]
    #[inline]
    #[must_use]
    pub fn header(&self) -> &Header {
        // SAFETY: the first page holds a header of atomics; any bit pattern is valid.
        unsafe { self.base.cast::<Header>().as_ref() }
    }

    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where position `at` lies; `capacity` bytes from there are contiguous.
    #[inline]
    #[must_use]
    pub(crate) fn at(&self, at: u64) -> *mut u8 {
        let offset = (at & (self.capacity as u64 - 1)) as usize;
        // SAFETY: HEADER_BYTES + offset + capacity is inside the mapping.
        unsafe { self.base.as_ptr().add(HEADER_BYTES + offset) }
    }

    /// Committed bytes `[from, to)`.
    ///
    /// # Safety
    /// The caller is a consumer and `tail <= from <= to <= head`, so that the producer stays out of them.
    #[must_use]
    pub unsafe fn bytes(&self, from: u64, to: u64) -> &[u8] {
        let length = usize::try_from(to - from).unwrap_or(self.capacity).min(self.capacity);
        // SAFETY: inside the double mapping; the caller keeps the producer out.
        unsafe { std::slice::from_raw_parts(self.at(from), length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the range that `map` reserved; nobody borrows from it any more.
        unsafe {
            libc::munmap(self.base.as_ptr().cast(), HEADER_BYTES + 2 * self.capacity);
        }
    }
}
