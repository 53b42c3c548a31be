//! A private key in memory: locked, left out of core dumps, wiped in forked children.
#![allow(unsafe_code)]

use std::io;
use std::ptr::NonNull;

use ed25519_dalek::SigningKey;
use zeroize::{Zeroize, Zeroizing};

const PAGE: usize = 4096;

/// 32 secret bytes in a page of their own.
pub struct Secret {
    page: NonNull<u8>,
}

// SAFETY: the page is written once, before anybody else can see it, and then only read.
unsafe impl Send for Secret {}
// SAFETY: as above.
unsafe impl Sync for Secret {}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret")
    }
}

impl Secret {
    /// Keeps `seed` in a page of its own. A kernel that refuses to lock it keeps it unlocked.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(seed: &[u8; 32]) -> io::Result<Self> {
        // SAFETY: an anonymous mapping of our own; the advice concerns only this page.
        let page = unsafe {
            let page = libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if page == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            libc::mlock(page, PAGE);
            libc::madvise(page, PAGE, libc::MADV_DONTDUMP);
            libc::madvise(page, PAGE, libc::MADV_WIPEONFORK);
            page
        };
        let page = NonNull::new(page.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the page is ours and large enough.
        unsafe { std::ptr::copy_nonoverlapping(seed.as_ptr(), page.as_ptr(), seed.len()) };
        Ok(Self { page })
    }

    /// The key for one use; it wipes itself.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.seed())
    }

    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        // SAFETY: the page holds 32 bytes for as long as `self` lives.
        unsafe { std::ptr::copy_nonoverlapping(self.page.as_ptr(), seed.as_mut_ptr(), 32) };
        seed
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // SAFETY: the page is ours and mapped; nobody reads it after this.
        unsafe {
            std::slice::from_raw_parts_mut(self.page.as_ptr(), 32).zeroize();
            libc::munmap(self.page.as_ptr().cast(), PAGE);
        }
    }
}
