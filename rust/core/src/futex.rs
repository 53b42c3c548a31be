//! Waiting on a word of shared memory: the kernel's futex, across processes.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Sleeps while `word` holds `expected`, until woken or `timeout` has passed.
pub fn wait(word: &AtomicU32, expected: u32, timeout: Duration) {
    let timespec = libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(timeout.subsec_nanos()),
    };
    if word.load(Ordering::Acquire) != expected {
        return;
    }
    // SAFETY: the word outlives the call; the kernel only compares it.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            &raw const timespec,
        );
    }
}

/// Changes `word` and wakes everybody who waits on it.
pub fn wake(word: &AtomicU32) {
    word.fetch_add(1, Ordering::Release);
    // SAFETY: as above.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX);
    }
}
